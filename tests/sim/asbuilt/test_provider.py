"""The provider's rules, each seen to hold and seen to refuse."""

import pytest

from standfast.sim.asbuilt import batches, plans
from standfast.sim.asbuilt.route53 import Applied, Batch, Change, HostedZone, RecordSet, Refused, apply, resolve

APEX = plans.ENDPOINTS[0]


def done(zone: HostedZone, *batch: Batch) -> HostedZone:
    """The zone after batches that must succeed."""
    for one in batch:
        reply = apply(zone, one)
        assert isinstance(reply, Applied), reply
        zone = reply.zone
    return zone


def installed(tree: int) -> HostedZone:
    return done(HostedZone(APEX), batches.built(APEX, tree), batches.moved(APEX, tree))


def test_a_root_leads_through_the_weighted_set_to_the_leaves() -> None:
    zone = installed(7)
    status, addresses = resolve(zone, APEX)
    assert (status, len(addresses)) == ("NOERROR", 3)
    assert addresses == tuple(f"192.0.2.{number}" for number in sorted(plans.load_balancers(7)))
    assert resolve(zone, f"nothing.{APEX}") == ("NXDOMAIN", ())


def test_what_an_alias_refers_to_may_be_deleted_and_then_the_answer_is_no_data() -> None:
    zone = done(installed(7), batches.swept(APEX, (7,)))
    assert resolve(zone, APEX) == ("NOERROR", ())
    assert plans.root(zone) == 7
    assert plans.trees(zone) == ()


def test_an_alias_of_nothing_cannot_be_written() -> None:
    zone = installed(7)
    reply = apply(zone, batches.moved(APEX, 8))
    assert isinstance(reply, Refused)
    assert reply.found == f"no plan-8.{APEX}"


def test_a_member_of_weight_zero_is_never_drawn() -> None:
    zone = installed(7)
    member = plans.weighted(APEX, 7)[0]
    asleep = RecordSet(member.name, member.type, member.identifier, alias=member.alias, weight=0)
    assert len(resolve(done(zone, (Change("UPSERT", asleep),)), APEX)[1]) == 2


@pytest.mark.parametrize(
    ("batch", "found"),
    [
        pytest.param(batches.taken(APEX, "", "mine"), "theirs", id="create-what-exists"),
        pytest.param(batches.taken(APEX, "mine", "mine later"), "theirs", id="delete-with-other-contents"),
        pytest.param(batches.released(APEX, "mine"), "theirs", id="release-of-a-lock-that-was-broken"),
        pytest.param(batches.fenced(APEX, "6", 7), "nothing", id="a-marker-that-is-not-there"),
        pytest.param(batches.asserted(APEX, 6, 0), f"plan-7.{APEX}", id="an-alias-that-moved"),
        pytest.param(batches.asserted(APEX, 0, 0), f"plan-7.{APEX}", id="an-alias-made-since"),
    ],
)
def test_one_line_refused_is_all_refused(batch: Batch, found: str) -> None:
    zone = done(installed(7), batches.taken(APEX, "", "theirs"))
    reply = apply(zone, (*batches.built(APEX, 8), *batch))
    assert isinstance(reply, Refused)
    assert reply.found == found
    assert 8 not in plans.trees(zone)


def test_an_assertion_that_holds_changes_nothing() -> None:
    zone = done(installed(7), batches.rolled(APEX, 7))
    assert done(zone, batches.asserted(APEX, 7, 7)) == zone
    assert done(installed(7), batches.asserted(APEX, 7, 0)) == installed(7)
