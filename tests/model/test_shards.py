"""The trie of entries: one shape for one set of entries, exact differences, nothing believed without its digest."""

from collections.abc import Callable, Mapping

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standfast.model.entry import Departure, Entry, Key
from standfast.model.plan import Plan, PlanRecord, read_plan
from standfast.model.rrset import addresses
from standfast.model.shards import (
    LEAF_MAX,
    Branch,
    Leaf,
    Node,
    ShardDamaged,
    Shards,
    digest_of,
    read_outline,
    read_shards,
)

fixed = settings(derandomize=True, deadline=None, max_examples=150, database=None)
contents = st.dictionaries(st.integers(0, 400), st.integers(0, 3), max_size=120)


def entry(number: int, version: int) -> Entry:
    """Endpoint `number`, in one of two zones, with contents that follow from `version`."""
    zone = ("example.com", "example.net")[number % 2]
    return Entry(zone, f"svc-{number}.{zone}", version + 1, rrsets=addresses(60, (f"10.0.{version}.1",)))


def entries(versions: Mapping[int, int]) -> list[Entry]:
    return [entry(number, version) for number, version in versions.items()]


def stored(*sets: Shards) -> dict[str, bytes]:
    """What a store that holds these sets has."""
    return {node.digest: node.stored for shards in sets for node in shards.nodes()}


def from_store(nodes: Mapping[str, bytes], asked: list[str] | None = None) -> Callable[[list[str]], dict[str, bytes]]:
    def fetch(digests: list[str]) -> dict[str, bytes]:
        if asked is not None:
            asked.extend(digests)
        return {digest: nodes[digest] for digest in digests if digest in nodes}

    return fetch


def test_a_leaf_holds_sixteen_and_the_seventeenth_makes_a_branch() -> None:
    assert isinstance(Shards.of(entries(dict.fromkeys(range(LEAF_MAX), 0))).root, Leaf)
    assert isinstance(Shards.of(entries(dict.fromkeys(range(LEAF_MAX + 1), 0))).root, Branch)


@fixed
@given(contents, st.randoms(use_true_random=False), st.integers(1, 9))
def test_the_order_of_updates_leaves_no_trace(versions: dict[int, int], generator: object, batch: int) -> None:
    assert hasattr(generator, "shuffle")
    wanted, shuffled = Shards.of(entries(versions)), entries(versions)
    generator.shuffle(shuffled)
    assert Shards.of(shuffled).digest == wanted.digest
    grown = Shards.of([])
    for start in range(0, len(shuffled), batch):
        grown = grown.updated(entry(n, 9) for n in list(versions)[start : start + batch])
        grown = grown.updated(shuffled[start : start + batch])
    grown = grown.updated(shuffled)
    assert grown == wanted
    assert hash(grown) == hash(wanted)
    assert len(grown) == len(versions)
    assert {node.digest for node in grown.nodes()} == {node.digest for node in wanted.nodes()}


@fixed
@given(contents, contents)
def test_every_entry_is_found_and_no_other(there: dict[int, int], updates: dict[int, int]) -> None:
    shards = Shards.of(entries(there)).updated(entries(updates))
    both = there | updates
    assert {found.key: found for found in shards} == {wanted.key: wanted for wanted in entries(both)}
    for number in range(0, 401, 7):
        wanted = entry(number, both[number]) if number in both else None
        assert shards.get(entry(number, 0).key) == wanted


@fixed
@given(contents, contents)
def test_changes_are_those_of_a_plain_comparison(before: dict[int, int], now: dict[int, int]) -> None:
    was = {found.key: found for found in entries(before)}
    is_ = {found.key: found for found in entries(now)}
    keys: list[Key] = sorted(was.keys() | is_.keys())
    wanted = [(was.get(key), is_.get(key)) for key in keys if was.get(key) != is_.get(key)]
    assert Shards.of(entries(now)).changes(Shards.of(entries(before))) == wanted


@fixed
@given(contents)
def test_against_nothing_every_entry_is_a_change(now: dict[int, int]) -> None:
    shards = Shards.of(entries(now))
    assert [(None, found) for found in sorted(shards, key=lambda found: found.key)] == shards.changes(None)
    assert shards.changes(shards) == []


@fixed
@given(contents, contents)
def test_reading_gives_back_what_was_stored_and_fetches_only_what_differs(
    before: dict[int, int], updates: dict[int, int]
) -> None:
    old = Shards.of(entries(before))
    new = old.updated(entries(updates))
    known: dict[str, Node] = {node.digest: node for node in old.nodes()}
    asked: list[str] = []
    found = read_shards(new.digest, from_store(stored(old, new), asked), known)
    assert found == new
    assert list(found) == list(new)
    assert sorted(asked) == sorted(node.digest for node in new.nodes(known.__contains__))
    assert not set(asked) & known.keys()
    assert list(read_shards(new.digest, from_store(stored(new)), {})) == list(new)


@fixed
@given(st.integers(17, 120), st.data())
def test_any_octet_changed_or_node_missing_is_noticed(size: int, data: st.DataObject) -> None:
    shards = Shards.of(entries(dict.fromkeys(range(size), 1)))
    nodes = stored(shards)
    digest = data.draw(st.sampled_from(sorted(nodes)))
    octets = bytearray(nodes[digest])
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ShardDamaged, match="does not match its digest"):
        read_shards(shards.digest, from_store({**nodes, digest: bytes(octets)}), {})
    with pytest.raises(ShardDamaged, match="is missing"):
        read_shards(shards.digest, from_store({key: value for key, value in nodes.items() if key != digest}), {})


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "does not decode"),
        (b"\xc1", "does not decode"),
        (msgspec.msgpack.encode(["leaf", [["example.com"]]]), "does not decode"),
        (msgspec.msgpack.encode(["twig", []]), "does not decode"),
        (msgspec.msgpack.encode(["branch", ["", ""], 0]), "has 2 children instead of 16"),
    ],
)
def test_octets_that_match_their_digest_but_are_no_node_are_damage(octets: bytes, why: str) -> None:
    with pytest.raises(ShardDamaged, match=why):
        read_shards(digest_of(octets), from_store({digest_of(octets): octets}), {})


@pytest.mark.parametrize("name", ["www.example.net", "", "xexample.com", "com"])
def test_an_entry_that_is_not_in_its_zone_is_damage(name: str) -> None:
    """Nobody can say where its marker is: it must not reach whoever asks, for that ended every enactor."""
    there = stored(Shards.of([entry(2, 0), Entry("example.com", name, 1)]))
    (digest,) = there
    with pytest.raises(ShardDamaged, match="which is not in its zone"):
        read_shards(digest, lambda some: {one: there[one] for one in some}, {})


@fixed
@given(st.integers(0, 120))
def test_outlines_lead_from_the_root_to_every_node(size: int) -> None:
    shards = Shards.of(entries(dict.fromkeys(range(size), 1)))
    nodes, reached = stored(shards), set[str]()
    level, depth = {shards.digest}, 0
    while level:
        reached |= level
        outlines = [read_outline(digest, nodes[digest], depth) for digest in level]
        level = {child for outline in outlines if outline.branch for _, child in outline.children}
        depth += 1
    assert reached == nodes.keys()


def test_a_plan_is_named_by_all_of_its_record_and_entries() -> None:
    shards = Shards.of(entries({1: 1, 2: 1}))
    record = PlanRecord("main", 7, shards.digest, ("example.com",), (("fleet", 3),), "planner", "why", 12.5)
    plan = Plan(record, shards)
    found = read_plan(plan.digest, plan.stored, from_store(stored(shards)), {})
    assert found == plan
    assert found.record == record
    assert found.entry(entry(1, 0).key) == entry(1, 1)
    for other in (
        msgspec.structs.replace(record, generation=8),
        msgspec.structs.replace(record, author="somebody"),
        msgspec.structs.replace(record, shards=Shards.of(entries({1: 1})).digest),
    ):
        assert Plan(other, shards).digest != plan.digest
        with pytest.raises(ShardDamaged, match="does not match its digest"):
            read_plan(plan.digest, Plan(other, shards).stored, from_store(stored(shards)), {})
    octets = b"\x91\xa4main"
    with pytest.raises(ShardDamaged, match="does not decode"):
        read_plan(digest_of(octets), octets, from_store({}), {})


def test_whole_seconds_do_not_change_a_digest_on_the_way_through_a_store() -> None:
    departed = Entry("example.com", "www.example.com", 1, departures=(Departure("lb-1", 100, 1_700_000_000),))
    shards = Shards.of([departed])
    plan = Plan(PlanRecord("main", 1, shards.digest, ("example.com",), (), "", "", 1_700_000_000), shards)
    found = read_plan(plan.digest, plan.stored, from_store(stored(shards)), {})
    assert found.digest == plan.digest
    assert Shards.of(found.shards).digest == shards.digest
    assert [digest_of(node.stored) for node in found.shards.nodes()] == [shards.digest]


def test_a_plan_gives_entries_by_zone_with_the_first_entry_in_front() -> None:
    first = Entry("example.com", "main._first.example.com", 1, kind="first")
    shards = Shards.of([*entries({2: 0, 1: 0, 4: 0}), first])
    plan = Plan(
        PlanRecord("main", 1, shards.digest, ("example.com", "example.net", "empty.org"), (), "", "", 0.0), shards
    )
    assert {zone: [found.name for found in held] for zone, held in plan.by_zone.items()} == {
        "example.com": ["main._first.example.com", "svc-2.example.com", "svc-4.example.com"],
        "example.net": ["svc-1.example.net"],
        "empty.org": [],
    }
