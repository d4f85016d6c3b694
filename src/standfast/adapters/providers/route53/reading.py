"""Reading a few names of a hosted zone in as few calls as can be: what lies side by side comes with one page.

ListResourceRecordSets starts at a name and goes on in the zone's order. All markers lie under one name and so come side
by side, many endpoints do too. That a name is *not* there is concluded from the order only as far as the answer itself
keeps to it; else each name is asked for by itself, where the first record set says all.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from .calls import PAGE, CallFailed, Page
from .records import Raw, order_of, own_name, plain, their_name

Standing: TypeAlias = dict[str, tuple[Raw, ...]]
"""All record sets of each name that was read, in the order of the listing."""
List: TypeAlias = Callable[[tuple[str, str, str], int], Page]
FEW: Final = 24
"""Record sets asked for where one name is wanted: eight load balancers in two families, and what else stands there."""
PAGES_MAX: Final = 400


def read_names(names: Iterable[str], listed: List) -> Standing:
    """What stands at each name. Raises CallFailed; then nothing is known."""
    wanted = sorted(set(names), key=order_of)
    simple = [name for name in wanted if plain(name)]
    found: Standing = {}
    at, pages = 0, 0
    orderly = True
    while at < len(simple):
        if not orderly:
            found[simple[at]] = _Run(simple[at:], listed).alone()
            at += 1
            continue
        run = _Run(simple[at:], listed)
        at += run.read(found)
        pages, orderly = pages + run.pages, run.orderly
        if pages > PAGES_MAX:
            raise CallFailed("unknown", f"{PAGES_MAX} pages were not enough to read {len(simple)} names")
    for name in wanted:
        if not plain(name):
            found[name] = _Run([name], listed).alone()
    return found


class _Run:
    """From the first of these names on, as far as that pays."""

    def __init__(self, names: Sequence[str], listed: List) -> None:
        self._names, self._listed = names, listed
        self.pages = 0
        self.orderly = True

    def read(self, found: Standing) -> int:
        """How many of the names are known now; at least one is."""
        raws, following = self._page((their_name(self._names[0]), "", ""), FEW if len(self._names) < 3 else PAGE)
        while following is not None and own_name(following[0]) == self._names[0]:
            more, following = self._page(following, PAGE)
            raws += more
        by_name: dict[str, list[Raw]] = {}
        for raw in raws:
            by_name.setdefault(own_name(raw["Name"]), []).append(raw)
        seen = [order_of(name) for name in by_name if plain(name)]
        self.orderly = seen == sorted(seen) and (not seen or seen[0] >= order_of(self._names[0]))
        end = self._end(following, seen)
        known = 0
        for name in self._names:
            if known and (not self.orderly or (end is not None and order_of(name) >= end)):
                break
            found[name] = tuple(by_name.get(name, ()))
            known += 1
        return known

    @staticmethod
    def _end(following: tuple[str, str, str] | None, seen: Sequence[str]) -> str | None:
        """From where on nothing is known; None if all is."""
        if following is None:
            return None
        name = own_name(following[0])
        return order_of(name) if plain(name) else max(seen, default="")

    def alone(self) -> tuple[Raw, ...]:
        """The first name's record sets and nothing else."""
        found: list[Raw] = []
        start: tuple[str, str, str] | None = (their_name(self._names[0]), "", "")
        while start is not None:
            raws, start = self._page(start, FEW)
            for raw in raws:
                if own_name(raw["Name"]) != self._names[0]:
                    return tuple(found)
                found.append(raw)
        return tuple(found)

    def _page(self, start: tuple[str, str, str], items: int) -> tuple[list[Raw], tuple[str, str, str] | None]:
        self.pages += 1
        page = self._listed(start, items)
        if page.following == start or self.pages > PAGES_MAX:
            raise CallFailed("unknown", "Route 53's pages never end")
        return list(page.raws), page.following
