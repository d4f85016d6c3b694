"""Zones that somebody set back: when two changes replaced one marker or floor, and neither is to blame.

A provider that keeps its word lets one value be replaced once. If two changes replaced it, either the provider let both
through (a lost update, G2), or the value stood twice, since an old zone file, disk or record was put back. This is
believed of two changes over one value X, and nothing else:

    whoever made the second had, earlier in its own journal, known a marker that came after the first.

Then it read X afterwards, so X stood again. That it knew such a marker is believed where its journal names the nonce:
as asserted by an earlier change of its own, and another process had made it (a nonce can't be guessed: who names it
has read it); or in a `set_back` line about this very record, which says that X was found. The nonce must belong to the
first change or to what was made over it, by the intents of those who made them. A claim of another process, a claim
made later, and one that names anything else excuse nothing; nor does it that a process told its own change as written:
one that takes a lost reply for success tells the same. More than two changes must so be known to have come one after
the other.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import combinations, permutations
from typing import Final

from msgspec import Struct

from .lines import Place
from .record import Change, Key, Record

ONCE_S: Final = 60.0
"""What came back within a minute came back together."""
_NAMES: Final = 4


class Damage(Struct, frozen=True):
    """What others did to a zone, as a sentence, and where it shows."""

    text: str
    places: tuple[Place, ...]


class _Proof(Struct):
    """One record that stood twice: of which endpoint (none: the floor), since when by the second's own clock."""

    zone: str
    name: str
    at: str
    places: tuple[Place, ...]


class SetBacks:
    """What can be shown of it."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._proofs: list[_Proof] = []

    def explain(self, key: Key, over: str, changes: Iterable[Change]) -> bool:
        """Whether each of these changes over one value, but the first, met it after it had come back. `key` has no
        name where the value is the zone's floor."""
        some = {change.nonce: change for change in changes}
        later: dict[str, dict[str, _Proof]] = {}
        for first, second in permutations(some.values(), 2):
            if (proof := self._after(key, over, first, second)) is not None:
                later.setdefault(first.nonce, {})[second.nonce] = proof
        reach = {nonce: _reached(later, nonce) for nonce in some}
        if any(one not in reach[other] and other not in reach[one] for one, other in combinations(some, 2)):
            return False
        self._proofs += [proof for proofs in later.values() for proof in proofs.values()]
        return True

    def stands_again(self, key: Key, over: str, changes: Iterable[Change]) -> bool:
        """Whether somebody found this value after it had known what came of each change that replaced it: it is what
        stands now, and nobody has repaired it yet."""
        proofs = []
        for change in changes:
            seen = [one for one in self._record.sights.get(key, ()) if one.found == over]
            sight = next((one for one in seen if self._comes_of(key, one.knew, change.nonce)), None)
            if sight is None:
                return False
            proofs.append(_Proof(key[1], key[2], sight.at, (change.place, sight.place)))
        self._proofs += proofs
        return bool(proofs)

    def damages(self) -> tuple[Damage, ...]:
        """All that was shown, what came back together as one."""
        found: list[Damage] = []
        for group in self._groups():
            names = list(dict.fromkeys(one.name for one in group if one.name))
            floor = any(not one.name for one in group)
            shown = ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")
            what = f"the zone {group[0].zone}" + (f" (markers of {shown})" if names else "") if floor else shown
            verb = "was" if floor or len(names) == 1 else "were"
            text = f"{what} {verb} set back to an older state {_clock(group[0].at)}, by nobody of ours"
            found.append(Damage(text, group[0].places))
        return tuple(found)

    def _groups(self) -> list[list[_Proof]]:
        groups: list[list[_Proof]] = []
        for one in sorted(self._proofs, key=lambda one: (one.zone, one.at)):
            last = groups[-1] if groups else None
            if last and last[0].zone == one.zone and _seconds(one.at) - _seconds(last[0].at) <= ONCE_S:
                last.append(one)
            else:
                groups.append([one])
        return groups

    def _after(self, key: Key, over: str, first: Change, second: Change) -> _Proof | None:
        """That the second was made when the first had been followed, and the value stood again."""
        for place, nonce in self._known(key, over, second):
            if self._comes_of(key, nonce, first.nonce):
                places = (first.place, place, second.place)
                return _Proof(key[1], key[2], second.at, tuple(dict.fromkeys(places)))
        return None

    def _known(self, key: Key, over: str, second: Change) -> Iterable[tuple[Place, str]]:
        """What its maker had known before, by its own journal, and where it says so."""
        for sight in self._record.sights.get(key, ()):
            if sight.journal == second.journal and sight.number < second.number and sight.found == over:
                yield sight.place, sight.knew
        for change, asserted, ahead in self._asserted(key):
            made = self._record.changes.get(asserted)
            own = change.journal == second.journal and change.number < second.number and not ahead
            if own and made is not None and made.journal != second.journal:
                yield change.place, asserted

    def _asserted(self, key: Key) -> Iterable[tuple[Change, str, bool]]:
        """By each change the value that it replaced."""
        if key[2]:
            for link in self._record.links.get(key, {}).values():
                yield link.change, link.over, link.ahead
            return
        for change in self._record.changes.values():
            if (change.stream, change.zone) == key[:2] and change.floor is not None:
                yield change, change.floor.over, change.ahead

    def _over(self, key: Key, nonce: str) -> str:
        """The value that this change replaced."""
        if key[2]:
            link = self._record.links.get(key, {}).get(nonce)
            return link.over if link is not None and link.act != "refill" else ""
        change = self._record.changes.get(nonce)
        return change.floor.over if change is not None and change.floor is not None else ""

    def _comes_of(self, key: Key, nonce: str, first: str) -> bool:
        """Whether this value was put by that change, or by what was made over it."""
        seen: set[str] = set()
        while nonce and nonce not in seen:
            if nonce == first:
                return True
            seen.add(nonce)
            nonce = self._over(key, nonce)
        return False


def _reached(later: Mapping[str, Mapping[str, _Proof]], nonce: str) -> set[str]:
    """What came after this, or after what did."""
    found, open_ = set[str](), [nonce]
    while open_:
        for one in later.get(open_.pop(), ()):
            if one not in found:
                found.add(one)
                open_.append(one)
    return found


def _clock(at: str) -> str:
    try:
        return f"at {datetime.fromisoformat(at):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return "at a time that its line does not say"


def _seconds(at: str) -> float:
    try:
        return datetime.fromisoformat(at).timestamp()
    except ValueError:
        return 0.0
