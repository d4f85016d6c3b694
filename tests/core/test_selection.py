"""Who is chosen when there are more addresses than an answer may have."""

from itertools import product

import pytest

from standfast.core.selection import Candidate, answers, choose
from standfast.model.rrset import RRType

A, AAAA = RRType.A, RRType.AAAA


def fleet(kinds: str) -> tuple[Candidate, ...]:
    """One load balancer a letter: 4 has IPv4 only, 6 IPv6 only, d both, w two IPv4 addresses."""
    found = []
    for number, kind in enumerate(kinds, 1):
        ipv4, ipv6 = f"192.0.2.{number}", f"2001:db8::{number}"
        addresses = {"4": (ipv4,), "6": (ipv6,), "d": (ipv4, ipv6), "w": (ipv4, f"198.51.100.{number}")}[kind]
        found.append(Candidate(f"lb-{number}", addresses, 100, None, "in", ""))
    return tuple(found)


@pytest.mark.parametrize("kinds", ["".join(kinds) for kinds in product("46d", repeat=5)])
def test_neither_family_gets_more_than_it_may_have(kinds: str) -> None:
    """Each load balancer has one address a family, so nothing but the order of choosing could lead above the limit."""
    candidates = fleet(kinds)
    for endpoint in ("www", "api", "cdn"):
        chosen = choose(endpoint, candidates, (A, AAAA), {A: 2, AAAA: 2}, 3)
        for family in (A, AAAA):
            there = answers(candidates, family)
            assert min(2, there) <= answers(chosen, family) <= 3, f"{endpoint}: {chosen}"


def test_a_load_balancer_goes_with_all_its_addresses() -> None:
    chosen = choose("www", fleet("wwww"), (A,), {A: 2}, 3)
    assert answers(chosen, A) == 2, "two of two fit into three; two halves would be three"
