"""How many vantage points look, and what their number means: who may be silent, which AZ may go by health alone."""

from collections.abc import Iterable, Iterator
from typing import Final

from standfast.cli.texts import counted, in_words
from standfast.config import Config, LoadBalancerConfig
from standfast.recovery.quorum import majority
from standfast.runtime.phrases import listed

from .findings import Finding

OUTSIDE_LEAST: Final = 2
"""So many must see an AZ down from outside before it may go without being asked (`az_loss`)."""


def vantage_findings(config: Config, load_balancers: Iterable[LoadBalancerConfig]) -> Iterator[Finding]:
    """One finding on their number, and one on AZs that too few of them see from outside."""
    some = config.vantage
    if not some:
        text = "Only this machine looks: a fault of its own network looks like a fault of all load balancers."
        least = min(one.hold_below for one in config.endpoints)
        remedy = f"Under {least * 100:.3g} % healthy nothing more is dropped. Three see more: `vantage:`."
        yield Finding("note", "vantage_points", "vantage points 1", text, remedy)
        return
    needed = majority(len(some))
    names = listed([f"{one.name} ({one.az})" if one.az else one.name for one in some], 5)
    spare = len(some) - needed
    text = f"{names}; {needed} must agree"
    text += f", {in_words(spare)} may be silent." if spare else ", so none may be silent."
    yield Finding("ok" if len(some) > 2 else "note", "vantage_points", f"vantage points {len(some)}", text)
    azs = sorted({one.az for one in load_balancers})
    short = [az for az in azs if sum(one.az != az for one in some) < OUTSIDE_LEAST]
    if short:
        where = counted(OUTSIDE_LEAST, "vantage point")
        text = f"Fewer than {where} stand outside AZ {listed(short, 4)}: it goes as a whole only when you say so."
        yield Finding("note", "vantage_points", "vantage points", text, "Add one in another AZ, or in none.")
