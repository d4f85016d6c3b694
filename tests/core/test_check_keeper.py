"""Health checks of the provider: made once whatever is lost, kept, mended, and never taken back from the doomed."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from harness.checkdesk import Account
from standfast.core.checkkeeper import CheckTask, Kept, keep
from standfast.model.check import (
    BALANCER_TAG,
    STREAM_TAG,
    ZONE_TAG,
    BalancerCheck,
    CheckSettings,
    WantedCheck,
    check_for,
    healthy,
)

ZONE = "lb.example.com"


def wanted(name: str, *addresses: str, path: str = "/healthz", switch: bool = False) -> WantedCheck:
    parts = [(text, CheckSettings("HTTP", text, port=80, path=path)) for text in addresses]
    if switch:
        parts.append(("switch", CheckSettings("HTTPS", name="s.example.net", port=443, path=f"/{name}", inverted=True)))
    return WantedCheck(name, addresses, tuple(parts))


A, B = wanted("lb-a", "192.0.2.1"), wanted("lb-b", "192.0.2.2", "2001:db8::2")


def task(*some: WantedCheck, **more: object) -> CheckTask:
    return CheckTask("main", ZONE, some, **more)  # type: ignore[arg-type]


def passed(account: Account, given: CheckTask) -> Kept:
    """A whole pass."""
    phase = keep(given)
    while not isinstance(phase, Kept):
        phase = phase.heard(account.perform(phase.request))  # type: ignore[arg-type]
    return phase


def cut_off(account: Account, given: CheckTask, after: int) -> None:
    """A pass whose process died after so many requests."""
    phase = keep(given)
    for _ in range(after):
        if isinstance(phase, Kept):
            return
        phase = phase.heard(account.perform(phase.request))  # type: ignore[arg-type]


def test_one_check_an_address_and_one_that_counts_them() -> None:
    account = Account()
    kept = passed(account, task(A, B))
    assert not kept.why
    assert not kept.troubles
    by_name = {one.load_balancer: one for one in kept.checks}
    assert len(by_name["lb-a"].ids) == 1
    assert len(by_name["lb-b"].ids) == 3
    whole = account.checks[by_name["lb-b"].id].settings
    assert whole is not None
    assert whole.kind == "CALCULATED"
    assert whole.least == 2
    assert set(whole.children) == by_name["lb-b"].ids - {by_name["lb-b"].id}
    for one in account.checks:
        assert (account.tags[one][STREAM_TAG], account.tags[one][ZONE_TAG]) == ("main", ZONE)
    assert account.tags[by_name["lb-a"].id][BALANCER_TAG] == "lb-a"
    assert passed(account, task(A, B, known=kept.checks)) == replace(kept, made=0), "known: nothing is asked"


def test_never_two_of_one_whatever_is_lost_and_whoever_dies() -> None:
    """Several planners, each pass cut off after any number of requests, any one reply lost: one check of each."""
    for lost, died in itertools.product(range(9), range(10)):
        account = Account(lost={lost})
        cut_off(account, task(A, B), died)
        others = [passed(account, task(A, B)) for _ in range(3)]
        last = others[-1]
        assert not last.why, (lost, died)
        assert account.made == len(account.checks) == 4, f"made twice: reply {lost} lost, died after {died}"
        assert frozenset().union(*(one.ids for one in last.checks)) == account.checks.keys()
        assert all(STREAM_TAG in account.tags[one] for one in account.checks)


def test_a_spent_reference_and_a_doomed_check_give_way_to_the_next_turn() -> None:
    account = Account()
    first = passed(account, task(A))
    old = first.checks[0].id
    doomed = passed(account, task(A, known=first.checks, doomed=frozenset({old})))
    assert doomed.checks[0].id != old, "a doomed check was used again"
    del account.checks[old]
    again = passed(account, task(A))
    assert again.checks[0].id == doomed.checks[0].id, "found again by its reference"


@pytest.mark.parametrize("audit", [False, True])
def test_what_cant_be_asked_changes_nothing(audit: bool) -> None:
    account = Account()
    first = passed(account, task(A))
    account.away = "AWS is away"
    moved = wanted("lb-a", "192.0.2.1", path="/other")
    kept = passed(account, task(moved, B, known=first.checks, audit=audit))
    assert kept.checks == first.checks, "G6: unknown is not empty"
    assert "away" in kept.why


def test_a_used_up_quota_spends_no_reference_after_the_other() -> None:
    """Part of a check is made, the quota ends it, a cleaner takes what nobody shares: again and again, for weeks."""
    account, known = Account(), passed(Account(), task()).checks
    account.quota = 2
    for away in ("", "", "AWS is away", "", ""):
        account.away = away
        kept = passed(account, task(B, known=known))
        known = kept.checks
        assert kept.why or kept.troubles
        assert check_for(known, "lb-b", B.addresses) == "", "not whole: nothing names it"
        shared = frozenset().union(*(one.ids for one in known))
        for spare in account.checks.keys() - shared:
            del account.checks[spare]
    account.quota = 100
    kept = passed(account, task(B, known=known))
    assert not kept.troubles
    assert check_for(kept.checks, "lb-b", B.addresses)
    assert len(kept.checks) == 1
    assert account.made == 3, "each was made once"
    assert passed(account, task(known=known)).checks == (), "who is wanted no more leaves no parts"


def test_a_refusal_concerns_one_and_many_end_the_pass() -> None:
    account = Account()
    account.refusing = "InvalidInput: private address"
    some = [wanted(f"lb-{number}", f"192.0.2.{number}") for number in range(1, 9)]
    kept = passed(account, task(*some))
    assert kept.checks == ()
    assert len(kept.troubles) == 3
    assert account.asked == 3, "a missing right is not asked for once a load balancer"


def test_other_settings_are_another_check_and_the_old_one_serves_until_it_is_there() -> None:
    account = Account()
    first = passed(account, task(A))
    moved = wanted("lb-a", "192.0.2.1", path="/other")
    account.refusing = "quota"
    waiting = passed(account, task(moved, known=first.checks))
    assert waiting.checks == first.checks
    account.refusing = ""
    after = passed(account, task(moved, known=first.checks, named=first.checks[0].ids))
    assert len(after.checks) == 1
    assert after.checks[0].id != first.checks[0].id


def test_who_leaves_keeps_its_check_while_a_plan_names_it() -> None:
    account = Account()
    first = passed(account, task(A, B))
    mine = next(one for one in first.checks if one.load_balancer == "lb-a")
    leaving = passed(account, task(B, known=first.checks, named=mine.ids))
    assert mine in leaving.checks
    gone = passed(account, task(B, known=first.checks))
    assert mine not in gone.checks
    barred = passed(account, task(B, known=first.checks, named=mine.ids, barred=frozenset({"lb-a"})))
    assert mine not in barred.checks
    there = wanted("lb-a", "192.0.2.9")
    moved = passed(account, task(there, B, known=first.checks, named=mine.ids))
    assert check_for(moved.checks, "lb-a", ("192.0.2.1",)) == mine.id
    assert check_for(moved.checks, "lb-a", ("192.0.2.9",)) not in ("", mine.id)


def test_an_edited_check_is_set_back_once_and_a_deleted_one_made_anew() -> None:
    account = Account()
    first = passed(account, task(A, B))
    mine = next(one.id for one in first.checks if one.load_balancer == "lb-a")
    account.edit(mine, disabled=True)
    mended = passed(account, task(A, B, known=first.checks, audit=True))
    assert mended.mended == (mine,)
    assert mended.checks == first.checks
    settings = account.checks[mine].settings
    assert settings is not None
    assert not settings.disabled
    account.edit(mine, inverted=True)
    left = passed(account, task(A, B, known=first.checks, audit=True, leave=frozenset({mine})))
    assert left.left == (mine,)
    assert not left.mended
    del account.checks[mine]
    anew = passed(account, task(A, B, known=first.checks, audit=True))
    assert len(account.checks) == 4
    assert mine not in frozenset().union(*(one.ids for one in anew.checks))


def test_what_the_checkers_say() -> None:
    assert healthy([]) is None
    assert healthy([True, *[False] * 5]) is False
    assert healthy([True, *[False] * 4]) is True
    assert healthy([True] * 3, inverted=True) is False
    assert check_for((BalancerCheck("lb", ("a", "b"), "x", "", ()),), "lb", ("a",)) == "x"
    assert check_for((BalancerCheck("lb", ("a",), "x", "", ()),), "lb", ("a", "b")) == ""
