"""Keeps DNS names pointing at load balancers that work, and never at nothing.

A planner writes numbered plans, independent enactors bring them to the zone by compare-and-set inside the DNS
server, a cleaner removes what nothing can need. See `docs/architecture.md`.
"""

__version__ = "0.1.0"
