"""Whether an answer is one that users should get: pure, and fed with all plans and all answers of a run.

Four things are bad. *empty*: no address at all, or an error. *unknown*: an address that no plan ever gave that name.
*mixed*: every address is known, but together they are no plan's. *older*: they are a plan's, but of none as new as
what an earlier answer for that name has proved.

Contents come back (a, b, a), so an answer proves no more than the least generation that it may be of: the lowest with
these contents that is not below what was proved before, and that was planned before the answer came. "Earlier" is an
answer that had come before this question was asked; two that were under way together prove nothing of each other.

While somebody deletes records on purpose, bad answers for that very name are damage made, until its first good answer
after the deletion: of A and of AAAA, each by itself.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, Literal, TypeAlias

from msgspec import Struct

Badness: TypeAlias = Literal["empty", "unknown", "mixed", "older"]
RRsetKey: TypeAlias = tuple[str, int]
"""Owner name and type."""
EXAMPLES_MAX: Final = 20


class Answer(Struct, frozen=True):
    """One answer. Times are seconds of one monotonic clock; without `received` there was none in time."""

    key: RRsetKey
    sent: float
    received: float | None
    rcode: int
    addresses: frozenset[str]


class Planned(Struct, frozen=True):
    """What one generation gives each rrset; it existed from `at` on, on the same clock."""

    generation: int
    at: float
    contents: Mapping[RRsetKey, frozenset[str]]


class Damage(Struct):
    """Somebody damages a name on purpose: from `began` on; done at `done` (None: under way).

    `answers` counts the bad answers that came of it, `healed` has the first good one of each rrset afterwards.
    """

    fault: str
    name: str
    began: float
    done: float | None = None
    answers: int = 0
    healed: dict[RRsetKey, float] = {}
    healed_s: float | None = None


class Known(Struct, frozen=True):
    """What is known about an rrset when an answer for it is judged.

    `candidates` are the generations with these very contents planned by then, rising; `ever` all addresses that any
    plan gave it by then; `proved` the generation that earlier answers proved for the name.
    """

    candidates: tuple[int, ...]
    ever: frozenset[str]
    proved: int


Rule: TypeAlias = Callable[[Answer, Known], bool]


def is_empty(answer: Answer, known: Known) -> bool:
    """No address, or an error."""
    return answer.rcode != 0 or not answer.addresses


def is_unknown(answer: Answer, known: Known) -> bool:
    """An address in no plan."""
    return not answer.addresses <= known.ever


def is_mixed(answer: Answer, known: Known) -> bool:
    """Addresses of several plans, or not all of one."""
    return not known.candidates


def is_older(answer: Answer, known: Known) -> bool:
    """Contents that only generations below the proved one have."""
    return known.candidates[-1] < known.proved


RULES: Final[tuple[tuple[Badness, Rule], ...]] = (
    ("empty", is_empty),
    ("unknown", is_unknown),
    ("mixed", is_mixed),
    ("older", is_older),
)
"""In this order: each may rely on those before it."""


class Judge:
    """Hears plans and answers in the order in which they came; keeps count."""

    def __init__(self, rules: tuple[tuple[Badness, Rule], ...] = RULES) -> None:
        self._rules = rules
        self._contents: dict[RRsetKey, dict[frozenset[str], list[tuple[int, float]]]] = {}
        self._ever: dict[RRsetKey, dict[str, float]] = {}
        self._proved: dict[str, deque[tuple[float, int]]] = {}
        self.damages: list[Damage] = []
        self.heard = self.unanswered = self.bad = 0
        self.by_kind: dict[str, int] = {}
        self.examples: list[dict[str, object]] = []

    def plan(self, planned: Planned) -> None:
        """One more generation."""
        for key, addresses in planned.contents.items():
            insort(self._contents.setdefault(key, {}).setdefault(addresses, []), (planned.generation, planned.at))
            ever = self._ever.setdefault(key, {})
            for address in addresses:
                ever[address] = min(planned.at, ever.get(address, planned.at))

    def answer(self, answer: Answer) -> Badness | None:
        """What is bad about it; None if nothing is, or if it is damage made on purpose."""
        self.heard += 1
        if answer.received is None:
            self.unanswered += 1
            return None
        known = self._known(answer, answer.received)
        found = next((kind for kind, rule in self._rules if rule(answer, known)), None)
        damage = self._damage(answer)
        if found is None:
            self._prove(answer, answer.received, known)
            if damage is not None and damage.done is not None and answer.sent >= damage.done:
                damage.healed[answer.key] = answer.received
            return None
        if damage is not None:
            damage.answers += 1
            return None
        self.bad += 1
        self.by_kind[found] = self.by_kind.get(found, 0) + 1
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(_shown(answer, found, known))
        return found

    def proved(self, name: str) -> int:
        """The generation that answers have proved so far."""
        history = self._proved.get(name)
        return history[-1][1] if history else 0

    def _known(self, answer: Answer, received: float) -> Known:
        plans = self._contents.get(answer.key, {}).get(answer.addresses, ())
        candidates = tuple(generation for generation, at in plans if at <= received)
        ever = frozenset(address for address, at in self._ever.get(answer.key, {}).items() if at <= received)
        return Known(candidates, ever, self._proved_before(answer.key[0], answer.sent))

    def _proved_before(self, name: str, at: float) -> int:
        return next((generation for when, generation in reversed(self._proved.get(name, ())) if when <= at), 0)

    def _prove(self, answer: Answer, received: float, known: Known) -> None:
        history = self._proved.setdefault(answer.key[0], deque(maxlen=500))
        newest = history[-1][1] if history else 0
        at = bisect_left(known.candidates, newest)
        if at < len(known.candidates) and known.candidates[at] > newest:
            history.append((received, known.candidates[at]))

    def _damage(self, answer: Answer) -> Damage | None:
        for damage in self.damages:
            if (
                damage.name == answer.key[0]
                and answer.key not in damage.healed
                and (answer.received or 0.0) >= damage.began
            ):
                return damage
        return None


def _shown(answer: Answer, found: Badness, known: Known) -> dict[str, object]:
    return {
        "kind": found,
        "name": answer.key[0],
        "type": {1: "A", 28: "AAAA"}.get(answer.key[1], str(answer.key[1])),
        "rcode": answer.rcode,
        "addresses": sorted(answer.addresses),
        "generations": list(known.candidates[-3:]),
        "proved": known.proved,
        "sent": round(answer.sent, 6),
        "received": answer.received,
    }
