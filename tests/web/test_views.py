"""The views as values: folding, sparks, lanes, moments, addresses of the page."""

from __future__ import annotations

import pytest

from standfast.runtime.pulses import Pulse
from standfast.runtime.tailing import Event, read_event
from standfast.web import lanes
from standfast.web.fleetview import spark
from standfast.web.moments import parsed, stamp, stamped, utc
from standfast.web.page import Question, question

NOON = 1_795_867_200.0
"""2026-11-28 12:00:00 UTC."""


def test_moments_are_utc_and_machines_can_read_them() -> None:
    assert utc(NOON) == "2026-11-28 12:00:00 UTC"
    assert stamp(NOON, NOON + 60) == (
        '<time datetime="2026-11-28T12:00:00Z" title="2026-11-28 12:00:00 UTC">12:00:00</time>'
    )
    assert ">27 Nov 12:00<" in stamp(NOON - 86_400, NOON)
    assert stamp(None, NOON) == "–"
    assert utc(1e20) == "–"


def test_clock_times_in_a_sentence_become_times_and_the_rest_is_escaped() -> None:
    text = stamped('www <b> since 03:04:12 by 2026-11-27 23:00:01, not 99:99:99: "x"', NOON)
    assert text.startswith('www &lt;b&gt; since <time datetime="2026-11-28T03:04:12Z"')
    assert 'datetime="2026-11-27T23:00:01Z"' in text
    assert "not 99:99:99: &#34;x&#34;" in text


@pytest.mark.parametrize(
    "text",
    ["", "x", "1e5", "-5", "9" * 30, "2026-13-01", "nan", "inf", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "٣٣"],
)
def test_no_moment(text: str) -> None:
    assert parsed(text) is None


def test_an_address_of_the_page_comes_back_as_it_was_asked() -> None:
    asked = Question(at=NOON + 0.5, start=NOON - 60, end=NOON, opened="www.lb.example.com", link="planner", query="w",
                     every=True, page=3, fleet=True)  # fmt: skip
    told = dict(part.split("=") for part in asked.but()[1:].split("&"))
    assert question(told) == asked
    assert Question().but() == "./"
    assert Question(opened="a b&c").but() == "?open=a+b%26c"
    assert question({"page": "x", "link": "<script>", "at": "x"}) == Question()


def test_a_spark_has_the_newest_check_at_the_right() -> None:
    one = spark(Pulse("..xx?", 12.0, "timeout"))
    assert one.passed == "M110 9h4v3h-4z"
    assert one.failed == "M114 1h4v11h-4z"
    assert one.nothing == "M118 6h2v2h-2z"
    assert one.words == "2/5 failed"


def verdict_at(at: float, name: str, state: str) -> Event:
    moment = utc(at).replace(" UTC", "Z").replace(" ", "T")
    line = f'{{"v":2,"at":"{moment}","role":"planner","who":"p","event":"verdict","load_balancer":"{name}",' \
           f'"state":"{state}","reason":"r"}}'  # fmt: skip
    event = read_event(line.encode())
    assert event is not None
    return event


def test_close_marks_become_one_and_the_worst_gives_its_shape() -> None:
    some = [verdict_at(NOON + 3600, "lb-1", "up"), verdict_at(NOON + 3610, "lb-2", "down")]
    some += [verdict_at(NOON + 7200 + n, f"lb-{n}", "up") for n in range(500)]
    seen = lanes.lanes(some, NOON, NOON + 21_600, NOON + 10_800, None)
    health = seen.rows[0]
    assert health.count == 502
    assert len(health.marks) <= 5
    assert (health.marks[0].tone, health.marks[0].label) == ("bad", "lb-1 lb-2")
    assert health.marks[0].x == pytest.approx(16.67)
    assert seen.cursor == 50
    assert [tick.text for tick in seen.ticks] == ["13:00", "14:00", "15:00", "16:00", "17:00"]


def test_no_mark_stands_in_the_label_of_another() -> None:
    """An hour of trouble at the end of six: marks lie side by side there."""
    near = [verdict_at(NOON + 18_000 + 600 * n, f"load-balancer-{n}", "down") for n in range(4)]
    marks = lanes.lanes(near, NOON, NOON + 21_600, None, None).rows[0].marks
    assert len(marks) == 4
    assert all(not one.label for one in marks[:-1])
    far = [verdict_at(NOON + 1800, "lb-1", "down"), verdict_at(NOON + 9000, "lb-2", "down")]
    assert [one.label for one in lanes.lanes(far, NOON, NOON + 21_600, None, None).rows[0].marks] == ["lb-1", "lb-2"]


@pytest.mark.parametrize(
    ("start", "end", "at"),
    [
        (None, None, None),
        (5.0, 1.0, None),
        (0.0, 9e9, None),
        (NOON, NOON, None),
        (None, None, NOON - 1e6),
        (1.0, None, 7.0),
    ],
)
def test_bounds_are_sane(start: float | None, end: float | None, at: float | None) -> None:
    first, last = lanes.bounds(start, end, NOON, at)
    assert lanes.SPAN_LEAST_S <= last - first <= lanes.SPAN_MOST_S
    if at is not None and start is None:
        assert first <= at <= last
