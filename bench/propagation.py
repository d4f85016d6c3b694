"""From a plan's commit to the last endpoint's first answer, beside the C clients from exec to the same.

Ours: fences (marker and floor asserted for each endpoint), intent on disk before each change, markers written.
Theirs: no prerequisites, no journal. Pairs alternate in order, on the same server, each side in its own zone.
"""

import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import dns.message
import dns.query
import dns.rdataclass
import dns.rdatatype
from msgspec import Struct

from harness.dnsservers import DnsServer
from standfast.model.marker import Marker, read_marker
from standfast.model.name import marker_owner
from standfast.model.plan import Plan
from standfast.model.rrset import RRset, RRType

from .stage import OURS, THEIRS, Plans, enactors, name_of, run_peer, server_of, update_script, witness
from .witness import Witness


class Row(Struct, frozen=True):
    """One comparison: medians of seconds, and the ratio of the medians; p90 of ours for the tail."""

    operation: str
    server: str
    peer: str
    enactors: int
    pairs: int
    ours_s: float
    theirs_s: float
    ours_p90_s: float
    goal: float

    @property
    def ratio(self) -> float:
        """Ours to theirs."""
        return self.ours_s / self.theirs_s

    @property
    def met(self) -> bool:
        """Whether the goal is met."""
        return self.ratio <= self.goal


def _row(
    operation: str, server: str, peer: str, count: int, ours: list[float], theirs: list[float], goal: float
) -> Row:
    p90 = sorted(ours)[min(len(ours) - 1, int(len(ours) * 0.9))]
    return Row(operation, server, peer, count, len(ours), statistics.median(ours), statistics.median(theirs), p90, goal)


def changes(kind: str, folder: Path, endpoints: int, count: int, pairs: int, tell: Callable[[str], None]) -> list[Row]:
    """One endpoint, then one per cent of them, changed in zones that are full."""
    rows = []
    with server_of(kind, folder / "server") as server, enactors(server, folder, count) as state:
        plans, watch = Plans(state / "store.sqlite", endpoints), Witness(server.host, server.port)
        plans.publish(plans.drawn([]))
        tell(f"{kind}: filling both zones with {endpoints} endpoints")
        script = folder / "peer.txt"
        script.write_text(update_script(server, list(range(endpoints)), 1, create=True), encoding="ascii")
        run_peer("nsupdate", server, script)
        _settled(server.host, server.port, plans, list(range(endpoints)))
        for operation, changed, goal in (("one changes", 1, 1.5), ("1 % change", max(1, endpoints // 100), 2.0)):
            ours: list[float] = []
            theirs: list[float] = []
            for pair in range(pairs):
                numbers = [(pair * 7919 + place * 97) % endpoints for place in range(changed)]
                plan = plans.drawn(numbers)
                script.write_text(update_script(server, numbers, plan.generation, create=False), encoding="ascii")
                for side in ("ours", "theirs") if pair % 2 else ("theirs", "ours"):
                    if side == "ours":
                        ours.append(_ours(watch, plans, plan, numbers))
                    else:
                        theirs.append(_theirs(watch, "nsupdate", server, script, numbers, plan.generation))
                    time.sleep(0.05)
                _settled(server.host, server.port, plans, numbers)
                tell(
                    f"{kind}, {operation}: pair {pair + 1} of {pairs}: {ours[-1] * 1e3:.1f} / {theirs[-1] * 1e3:.1f} ms"
                )
                time.sleep(0.15)
            rows.append(_row(operation, kind, "nsupdate", count, ours, theirs, goal))
        watch.close()
    return rows


def first_publication(
    kind: str, folder: Path, endpoints: int, count: int, pairs: int, tell: Callable[[str], None]
) -> Row:
    """Everything into empty zones, a fresh server for each pair."""
    ours: list[float] = []
    theirs: list[float] = []
    numbers = list(range(endpoints))
    for pair in range(pairs):
        place = folder / f"pair-{pair}"
        with server_of(kind, place / "server") as server:
            script = place / "peer.txt"
            script.write_text(update_script(server, numbers, 1, create=True), encoding="ascii")
            watch = Witness(server.host, server.port)
            with enactors(server, place, count) as state:
                plans = Plans(state / "store.sqlite", endpoints)
                plan = plans.drawn([])
                time.sleep(1.0)
                if pair % 2:
                    theirs.append(_theirs(watch, "knsupdate", server, script, _sample(numbers), 1))
                ours.append(_ours(watch, plans, plan, _sample(numbers)))
                _settled(server.host, server.port, plans, numbers)
            if not pair % 2:
                theirs.append(_theirs(watch, "knsupdate", server, script, _sample(numbers), 1))
            watch.close()
        tell(f"{kind}, first publication: pair {pair + 1} of {pairs}: {ours[-1]:.2f} / {theirs[-1]:.2f} s")
    return _row("first publication", kind, "knsupdate", count, ours, theirs, 2.0)


def _ours(watch: Witness, plans: Plans, plan: Plan, numbers: list[int]) -> float:
    committed = plans.publish(plan)
    wanted = {name_of(number, OURS): witness(number, plan.generation) for number in numbers}
    return watch.until_all(wanted) - committed


def _theirs(watch: Witness, program: str, server: DnsServer, script: Path, numbers: list[int], version: int) -> float:
    wanted = {name_of(number, THEIRS): witness(number, version) for number in numbers}
    started = time.perf_counter()
    peer = threading.Thread(target=run_peer, args=(program, server, script))
    peer.start()
    last = watch.until_all(wanted)
    peer.join()
    return last - started


def _sample(numbers: list[int]) -> list[int]:
    """Some of every change: one change holds more than a hundred endpoints and is atomic."""
    return sorted({*numbers[::40], *numbers[-40:]})


def _settled(host: str, port: int, plans: Plans, numbers: list[int]) -> None:
    """Every marker of these endpoints is current. Raises TimeoutError."""
    if plans.head is None:
        return
    deadline = time.perf_counter() + 120
    waiting = list(numbers)
    while waiting:
        waiting = [number for number in waiting if not _current(host, port, plans, number)]
        if waiting and time.perf_counter() > deadline:
            raise TimeoutError(f"{len(waiting)} markers are not current, {name_of(waiting[0], OURS)} among them")


def _current(host: str, port: int, plans: Plans, number: int) -> bool:
    name = name_of(number, OURS)
    owner = marker_owner(name, OURS)
    query = dns.message.make_query(owner, "TXT", use_edns=0, payload=4096)
    reply = dns.query.udp(query, host, port=port, timeout=5)
    answer = reply.get_rrset("ANSWER", query.question[0].name, dns.rdataclass.IN, dns.rdatatype.TXT)
    if answer is None or plans.head is None:
        return False
    rrset = RRset.of(RRType.TXT, answer.ttl, [record.to_wire() or b"" for record in answer])
    marker, wanted = read_marker(rrset, OURS, owner), plans.head.entry((OURS, name))
    return isinstance(marker, Marker) and wanted is not None and marker.since == wanted.since
