"""Plans as earlier versions of Standfast stored them, byte for byte: readable and kept so, or refused in words."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from standfast.adapters.stores.diskcopy import DiskCopy
from standfast.adapters.stores.s3_packs import decode_pack, encode_pack
from standfast.adapters.stores.sqlite import SqliteStore
from standfast.model.entry import Departure, Entry, Member
from standfast.model.plan import Plan, PlanRecord, read_plan
from standfast.model.rrset import addresses
from standfast.model.shards import Leaf, Shards, ShardStrange, digest_of
from standfast.ports.local import KeepCopy, Kept, RecallCopy
from standfast.ports.provider import Unknown
from standfast.ports.store import PlanRead, Publish, Published, ReadPlan

ZONE = "example.com"
FROZEN = {
    "the first": (
        "1f6fc96bf63666afbe648bf062798bc4",
        "99a46d61696e04d920643237356664616537396136373032363163303665373964633464366336346191ab6578616d706c65"
        "2e636f6d9192a5666c65657407a9706c616e6e65722070a96c622d33206c656674cb41da492040000000a0",
        "92a46c656166939bab6578616d706c652e636f6dab6578616d706c652e636f6d01a566697273749090a0a09090a09bab6578"
        "616d706c652e636f6daf6f6c642e6578616d706c652e636f6d02a7726574697265649090a0a09090a09bab6578616d706c65"
        "2e636f6daf7777772e6578616d706c652e636f6d03a46c6976659193013c92c404c0000201c404c000020291920101a0a36f"
        "70739395a46c622d3191a93139322e302e322e310ac3a2757095a46c622d3291a93139322e302e322e320ac3a2757095a46c"
        "622d3391a93139322e302e322e330ac2ad646f776e3a20726566757365649193a46c622d330acb41da492040000000a46e6f"
        "7465",
    ),
    "with turns of a rotation, kinds and what followed others": (
        "d35c870e8d4505b0abe131c7d8017ed0",
        "99a46d61696e04d920353262363063323438666532363465333863333934663835643264333639666391ab6578616d706c65"
        "2e636f6d9192a5666c65657407a9706c616e6e65722070a96c622d33206c656674cb41da492040000000a0",
        "92a46c656166939fab6578616d706c652e636f6dab6578616d706c652e636f6d01a566697273749090a0a09090a090a0a0c0"
        "9fab6578616d706c652e636f6daf6f6c642e6578616d706c652e636f6d02a7726574697265649090a0a09090a090a0a0c09f"
        "ab6578616d706c652e636f6daf7777772e6578616d706c652e636f6d03a46c6976659193013c92c404c0000201c404c00002"
        "0291920101a0a36f70739395a46c622d3191a93139322e302e322e310ac3a2757095a46c622d3291a93139322e302e322e32"
        "0ac3a2757095a46c622d3391a93139322e302e322e330ac2ad646f776e3a20726566757365649195a46c622d330acb41da49"
        "204000000000a0a46e6f746590a0a0c0",
    ),
    "with a name and its zone in each member": (
        "346ecb65f12504de339ae83ee6b1368a",
        "99a46d61696e04d920346637353466633932363937326161616134643562306263316164306335316391ab6578616d706c65"
        "2e636f6d9192a5666c65657407a9706c616e6e65722070a96c622d33206c656674cb41da492040000000a0",
        "92a46c65616693dc0012ab6578616d706c652e636f6dab6578616d706c652e636f6d01a566697273749090a0a09090a090a0"
        "a0c0a4666c6174c290dc0012ab6578616d706c652e636f6daf6f6c642e6578616d706c652e636f6d02a77265746972656490"
        "90a0a09090a090a0a0c0a4666c6174c290dc0012ab6578616d706c652e636f6daf7777772e6578616d706c652e636f6d03a4"
        "6c6976659193013c92c404c0000201c404c000020291920101a0a36f70739398a46c622d3191a93139322e302e322e310ac3"
        "a27570a468632d31a0a098a46c622d3291a93139322e302e322e320ac3a27570a0a0a098a46c622d3391a93139322e302e32"
        "2e330ac2ad646f776e3a2072656675736564a0a0a09195a46c622d330acb41da49204000000000a0a46e6f746590a0a0c0a4"
        "666c6174c290",
    ),
    "these, and the part that counts after them": (
        "5528ec3a0e861bf968e11becdf31a85d",
        "99a46d61696e04d920663562373737323662363762353830643937343532366264306134346538336191ab6578616d706c65"
        "2e636f6d9192a5666c65657407a9706c616e6e65722070a96c622d33206c656674cb41da492040000000a0",
        "92a46c65616693dc0012ab6578616d706c652e636f6dab6578616d706c652e636f6d01a566697273749090a0a09090a090a0"
        "a0c0a4666c6174c290dc0012ab6578616d706c652e636f6daf6f6c642e6578616d706c652e636f6d02a77265746972656490"
        "90a0a09090a090a0a0c0a4666c6174c290dc0012ab6578616d706c652e636f6daf7777772e6578616d706c652e636f6d03a4"
        "6c6976659193013c92c404c0000201c404c000020291920101a0a36f70739399a46c622d3191a93139322e302e322e310ac3"
        "a27570a468632d31a0a03299a46c622d3291a93139322e302e322e320ac3a27570a0a0a06499a46c622d3391a93139322e30"
        "2e322e330ac2ad646f776e3a2072656675736564a0a0a0649195a46c622d330acb41da49204000000000a0a46e6f746590a0"
        "a0c0a4666c6174c290",
    ),
    "without what stood before": (
        "c13d132675b7259163f3414dbad8bea3",
        "99a46d61696e04d920373435393363353135316461323834663964336562636230666137643964643491ab6578616d706c65"
        "2e636f6d9192a5666c65657407a9706c616e6e65722070a96c622d33206c656674cb41da492040000000a0",
        "92a46c65616693dc0012ab6578616d706c652e636f6dab6578616d706c652e636f6d01a566697273749090a0a09090a090a0"
        "a0c0a4666c6174c290dc0012ab6578616d706c652e636f6daf6f6c642e6578616d706c652e636f6d02a77265746972656490"
        "90a0a09090a090a0a0c0a4666c6174c290dc0012ab6578616d706c652e636f6daf7777772e6578616d706c652e636f6d03a4"
        "6c6976659193013c92c404c0000201c404c000020291920101a0a36f70739397a46c622d3191a93139322e302e322e310ac3"
        "a27570a468632d313297a46c622d3291a93139322e302e322e320ac3a27570a06497a46c622d3391a93139322e302e322e33"
        "0ac2ad646f776e3a2072656675736564a0649195a46c622d330acb41da49204000000000a0a46e6f746590a0a0c0a4666c61"
        "74c290",
    ),
}
"""By what set them apart: digest, record and one leaf. Never write one of these anew: that is what they are for."""

each = pytest.mark.parametrize("form", FROZEN)


def read(form: str) -> Plan:
    digest, record, leaf = FROZEN[form]
    octets = bytes.fromhex(leaf)
    return read_plan(digest, bytes.fromhex(record), lambda _: {digest_of(octets): octets}, {})


def wanted(form: str) -> list[Entry]:
    """What was put there, as this version has it."""
    check = "" if form.startswith(("the first", "with turns")) else "hc-1"
    eased = 50 if form.startswith(("these", "without")) else 100
    members = (
        Member("lb-1", ("192.0.2.1",), 10, True, "up", check, eased),
        Member("lb-2", ("192.0.2.2",), 10, True, "up"),
        Member("lb-3", ("192.0.2.3",), 10, False, "down: refused"),
    )
    return [
        Entry(ZONE, ZONE, 1, "first"),
        Entry(ZONE, f"old.{ZONE}", 2, "retired"),
        Entry(
            ZONE, f"www.{ZONE}", 3, "live", addresses(60, ("192.0.2.1", "192.0.2.2")), ((1, 1),), "", "ops", members,
            (Departure("lb-3", 10, 1764000000.0),), "note",
        ),
    ]  # fmt: skip


@each
def test_it_is_read_as_it_was_meant_under_the_name_it_has(form: str) -> None:
    plan = read(form)
    assert sorted(plan.shards, key=lambda entry: entry.name) == wanted(form)
    assert plan.record.sources == (("fleet", 7),)
    assert plan.digest == FROZEN[form][0], "head would never be found"
    assert [digest_of(node.stored) for node in plan.shards.nodes()] == [plan.record.shards]
    assert plan.shards.changes(Shards.of(wanted(form))) == [], "other bytes, and no change"


@each
def test_it_is_copied_and_packed_under_that_name(form: str, tmp_path: Path) -> None:
    """An enactor keeps it on its own disk, and the next plan's pack in S3 has the shards that did not change."""
    plan = read(form)
    copy = DiskCopy(tmp_path / "copy")
    assert copy.perform(KeepCopy(plan)) == Kept()
    assert copy.last_error == ""
    copy.close()
    found = DiskCopy(tmp_path / "copy").perform(RecallCopy())
    assert isinstance(found, PlanRead), found
    assert sorted(found.plan.shards, key=lambda entry: entry.name) == wanted(form)
    for digest, octets in decode_pack("one", encode_pack(plan, list(plan.shards.nodes()))).items():
        assert digest_of(octets) == digest


@each
def test_the_next_plan_carries_it_on(form: str, tmp_path: Path) -> None:
    before, store = read(form), SqliteStore(tmp_path / "store")
    assert store.perform(Publish(None, before)) == Published()
    others = [Entry(ZONE, f"svc-{number}.{ZONE}", 5) for number in range(60)]
    shards = before.shards.updated(others)
    plan = Plan(PlanRecord("main", 5, shards.digest, (ZONE,), (), "p", "more", 1.0), shards)
    assert store.perform(Publish(before.head, plan)) == Published()
    for one in (before, plan):
        found = SqliteStore(tmp_path / "store").perform(ReadPlan(one.digest))
        assert isinstance(found, PlanRead), found
        assert found.plan == one
    assert store.check() == []


def strange(*, layout: str = "flat", alias: str = "") -> Plan:
    """What a version that is not this one may have stored: a layout of its own, or a dropped field that was filled."""
    tag, entries = msgspec.msgpack.decode(bytes.fromhex(FROZEN["with a name and its zone in each member"][2]))
    entries[2][15] = layout
    entries[2][8][0][6] = alias
    octets = msgspec.msgpack.encode([tag, entries])
    shards = Shards(Leaf((), digest_of(octets), octets))
    return Plan(PlanRecord("main", 9, shards.digest, (ZONE,), (), "p", "", 1.0), shards)


@pytest.mark.parametrize("plan", [strange(layout="mesh"), strange(alias="edge.example.net")], ids=["layout", "alias"])
def test_what_cannot_be_understood_is_no_damage_and_told_so(plan: Plan, tmp_path: Path) -> None:
    """Nobody is to throw a store away for it, as for one that is damaged."""
    octets = next(plan.shards.nodes()).stored
    with pytest.raises(ShardStrange, match=r"(?s)does not decode: .*\$\[1\]\[2\]"):
        read_plan(plan.digest, plan.stored, lambda _: {digest_of(octets): octets}, {})
    store = SqliteStore(tmp_path / "store")
    assert store.perform(Publish(None, plan)) == Published()
    reply = SqliteStore(tmp_path / "store").perform(ReadPlan(plan.digest))
    assert isinstance(reply, Unknown)
    for text in (reply.why, *store.check()):
        assert "what another version of Standfast wrote" in text
        assert "run the version that wrote it, or a newer one" in text
        assert "damaged" not in text
