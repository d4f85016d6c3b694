"""Running it for real: the cores driven against stores, providers and clocks, each role a process of its own."""
