"""Caching of the day's resolvers: RFC 2308 for answers without data, RFC 8767 as it is written, and beyond it."""

from collections.abc import Callable

from standfast.sim.region.clients import Clients
from standfast.sim.region.resolvers import Resolvers
from standfast.sim.swarm.loop import Loop

NEGATIVE_S = 900.0


class Name:
    def __init__(self) -> None:
        self.count = 3
        self.told: list[Callable[[], None]] = []

    def addresses(self) -> int:
        return self.count

    def on_change(self, told: Callable[[], None]) -> None:
        self.told.append(told)

    def becomes(self, count: int) -> None:
        self.count = count
        for told in self.told:
            told()


def some(*, keep_last: bool = False) -> tuple[Loop, Name, Resolvers]:
    loop, name = Loop(), Name()
    return loop, name, Resolvers(loop, name, 7, 100, 5.0, NEGATIVE_S, 10.0, keep_last=keep_last)


def test_a_blink_of_the_authority_is_remembered_for_the_negative_ttl() -> None:
    loop, name, resolvers = some()
    name.becomes(0)
    loop.run(15.0, 10_000)
    caught = len(resolvers.dark)
    assert caught > 20
    name.becomes(3)
    loop.run(NEGATIVE_S - 1.0, 10_000)
    assert len(resolvers.dark) >= caught, "nobody asks again before the answer without data has expired"
    loop.run(NEGATIVE_S + 300.0, 10_000)
    assert resolvers.answering == 1.0


def test_who_keeps_the_last_answer_never_goes_dark() -> None:
    loop, name, resolvers = some(keep_last=True)
    name.becomes(0)
    loop.run(9_000.0, 100_000)
    assert resolvers.answering == 1.0


def test_connections_outlast_the_name_for_as_long_as_they_live() -> None:
    loop, name, resolvers = some()
    clients = Clients(resolvers, 600.0)
    assert clients.reach(0.0) == 1.0
    name.becomes(0)
    loop.run(600.0, 100_000)
    assert 0.3 < clients.reach(600.0) < 0.5
    clients.bypass = 1.0
    assert clients.reach(600.0) == 1.0
