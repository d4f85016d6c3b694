"""The way out: this state as a script that writes it without us."""

from collections.abc import Iterable, Mapping

from standfast.config import Config
from standfast.model.plan import Plan
from standfast.model.rrset import RRType

from .moments import utc


def nsupdate(plan: Plan, config: Config) -> str:
    """A script for `nsupdate -k KEYFILE`: one message for each name, addresses replaced whole."""
    lines = [
        f"; The addresses of every name as planned in g{plan.generation}, {utc(plan.record.at)}.",
        "; Freeze or stop Standfast first, or it puts back what it has planned: standfast freeze --all",
        "; Then: nsupdate -k KEYFILE THIS-FILE",
    ]
    for zone in config.zones:
        lines += ["", f"server {zone.host} {zone.port}", f"zone {zone.name}"]
        for entry in plan.by_zone.get(zone.name, ()):
            if entry.kind == "live":
                lines += ["", *_entry(entry.name, {one.rtype: (one.ttl, one.texts()) for one in entry.rrsets})]
    return "\n".join(lines) + "\n"


def _entry(name: str, rrsets: Mapping[int, tuple[int, Iterable[str]]]) -> Iterable[str]:
    """Typed deletes first: a whole-name delete would take what is not ours."""
    for rtype in (RRType.CNAME, RRType.A, RRType.AAAA):
        yield f"update delete {name}. {rtype.name}"
    for number, (ttl, texts) in rrsets.items():
        for text in texts:
            yield f"update add {name}. {ttl} {RRType(number).name} {text}"
    yield "send"
