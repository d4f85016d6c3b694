"""Resolvers of the region, with positive and negative caching (RFC 2308), and those who keep the last good answer.

A name that exists and has no addresses is answered NOERROR with no data; a resolver keeps that for the lesser of the
SOA's own TTL and its MINIMUM field (RFC 2308 §5), which on a hosted zone of Route 53 is 900 s. So whoever asked in vain
goes on hearing "nothing" for up to a quarter of an hour after the name has been mended. Each resolver asks again when
its entry has expired *and* somebody asks it: that moment is drawn, and is all that is random here.

`serve-stale` is RFC 8767 as it is written: an old answer is used if the authority cannot be *reached*, or fails. An
authoritative "no data" is a success and replaces it, so on this day it helps nobody. `keep-last` is not standard: an
answer without addresses does not replace one with addresses for as long as stale answers may be kept.
"""

import math
import random
from collections.abc import Callable
from typing import Protocol

from standfast.sim.swarm.loop import Loop

STALE_MAX_S = 24 * 3600.0
"""RFC 8767 §5 suggests one to three days."""


class Authority(Protocol):
    """The name's authoritative servers."""

    def addresses(self) -> int:
        """How many addresses the answer has now."""

    def on_change(self, told: Callable[[], None]) -> None:
        """Be told each time after the answer has changed."""


class Resolver:
    """One resolver's entry for the endpoint: how many addresses it answers, and since when none."""

    __slots__ = ("addresses", "dark_since", "good_until", "negative_until")

    def __init__(self, addresses: int) -> None:
        self.addresses = addresses
        self.dark_since = math.inf
        self.negative_until = self.good_until = -1e9


class Resolvers:
    """All of them. `version` grows whenever one of them answers something else than before."""

    def __init__(
        self,
        loop: Loop,
        authority: Authority,
        seed: int,
        count: int,
        ttl_s: float,
        negative_ttl_s: float,
        asked_every_s: float,
        *,
        keep_last: bool,
    ) -> None:
        self._loop, self._authority = loop, authority
        self._draw = random.Random(f"{seed} resolvers")
        self._ttl_s, self._negative_ttl_s, self._asked_every_s = ttl_s, negative_ttl_s, asked_every_s
        self._keep_last = keep_last
        self.version = 0
        self.all = [Resolver(authority.addresses()) for _ in range(count)]
        self.dark: tuple[Resolver, ...] = ()
        authority.on_change(self._changed)

    @property
    def answering(self) -> float:
        """The share of them that answer with addresses."""
        return 1.0 - len(self.dark) / len(self.all)

    def _changed(self) -> None:
        """While an answer stays the same, asking again changes nothing: only changes make events."""
        for one in self.all:
            if one.negative_until > self._loop.now:
                continue  # it will ask when that has expired
            wait = self._draw.uniform(0.0, self._ttl_s) + self._draw.expovariate(1.0 / self._asked_every_s)
            self._loop.after(wait, lambda one=one: self._ask(one))  # type: ignore[misc]  # each its own

    def _ask(self, one: Resolver) -> None:
        now = self._loop.now
        if one.negative_until > now:
            return
        found = self._authority.addresses()
        if found:
            one.good_until = now + self._ttl_s + STALE_MAX_S
            self._answers(one, found)
            return
        one.negative_until = now + self._negative_ttl_s
        kept = self._keep_last and one.addresses > 0 and (one.good_until < 0 or now < one.good_until)
        if not kept:
            self._answers(one, 0)
        again = self._negative_ttl_s + self._draw.expovariate(1.0 / self._asked_every_s)
        self._loop.after(again, lambda: self._ask(one))

    def _answers(self, one: Resolver, addresses: int) -> None:
        if one.addresses != addresses:
            one.addresses = addresses
            one.dark_since = math.inf if addresses else self._loop.now
            self.dark = tuple(each for each in self.all if not each.addresses)
            self.version += 1
