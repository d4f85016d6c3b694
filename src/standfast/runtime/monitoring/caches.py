"""When resolvers have forgotten who left an answer: the TTL of the last answer that held it, counted from the moment
at which every name server served the next. Pure; `now` is this machine's own monotonic clock, in seconds.
"""

from typing import TypeAlias

from msgspec import Struct

from standfast.model.entry import NOT_CHOSEN, Entry

Key: TypeAlias = tuple[str, str]
"""(zone, name)."""


class Forgotten(Struct, frozen=True):
    """Resolvers that keep to the TTL hand these out no longer for that name."""

    key: Key
    since: int
    load_balancers: tuple[str, ...]
    ttl_s: int


class _Left(Struct):
    """Who left, by which since, after answers with which TTL; when that will be forgotten, if it is known."""

    since: int
    ttl_s: int
    due: float | None = None


class Caches:
    """Whom resolvers may still hand out."""

    def __init__(self) -> None:
        self._left: dict[Key, dict[str, _Left]] = {}

    def learn(self, before: Entry, after: Entry) -> None:
        """Two successive plans have these entries."""
        were = {one.load_balancer for one in before.members if one.served}
        now = {one.load_balancer: one for one in after.members}
        served = {name for name, one in now.items() if one.served}
        some = self._left.setdefault(after.key, {})
        for name in [name for name in some if name in served]:
            del some[name]
        ttl = max((rrset.ttl for rrset in before.rrsets), default=0)
        for name in were - served:
            if name not in now or not now[name].reason.startswith(NOT_CHOSEN):
                some[name] = _Left(after.since, ttl)
        if not some:
            del self._left[after.key]

    def served(self, key: Key, since: int, now: float) -> None:
        """Every name server serves that since."""
        for one in self._left.get(key, {}).values():
            if one.due is None and one.since <= since:
                one.due = now + one.ttl_s

    def forgotten(self, now: float) -> list[Forgotten]:
        """Whose time has come since this was asked last."""
        found = []
        for key, some in list(self._left.items()):
            over = {name: one for name, one in some.items() if one.due is not None and one.due <= now}
            for since in sorted({one.since for one in over.values()}):
                names = tuple(sorted(name for name, one in over.items() if one.since == since))
                found.append(Forgotten(key, since, names, max(some[name].ttl_s for name in names)))
            for name in over:
                del some[name]
            if not some:
                del self._left[key]
        return found
