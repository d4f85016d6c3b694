"""Numbers for Prometheus, the alerts and the board made of them, and the role that looks at the names as clients do."""
