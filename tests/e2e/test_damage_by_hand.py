"""People and other tools change the zone with the real `nsupdate`: it is healed, by whoever is there, in the stated
time; without the store, and without the planner."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.plans import both, v4
from e2e.roles import until
from e2e.stage import DETECTION_S, Stage
from harness.zonetools import axfr
from standfast.model.marker import GENERATION_MAX, VERSION, Marker, marker_rdata
from standfast.model.name import first_name, floor_owner, marker_owner

Lines = tuple[str, ...]


def _marker(stage: Stage) -> str:
    return marker_owner(stage.www, stage.zone)


def _floor(stage: Stage) -> str:
    return floor_owner("main", stage.zone)


def _first(stage: Stage) -> str:
    return marker_owner(first_name("main", stage.zone), stage.zone)


def _instead(stage: Stage, *texts: str) -> Lines:
    """These TXT records in place of the marker."""
    return f"update delete {_marker(stage)} TXT", *(f"update add {_marker(stage)} 60 TXT {text}" for text in texts)


def _far_future(stage: Stage) -> str:
    """Everything right, the checksum too, but for a generation that nobody could publish above."""
    marker = Marker("main", GENERATION_MAX + 1, GENERATION_MAX + 1, "0" * 32, "live", "x", "0" * 16)
    return marker_rdata(marker, stage.zone, _marker(stage))[1:].decode()


def _everything(stage: Stage) -> Lines:
    """Every name of the zone but the apex and its name server."""
    kept = {stage.zone, f"ns.{stage.zone}"}
    return tuple(f"update delete {name}" for name in sorted({name for name, _ in axfr(stage.server)} - kept))


DAMAGES: dict[str, Callable[[Stage], Lines]] = {
    "addresses": lambda s: (f"update delete {s.www} A", f"update delete {s.www} AAAA"),
    "one family": lambda s: (f"update delete {s.www} AAAA",),
    "marker": lambda s: (f"update delete {_marker(s)} TXT",),
    "addresses and marker": lambda s: (f"update delete {s.www}", f"update delete {_marker(s)}"),
    "floor": lambda s: (f"update delete {_floor(s)} TXT",),
    "marker and floor": lambda s: (f"update delete {_marker(s)}", f"update delete {_floor(s)}"),
    "first entry and floor": lambda s: (f"update delete {_first(s)}", f"update delete {_floor(s)}"),
    "everything": _everything,
    "a long marker": lambda s: _instead(s, " ".join(['"' + "x" * 255 + '"'] * 8)),
    "a binary marker": lambda s: _instead(s, '"\\000\\001\\255\\254\\007"'),
    "several markers": lambda s: _instead(s, '"one"', '"two"', '"three"'),
    "several strings": lambda s: _instead(s, f'"{VERSION}" "k=marker" "s=main"'),
    "a far-future marker": lambda s: _instead(s, f'"{_far_future(s)}"'),
    "another version's marker": lambda s: _instead(s, '"standfast9 k=marker s=main n=1 g=1"'),
    "a garbage floor": lambda s: (f"update delete {_floor(s)} TXT", f'update add {_floor(s)} 60 TXT "what is this"'),
    "an alias at the emptied name": lambda s: (
        f"update delete {s.www}",
        f"update add {s.www} 60 CNAME elsewhere.test.",
    ),
    "an alias for the marker": lambda s: (f"update delete {_marker(s)}", f"update add {_marker(s)} 60 CNAME {s.api}."),
    "a foreign address": lambda s: (f"update add {s.www} 60 A 203.0.113.9",),
    "a foreign family": lambda s: (f"update add {s.api} 60 AAAA 2001:db8::bad",),
    "another TTL": lambda s: (f"update delete {s.www} A", *(f"update add {s.www} 9 A 192.0.2.{n}" for n in (3, 4))),
}


def begun(stage: Stage) -> None:
    """Two generations of www, so that there is an older one to go back to."""
    stage.publish_and_wait(www=both(1, 2), api=v4(11, 12))
    stage.publish_and_wait(www=both(3, 4))
    stage.await_head()
    stage.probe()


def all_of(stage: Stage, names: tuple[str, ...]) -> dict[str, float]:
    """One damage after the other; the healing time of each. `everything` damages api too."""
    times = {}
    for name in names:
        with stage.damaged(stage.api):
            times[name] = stage.heals(stage.www, DAMAGES[name](stage))
            stage.await_entry(stage.api)
    return times


@pytest.mark.slow
def test_damage_is_healed_in_the_stated_time(stage: Stage) -> None:
    for name in ("a", "b"):
        stage.enactor(name)
    begun(stage)
    times = all_of(stage, tuple(DAMAGES))
    assert max(times.values()) <= DETECTION_S, times
    verdict = stage.assert_nothing_bad()
    assert verdict.damaged > 0, "no damage was ever seen, so nothing was tested"


def _moved_away(stage: Stage) -> None:
    for path in stage.state.glob("store.sqlite*"):
        path.rename(path.with_name(f"away-{path.name}"))


def _unreadable(stage: Stage) -> None:
    """The path is there and is no plan store (to root, no mode makes a file unreadable)."""
    _moved_away(stage)
    stage.store_file.write_bytes(os.urandom(4096))


@pytest.mark.slow
@pytest.mark.parametrize("lose", [_moved_away, _unreadable])
def test_damage_is_healed_without_store_and_planner(stage: Stage, lose: Callable[[Stage], None]) -> None:
    for name in ("a", "b"):
        stage.enactor(name)
    begun(stage)
    lose(stage)
    all_of(stage, ("addresses", "addresses and marker", "marker and floor", "everything", "a binary marker"))
    stage.assert_nothing_bad()


@pytest.mark.slow
def test_the_disk_copy_alone_brings_everything_back(stage: Stage) -> None:
    """The store is lost for good, and the only enactor left starts anew: with what it kept on its disk."""
    enactor = stage.enactor("a")
    begun(stage)
    copy = stage.state / "copies" / "a.sqlite"
    until(lambda: _kept(stage, copy), "the newest plan is on the enactor's own disk")
    enactor.terminate()
    for path in stage.state.glob("store.sqlite*"):
        path.unlink()
    with stage.damaged(stage.www), stage.damaged(stage.api):
        stage.hand(*_everything(stage))
        stage.enactor("a")
        for name in (stage.www, stage.api, stage.first):
            stage.await_entry(name)
    stage.assert_nothing_bad()


def _kept(stage: Stage, copy: Path) -> bool:
    from standfast.adapters.stores.diskcopy import DiskCopy
    from standfast.ports.local import RecallCopy
    from standfast.ports.store import PlanRead

    reply = DiskCopy(copy).perform(RecallCopy())
    return isinstance(reply, PlanRead) and reply.plan.generation == stage.plans.generation
