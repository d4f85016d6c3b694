"""`python -m standfast.sim.nlb`: the tables of `docs/recovery.md`, measured anew."""

import sys

from .fleet import SCENARIOS
from .running import measured, table

sys.stdout.write("\n\n".join(table(one, measured(one)) for one in SCENARIOS) + "\n")
