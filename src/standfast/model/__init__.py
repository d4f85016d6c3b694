"""The nouns: names, rrsets, markers, entries, plans, fleets. Frozen values without I/O and without a clock."""
