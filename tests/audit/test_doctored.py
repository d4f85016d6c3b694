"""Real journals, doctored to contain one violation each: the audit names the guarantee and both places."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from audit.recorded import Doctored, Line, record_run
from audit.test_histories import journalled
from standfast.audit.judge import Report, audit

Doctor = Callable[[Doctored], None]
SEED = 7


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journals of a planner, two enactors and a cleaner."""
    folder = tmp_path_factory.mktemp("run")
    record_run(folder, SEED)
    return folder / "journal"


@pytest.fixture
def given(run: Path, tmp_path: Path) -> Doctored:
    """A copy of them."""
    return Doctored(Path(shutil.copytree(run, tmp_path / "journal")))


def blamed(report: Report) -> list[str]:
    """Which guarantees, and why."""
    return [f"{one.guarantee}: {one.text} ({', '.join(map(str, one.places))})" for one in report.violations]


def judged(given: Doctored) -> Report:
    """What the audit says of the lines as they are now."""
    given.save()
    return audit([given.folder])


def written(given: Doctored, name: str = "www.") -> list[tuple[str, int, Line, Line]]:
    """Its writes that are told as written, in the order of since."""
    told = {(o["nonce"], o["name"]) for _, _, o in given.lines("outcome") if o["result"] == "written"}
    found = [one for one in given.writes() if one[3]["name"].startswith(name)]
    return sorted((one for one in found if (one[2]["nonce"], one[3]["name"]) in told), key=lambda one: one[3]["since"])


def test_the_run_itself_is_clean(given: Doctored) -> None:
    report = judged(given)
    assert not blamed(report)
    verdicts = {one.guarantee: one.verdict for one in report.judged}
    assert {verdict for guarantee, verdict in verdicts.items() if guarantee != "G10"} == {"holds"}


def no_addresses(given: Doctored) -> None:
    written(given)[2][3]["answers"] = {}


def a_marker_alone(given: Doctored) -> None:
    """As a freeze does it; but a plan puts contents."""
    written(given)[2][3].update(act="mark", answers={})


def an_empty_plan(given: Doctored) -> None:
    next(iter(given.lines("planned")))[2]["changes"][0]["answers"] = {}


def a_step_back(given: Doctored) -> None:
    """The last write of www goes to the since before that of its predecessor, with the contents of then."""
    *_, older, before, last = written(given)
    intent, write = last[2], last[3]
    for _, _, outcome in given.lines("outcome"):
        if outcome["nonce"] == intent["nonce"] and outcome["name"] == write["name"]:
            outcome["since"] = older[3]["since"]
    assert write["over"] == before[2]["nonce"]
    write.update(since=older[3]["since"], contents=older[3]["contents"])
    write["puts"]["since"] = older[3]["since"]
    del given.files["cleaner-c.jsonl"]


def two_over_one(given: Doctored) -> None:
    """Compare-and-set did not hold: two changes replaced one marker."""
    first, second, third = written(given)[-3:]
    assert third[3]["over"] == second[2]["nonce"]
    third[3].update(over=second[3]["over"], before=second[3]["before"])
    assert first[2]["nonce"] == second[3]["over"]


def a_lower_floor(given: Doctored) -> None:
    """A write of a plan above the floor lowers the floor."""
    found = [line for _, _, line in given.lines("intent") if line["floor"]["sets"] and line["floor"]["generation"]]
    found[-1]["floor"]["sets"] = found[-1]["floor"]["generation"] - 1


def no_prerequisites(given: Doctored) -> None:
    written(given)[-1][3]["found"] = "unasserted"


def collected_above_the_lowest(given: Doctored) -> None:
    line = next(line for _, _, line in given.lines("collected"))
    line["generations"].append(line["lowest"])


def collected_the_head(given: Doctored) -> None:
    line = next(line for _, _, line in given.lines("collected"))
    line["generations"].append(line["head"])


def collected_what_a_chain_needs(given: Doctored) -> None:
    """The collection itself tells nothing wrong; only the chains know where the endpoints are."""
    line = next(line for _, _, line in given.lines("collected"))
    reached = [max(one[3]["since"] for one in written(given, label)) for label in ("www.", "api.")]
    line["generations"] = [min(reached)]
    line["lowest"] = line["head"] = 10_000


def _operators_say(given: Doctored, *said: Line) -> None:
    common = {"v": 2, "at": "2026-01-01T00:00:00.000Z", "role": "operator", "who": "bob@ops1", "event": "operator"}
    stream = next(line for _, _, line in given.lines("collected"))["stream"]
    given.files["operator-bob@ops1.jsonl"] = [{**common, "stream": stream, **one} for one in said]


def collected_what_was_pinned(given: Doctored) -> None:
    generation = next(line for _, _, line in given.lines("collected"))["generations"][0]
    _operators_say(given, {"action": "pin", "stage": "pinned", "to": generation})


def not_what_the_plan_says(given: Doctored) -> None:
    written(given)[-1][3]["contents"] = "0" * 16


def unknown_health(given: Doctored) -> None:
    leaving = [one for _, _, line in given.lines("planned") for change in line["changes"] for one in change["leaving"]]
    leaving[0]["state"] = "unknown"


def an_unknown_source(given: Doctored) -> None:
    next(line for _, _, line in given.lines("planned"))["sources"]["fleet"] = 0


def an_older_source(given: Doctored) -> None:
    list(given.lines("planned"))[-1][2]["sources"]["health"] = 1


def too_many_leave(given: Doctored) -> None:
    """Two of six may leave in ten minutes; what left weighs more than was told to the planner."""
    for _, _, line in given.lines("planned"):
        for change in line["changes"]:
            change["limits"]["share"] = 0.2


def a_departure_forgotten(given: Doctored) -> None:
    remembering(given)[1]["departures"].pop(0)


def remembering(given: Doctored) -> tuple[Line, Line]:
    """A plan, and an endpoint in it, that remembers what left by an earlier plan of this window."""
    for _, _, line in given.lines("planned"):
        for change in line["changes"]:
            if any(at < line["planned_at"] < at + 600 for _, _, at, _ in change["departures"]):
                return line, change
    raise AssertionError("no plan remembers anything")


def leaving_in_a_panic(given: Doctored) -> None:
    for _, _, line in given.lines("planned"):
        for change in line["changes"]:
            change["limits"]["hold_below"] = 1.0


def leaving_without_reason(given: Doctored) -> None:
    change = next(one for _, _, line in given.lines("planned") for one in line["changes"] if one["leaving"])
    change["leaving"][0]["why"] = ""


def leaving_unrecorded(given: Doctored) -> None:
    change = next(one for _, _, line in given.lines("planned") for one in line["changes"] if not one["leaving"])
    change["removed"] = ["lb-6"]


def over_a_frozen_marker(given: Doctored) -> None:
    written(given)[-1][3]["found"] = "frozen"


def over_a_seal(given: Doctored) -> None:
    """An operator froze the endpoint, and a write was made over that very marker."""
    *_, before, last = written(given)
    assert last[3]["over"] == before[2]["nonce"]
    before[3]["puts"]["state"] = "frozen"


def under_a_frozen_floor(given: Doctored) -> None:
    written(given)[-1][2]["floor"]["found"] = "frozen"


def under_a_tombstone(given: Doctored) -> None:
    written(given)[-1][3]["found"] = "retired"


def over_another_stream(given: Doctored) -> None:
    written(given)[-1][3]["found"] = "foreign"


def no_intent(given: Doctored) -> None:
    name, number, _, _ = written(given)[-1]
    del given.files[name][number - 1]


def another_endpoint(given: Doctored) -> None:
    _, _, outcome = next(one for one in given.lines("outcome") if one[2]["name"].startswith("www."))
    outcome["name"] = "mail.lb.example.com"


def another_process(given: Doctored) -> None:
    name, number, intent, _ = written(given)[-1]
    other = next(one for one in given.files if one.startswith("enactor") and one != name)
    given.files[other].append(given.files[name].pop(number - 1))
    assert intent in given.files[other]


def told_twice(given: Doctored) -> None:
    """The chain shows that it landed, and its sender told of a conflict."""
    _, _, intent, write = written(given)[0]
    for _, _, outcome in given.lines("outcome"):
        if outcome["nonce"] == intent["nonce"]:
            outcome["result"] = "conflict"
    assert write


def one_nonce_twice(given: Doctored) -> None:
    name, number, intent, _ = written(given)[-1]
    given.files[name].insert(number, intent)


@pytest.mark.parametrize(
    ("doctor", "guilty", "words"),
    [
        (no_addresses, "G1", "0 A where min_answers is 2"),
        (a_marker_alone, "G1", "a marker is put and nothing else"),
        (an_empty_plan, "G1", "a plan gives it 0 A where min_answers is"),
        (a_step_back, "G2", "is written over"),
        (two_over_one, "G2", "two changes replaced the marker"),
        (a_lower_floor, "G2", "sets the floor to|the floor is lowered|goes back"),
        (no_prerequisites, "G2", "does not assert what it replaces"),
        (collected_above_the_lowest, "G3", "a marker stood at since"),
        (collected_the_head, "G3", "was the newest plan"),
        (collected_what_a_chain_needs, "G3", "was collected, and .* is at since"),
        (collected_what_was_pinned, "G3", "was collected, and was pinned"),
        (not_what_the_plan_says, "G4", "is not what g[0-9]+ says"),
        (unknown_health, "G6", "its health is unknown"),
        (an_unknown_source, "G6", "fleet was unknown"),
        (an_older_source, "G6", "planned from health 1, older than"),
        (too_many_leave, "G7", "has left in 600 s, and 20% may"),
        (a_departure_forgotten, "G7", "counts in this window, and was forgotten"),
        (leaving_in_a_panic, "G7", "is believed healthy, under 100%"),
        (leaving_without_reason, "G7", "leaves without reason"),
        (leaving_unrecorded, "G7", "leaves without a record"),
        (over_a_frozen_marker, "G8", "under a frozen marker"),
        (over_a_seal, "G8", "over a frozen marker"),
        (under_a_frozen_floor, "G8", "under a frozen floor"),
        (under_a_tombstone, "G8", "under a tombstone"),
        (over_another_stream, "G8", "over another stream's marker"),
        (no_intent, "G10", "nothing was intended under it"),
        (another_endpoint, "G10", "whose intent is not about it"),
        (another_process, "G10", "another process intended"),
        (told_twice, "G10", "a later change was made over it"),
        (one_nonce_twice, "G10", "two changes have one nonce"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_the_audit_names_it(given: Doctored, doctor: Doctor, guilty: str, words: str) -> None:
    assert not judged(given).violated
    doctor(given)
    report = judged(given)
    assert {one.guarantee for one in report.violations} == {guilty}, blamed(report)
    assert_told(report, words)


def test_a_pin_that_was_taken_away_again_proves_nothing(given: Doctored) -> None:
    generation = next(line for _, _, line in given.lines("collected"))["generations"][0]
    pin = {"action": "pin", "stage": "pinned", "to": generation}
    _operators_say(given, pin, {"action": "unpin", "stage": "unpinned", "to": generation})
    assert not judged(given).violated


def assert_told(report: Report, words: str) -> None:
    """In these words, with places that exist and something to do."""
    assert any(re.search(words, one.text) for one in report.violations), blamed(report)
    for one in report.violations:
        assert one.places
        assert one.remedy
        assert all(place.line > 0 and place.file.endswith(".jsonl") for place in one.places)


def found_in_histories(tmp_path: Path, patch: pytest.MonkeyPatch, wanted: Callable[[Doctored], bool]) -> Doctored:
    """The journals of the first random history that has something like this."""
    for seed in range(60):
        folder = tmp_path / str(seed)
        folder.mkdir()
        journalled(folder, seed, 4, patch)
        given = Doctored(folder)
        if wanted(given):
            return given
    raise AssertionError("no history has that")


def test_a_refill_that_gives_too_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = found_in_histories(tmp_path, monkeypatch, lambda one: any(True for _ in one.writes("refill")))
    next(given.writes("refill"))[3]["answers"] = {"A": 1}
    report = judged(given)
    assert {one.guarantee for one in report.violations} == {"G1"}, blamed(report)


def test_one_since_with_two_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writers gave one since different contents; no fork explains it."""
    given = found_in_histories(tmp_path, monkeypatch, lambda one: bool(twice_written(one)))
    twice_written(given)[0]["contents"] = "0" * 16
    report = judged(given)
    assert {one.guarantee for one in report.violations} == {"G5"}, blamed(report)
    assert len(report.violations[0].places) == 2


def twice_written(given: Doctored) -> list[Line]:
    """Writes of an endpoint and since that another write had as well."""
    seen: set[tuple[str, int]] = set()
    found = []
    for _, _, _, write in given.writes():
        if (write["name"], write["since"]) in seen:
            found.append(write)
        seen.add((write["name"], write["since"]))
    return found


def test_a_fork_is_no_violation_but_is_told(given: Doctored) -> None:
    """Two plans of one number: that writes differ is explained, and nobody can tell which was meant."""
    list(given.lines("planned"))[-1][2]["digest"] = "f" * 32
    report = judged(given)
    assert not report.violated, blamed(report)
    doubts = {one.guarantee: [doubt.why for doubt in one.doubts] for one in report.judged}
    assert any("fork" in why for why in doubts["G5"])


def test_what_a_lost_plan_remembered_cannot_be_told(given: Doctored) -> None:
    """The head it was published over is in no journal: another store stands there, or a journal is missing."""
    line, change = remembering(given)
    line["over"] = {"generation": line["over"]["generation"], "digest": "e" * 32}
    change["departures"].pop(0)
    report = judged(given)
    assert not report.violated, blamed(report)
    assert verdict(report, "G7") == ["cannot tell"]


def test_a_marker_that_stands_must_end_its_chain(given: Doctored) -> None:
    """Without the zone the journals end as they end; with it, what stands there must be the end of a chain."""
    *_, before, last = written(given)
    owner = "www._standfast.lb.example.com"
    given.save()
    assert not audit([given.folder], {("main", owner): last[2]["nonce"]}).violated
    report = audit([given.folder], {("main", owner): before[2]["nonce"]})
    assert [one.guarantee for one in report.violations] == ["G2"]
    assert "stands, and a change was written over it" in report.violations[0].text
    unknown = audit([given.folder], {("main", owner): "e" * 16})
    assert "cannot tell" in verdict(unknown, "G2")


def verdict(report: Report, guarantee: str) -> Iterable[str]:
    """Of one guarantee."""
    return [one.verdict for one in report.judged if one.guarantee == guarantee]


def test_a_chain_that_begins_anew_is_ordered_by_the_floor(given: Doctored) -> None:
    """Somebody deleted the marker; what is written then must not be older: the floors tell which came last."""
    *_, older, before, last = written(given)
    assert before[3]["over"] == older[2]["nonce"]
    intent, write = last[2], last[3]
    assert intent["floor"]["sets"], "a new chain gives the floor a fresh nonce"
    write.update(over="", before=None, found="absent")
    assert not judged(given).violated, "upwards is healing"
    for _, _, outcome in given.lines("outcome"):
        if outcome["nonce"] == intent["nonce"] and outcome["name"] == write["name"]:
            outcome["since"] = older[3]["since"]
    write.update(since=older[3]["since"], contents=older[3]["contents"])
    write["puts"]["since"] = older[3]["since"]
    del given.files["cleaner-c.jsonl"]
    report = judged(given)
    assert {one.guarantee for one in report.violations} == {"G2"}, blamed(report)
    assert_told(report, "its marker was gone, and since")
