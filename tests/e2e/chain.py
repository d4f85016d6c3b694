"""What the journals alone say of all writes: no clock, no store, no zone. Each change names its nonce and, for each
endpoint, the nonce of the marker that it replaced (`over`); so the writes of an endpoint form a chain.

A change landed if its outcome says `written`, or if a later change was made over its nonce: then whoever sent it was
killed before it could write the outcome down, or never learnt of it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from standfast.runtime.journal import read_journal


@dataclass(frozen=True)
class Link:
    """One endpoint's part of one change."""

    name: str
    nonce: str
    over: str
    since: int
    who: str
    written: bool


@dataclass(frozen=True)
class Chains:
    """For each endpoint its writes, oldest first, and everything that contradicts G2 or compare-and-set."""

    links: dict[str, list[Link]]
    faults: list[str]


def read_links(journal: Path) -> list[Link]:
    """Every intended write of an endpoint."""
    written = {
        (line["nonce"], line["name"])
        for line in read_journal(journal, events=("outcome",))
        if line["result"] == "written"
    }
    return [
        Link(
            write["name"],
            line["nonce"],
            write["over"],
            write["since"],
            line["who"],
            (line["nonce"], write["name"]) in written,
        )
        for line in read_journal(journal, events=("intent",))
        for write in line["writes"]
    ]


def chains(links: list[Link], ends: dict[str, str]) -> Chains:
    """Put the writes in order from the marker that stands now (`ends`: nonce by name) back to the first.

    Faults: a `since` lower than the one it was written over; a write that says `written` and is not in the chain; a
    link to a nonce that no journal knows.
    """
    found, faults = {}, []
    by_name: dict[str, dict[str, Link]] = defaultdict(dict)
    for link in links:
        by_name[link.name][link.nonce] = link
    for name, end in ends.items():
        known, chain, nonce = by_name[name], list[Link](), end
        while nonce:
            if nonce not in known:
                faults.append(f"{name}: no journal has an intent with nonce {nonce}")
                break
            chain.append(known[nonce])
            nonce = known[nonce].over
            if len(chain) > len(known):
                faults.append(f"{name}: the writes form a ring")
                break
        chain.reverse()
        for before, after in pairwise(chain):
            if after.since < before.since:
                faults.append(f"{name}: {after.who} wrote since {after.since} over {before.since} of {before.who}")
        inside = {link.nonce for link in chain}
        faults += [
            f"{name}: {link.who} wrote {link.since} ({link.nonce}) over {link.over or 'nothing'}, which nobody saw"
            for link in known.values()
            if link.written and link.nonce not in inside
        ]
        found[name] = chain
    return Chains(found, faults)
