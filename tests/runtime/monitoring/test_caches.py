"""When resolvers have forgotten who left: one TTL from the moment at which every name server serves the next answer."""

from standfast.model.entry import Entry, Member
from standfast.model.rrset import addresses
from standfast.runtime.monitoring.caches import Caches, Forgotten
from standfast.runtime.narration import narrated

ZONE, NAME = "lb.example.com", "www.lb.example.com"
KEY = (ZONE, NAME)


def entry(since: int, served: str, out: str = "", *, why: str = "failed 3 checks in a row", ttl: int = 60) -> Entry:
    there = [Member(f"lb-{one}", (f"192.0.2.{ord(one)}",), 1, served=True, reason="up") for one in served]
    gone = [Member(f"lb-{one}", (f"192.0.2.{ord(one)}",), 1, served=False, reason=why) for one in out]
    rrsets = addresses(ttl, [f"192.0.2.{ord(one)}" for one in served])
    return Entry(ZONE, NAME, since, rrsets=rrsets, members=(*there, *gone))


def test_the_ttl_counts_from_when_all_name_servers_serve_the_next() -> None:
    caches = Caches()
    caches.learn(entry(1, "abc", ttl=90), entry(2, "ab", "c"))
    assert not caches.forgotten(10_000.0), "nobody has served it yet"
    caches.served(KEY, 1, 5.0)
    assert not caches.forgotten(10_000.0), "that is the answer before"
    caches.served(KEY, 2, 100.0)
    assert not caches.forgotten(189.9)
    assert caches.forgotten(190.0) == [Forgotten(KEY, 2, ("lb-c",), 90)]
    assert not caches.forgotten(10_000.0), "told once"


def test_who_is_back_is_not_forgotten() -> None:
    caches = Caches()
    caches.learn(entry(1, "abc"), entry(2, "a", "bc"))
    caches.served(KEY, 2, 0.0)
    caches.learn(entry(2, "a", "bc"), entry(3, "ab", "c"))
    assert caches.forgotten(60.0) == [Forgotten(KEY, 2, ("lb-c",), 60)]


def test_a_later_since_serves_for_an_earlier_one() -> None:
    """Plans may follow each other faster than anybody looks."""
    caches = Caches()
    caches.learn(entry(1, "abc"), entry(2, "ab", "c"))
    caches.learn(entry(2, "ab", "c"), entry(3, "a", "bc"))
    caches.served(KEY, 3, 0.0)
    assert caches.forgotten(60.0) == [Forgotten(KEY, 2, ("lb-c",), 60), Forgotten(KEY, 3, ("lb-b",), 60)]


def test_whose_turn_it_is_not_is_no_news() -> None:
    caches = Caches()
    caches.learn(entry(1, "abc"), entry(2, "ab", "c", why="not chosen: its turn comes"))
    caches.served(KEY, 2, 0.0)
    assert not caches.forgotten(10_000.0)


def test_how_it_is_said() -> None:
    event = {"event": "uncached", "at": "", "role": "monitor", "who": "m", "zone": ZONE, "name": NAME}
    line = narrated({**event, "load_balancers": ["lb-b2"], "ttl_s": 60}) or ""
    assert line.endswith("caches      resolvers that keep to the TTL no longer hand out lb-b2 for www")
