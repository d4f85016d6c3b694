"""`docs/capabilities.md` from what the adapters declare: `python -m tools.capabilities` writes it anew.

A promise of a provider that is not told here, or whose other value is not told, is an error: none stays undocumented.
"""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from standfast.adapters.providers.promises import LACKS, PROMISES, Promises
from standfast.adapters.stores.promises import STORES, StorePromises

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs/capabilities.md"
_NAMES: Final = {"bind": "BIND", "knot": "Knot", "embedded": "embedded", "pdns": "PowerDNS", "route53": "Route 53"}
_HEAD: Final = """# Which guarantee holds where, and by what

Generated from what the adapters declare (`make documents`). `tests/conformance` holds each provider to exactly its
list, no worse and no better, and all stores to one contract. What the guarantees are: [guarantees.md](guarantees.md).

## DNS providers

"""
_WEAKER: Final[dict[str, str]] = {
    "text_by_case": "a prerequisite takes upper and lower case of TXT for equal (markers are lower case)",
    "tells_changes": "nothing tells which names changed: each look that finds a change reads all names",
    "names_key_errors": "a refusal does not say whether key, secret or clock is wrong",
    "beside_cname": "data beside a CNAME are refused with the whole change, instead of skipped in silence",
    "keeps_empty_names": "an empty non-terminal may stay or be missing, so a wildcard may answer where it should not",
    "synthesises": "",
    "tells_serial": "no serial tells of changes by others: damage is found by the audit and by asking the names",
    "asserts_absence": (
        "absence of what a change does not create is looked at just before and not part of the change; of ours nothing "
        "slips through (the floor's nonce), a hand's change in between may"
    ),
    "routed": "",
    "compare_and_set": "",
}
"""What it means where a kind differs from RFC 2136; empty: it is not weaker, and told in the table."""


_PLUGGED: Final = """
## Providers of installed packages

Each states its promises, and the same kit is there to hold it to them: [providers.md](providers.md). One that lacks
what follows is refused, by `check`, `run` and every command that writes, unless its zone says `accept:` with the name.
`check`, `status`, the page and the enactors' journals name what is accepted. That a change is all or nothing is asked
of each.

"""


def _rows(kind: str, promises: Promises) -> dict[str, str]:
    """Mechanism by guarantee, for one kind of provider."""
    batch = promises.routed
    atomic = "one change batch, all or nothing" if batch else "one UPDATE with prerequisites (RFC 2136 §2.4)"
    marker = (
        "DELETE of the exact old marker and CREATE of the new one in the batch"
        if batch
        else "the marker's exact bytes are a prerequisite"
    )
    absent = (
        "a marker that is listed nowhere is created, which fails where one is"
        if not promises.synthesises
        else "absence is a prerequisite; a reading that a wildcard may have made is confirmed by prerequisites alone"
    )
    found = (
        "the serial says that something changed, an incremental transfer what"
        if promises.tells_serial and promises.tells_changes
        else "the serial says that something changed; all names are read then"
        if promises.tells_serial
        else "the paced audit and probes over DNS"
    )
    return {
        "compare-and-set in the provider": marker,
        "G1 never empty": f"{atomic}; whole rrsets, minimum checked before",
        "G2 never backwards": f"marker and floor compared in the change; {absent}",
        "G3 never dangling": "nothing live points at anything"
        if not batch
        else "roots and markers asserted in the batch",
        "G4 always repairable": f"damage is found: {found}",
        "G5 one generation per answer": "one atomic change an endpoint",
        "layouts": "flat, multivalue, tree" if batch else "flat",
    }


def page() -> str:
    """The whole page. Raises ValueError naming every promise that has no words."""
    fields = {field.name for field in msgspec.structs.fields(Promises)}
    if unknown := sorted((fields ^ _WEAKER.keys()) | (PROMISES.keys() - _NAMES.keys())):
        raise ValueError(f"no words for {', '.join(unknown)}")
    kinds = list(PROMISES)
    cells = {kind: _rows(kind, PROMISES[kind]) for kind in kinds}
    names = list(cells[kinds[0]])
    parts = [
        _HEAD,
        _table(["", *(_NAMES[kind] for kind in kinds)], ([n, *(cells[k][n] for k in kinds)] for n in names)),
    ]
    parts.append("\nWeaker than RFC 2136 as BIND, Knot and the embedded name server keep it:\n\n")
    for kind in kinds:
        lines = [text for name, text in _WEAKER.items() if text and _weaker_in(PROMISES[kind], name)]
        parts += [f"- {_NAMES[kind]}: {line}.\n" for line in lines]
    parts.append(
        "\nG8 (nothing lands after a freeze) rests on the same comparison of marker and floor as G2. G6, G7 and G10\n"
        "rest on nothing that a provider promises. All that are supplied compare and set inside themselves; none that\n"
        "can't is supplied.\n"
    )
    parts.append(_PLUGGED)
    for lack in LACKS:
        parts.append(f"- `{lack.name}`: {lack.what}. Lost: {lack.lost}. {lack.remedy}\n")
    parts.append("\n## Plan stores\n\n")
    stores = list(STORES)
    rows = [(field.name, field.name.replace("_", " ")) for field in msgspec.structs.fields(StorePromises)]
    words = {
        "another": "lost or set back is noticed by",
        "fence": "clean-up is fenced by",
        "damage": "damage is told by",
    }
    table = ([words.get(key, text), *(_value(STORES[kind], key) for kind in stores)] for key, text in rows)
    parts.append(_table(["", *stores], table))
    parts.append("\nWhich to choose, set-up, rights and cost: [stores.md](stores.md).\n")
    return "".join(parts)


def _weaker_in(promises: Promises, name: str) -> bool:
    """Where no serial tells that there was a change, no look finds one: that is told by itself."""
    return _differs(promises, name) and (name != "tells_changes" or promises.tells_serial)


def _differs(promises: Promises, name: str) -> bool:
    return bool(_value(promises, name) != _value(Promises(), name))


def _value(of: msgspec.Struct, name: str) -> Any:
    return getattr(of, name)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |".replace("|  |", "| |"), "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


if __name__ == "__main__":
    try:
        PAGE.write_text(page(), encoding="utf-8")
    except ValueError as error:
        sys.exit(f"{error}. Say there what it means.")
