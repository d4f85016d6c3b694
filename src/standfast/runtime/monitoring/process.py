"""The role `monitor`: looks at the names as clients do, says how everything stands, and sends notifications.

It writes no zone and no store and nobody waits for it. Without a store it goes by the newest plan that an enactor of
this machine keeps. What it sees goes to its journal (`served`, `answer`, `standing`), to its metrics, and from the
journals of all processes of this machine to the webhook.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from standfast.config import Config
from standfast.errors import StandfastError
from standfast.model.entry import Entry
from standfast.model.plan import Plan
from standfast.ports.provider import Unknown
from standfast.ports.store import HeadRead, PlanRead, ReadHead, ReadPlan

from ..journal import Journal
from ..observing import Seen, newest_copy, observe
from ..place import Place
from ..presence import Presence
from ..tidings import Tidings
from ..verdict import Verdict, standings, verdict
from ..zonesight import servers_of
from .answers import BAD, STATES, Answer, Believed, Past
from .caches import Caches
from .looking import Looker
from .meter import Labels, Meter, Value

BEAT_S: Final = 1.0
STAND_S: Final = 15.0
"""How often everything is looked at as `status` does; a verdict is told when two looks in a row agree."""
LEARN_S: Final = 10.0
"""Within this a plan that a name server serves already is read from the store."""
ENDPOINTS_A_SECOND: Final = 100
SERVERS_S: Final = 300.0
"""How often the zone's NS records are read."""
_SHOWN: Final = ("FINE", "HANDLED", "HELD", "FROZEN", "BLIND", "NEEDS YOU")


class MonitorProcess:
    """One monitor. `run` returns when `stop` is set."""

    def __init__(
        self,
        who: str,
        place: Place,
        journal: Journal,
        meter: Meter,
        presence: Presence | None = None,
        *,
        look: Callable[[Config], Seen] = observe,
    ) -> None:
        self._who, self._place, self._journal, self._meter, self._presence = who, place, journal, meter, presence
        self._config, self._look = place.config, look
        self._tidings = Tidings(journal)
        self._store = place.late_store()
        self._plan: Plan | None = None
        self._watching = False
        self._past, self._caches = Past(), Caches()
        self._turn = threading.Lock()
        self._believed: dict[str, Believed] = {}
        self._lookers: dict[str, Looker] = {}
        self._behind: dict[str, dict[tuple[str, str], float]] = {}
        self._served: dict[tuple[str, str], int] = {}
        self._ahead: dict[tuple[str, str, str], float] = {}
        self._said = self._stood = ""
        self._counted: Counter[tuple[str, str]] = Counter()
        self._open: set[tuple[str, str]] = set()
        """(name server, name) of which people were told before we began, and must be told the end."""

    def run(self, stop: threading.Event) -> None:
        """Learn the plan, follow it to every name server, and say how everything stands."""
        self._tidings.event("started", stream=self._config.stream)
        threads = [
            threading.Thread(target=self._follow, args=(zone.name, stop), name=f"zone {zone.name}", daemon=True)
            for zone in self._config.zones
        ]
        notifier = None
        if (notify := self._config.signals.notify) is not None:
            from ..notifying.notifier import Notifier

            notifier = Notifier(notify, self._place, self._who, self._meter, self._tidings)
            self._open |= notifier.open_answers
            notifier.start(stop)
        self._learn()
        self._watching = True
        for thread in threads:
            thread.start()
        stood = threading.Thread(target=self._standing, args=(stop,), name="standing", daemon=True)
        stood.start()
        while not stop.is_set():
            self._learn()
            self._measure()
            self._forgotten()
            self._uncached()
            if self._presence is not None:
                self._presence.beat(troubles=self._tidings.troubles[:20], standing=self._said)
            stop.wait(BEAT_S)
        for thread in (*threads, stood):
            thread.join(2 * BEAT_S)
        if notifier is not None:
            notifier.close()
        self._store.close()
        self._tidings.event("stopped")
        self._journal.close()

    def _learn(self) -> None:
        """The newest plan: of the store, or of a copy on this machine."""
        head = self._store.perform(ReadHead())
        if isinstance(head, HeadRead):
            if head.head is None or (self._plan is not None and self._plan.digest == head.head.digest):
                return
            read = self._store.perform(ReadPlan(head.head.digest))
            plan = read.plan if isinstance(read, PlanRead) else None
        elif self._plan is None:
            plan = newest_copy(self._place)[1]
        else:
            return
        if plan is None:
            return
        with self._turn:
            former = self._plan
            now = time.monotonic()
            for entry in plan.shards:
                begun = self._watching and entry.since == plan.generation
                self._past.learn(entry, now if begun else None)
                was = former.entry(entry.key) if former is not None else None
                if was is not None and was is not entry and was.since != entry.since:
                    self._caches.learn(was, entry)
            self._plan = plan

    def _entries(self, zone: str) -> list[Entry]:
        with self._turn:
            some = self._plan.by_zone.get(zone, ()) if self._plan is not None else ()
        return [entry for entry in some if entry.kind == "live"]

    def _follow(self, name: str, stop: threading.Event) -> None:
        """One zone: a thread for each of its name servers, as its NS records name them."""
        zone = next(one for one in self._config.zones if one.name == name)
        while not stop.is_set():
            lost = []
            for short, where in servers_of(zone).items():
                server = short if len(self._config.zones) == 1 else f"{short} {name}"
                if isinstance(where, Unknown):
                    lost.append(f"{server}: {where.why}")
                elif server not in self._lookers:
                    looker = Looker(zone, server, *where, self._past)
                    self._lookers = {**self._lookers, server: looker}
                    threading.Thread(target=self._rounds, args=(looker, stop), name=server, daemon=True).start()
            self._tidings.state(f"servers of {name}", "; ".join(lost))
            stop.wait(BEAT_S if lost or not self._lookers else SERVERS_S)

    def _rounds(self, looker: Looker, stop: threading.Event) -> None:
        limits = self._config.signals.monitor
        while not stop.is_set():
            begun = time.monotonic()
            entries = self._entries(looker.zone.name)
            looker.round(entries, limits.rate / max(1, len(self._lookers)), self._heard, stop)
            with self._turn:
                self._believed.setdefault(looker.server, Believed()).forget(frozenset(one.key for one in entries))
            pause = limits.interval_s if not self._changing() else min(1.0, limits.interval_s)
            stop.wait(max(0.05, begun + pause - time.monotonic()))
        looker.close()

    def _changing(self) -> bool:
        """Whether something is on its way: then it is followed closely."""
        return any(answer.state == "behind" for one in self._believed.values() for answer in list(one.now.values()))

    def _heard(self, server: str, entry: Entry, answer: Answer) -> None:
        """From a looker's thread: what one name server answers. One whose marker is newer than the plan we know is not
        judged by that plan: the next one is about to be read here."""
        ahead, now = (server, *entry.key), time.monotonic()
        with self._turn:
            if answer.state not in BAD or answer.since is None or answer.since <= entry.since:
                self._ahead.pop(ahead, None)
            elif now - self._ahead.setdefault(ahead, now) < LEARN_S:
                return
            believed = self._believed.setdefault(server, Believed())
            was = believed.now.get(entry.key)
            news = believed.heard(entry.key, answer)
            behind = self._behind.setdefault(server, {})
            if answer.state != "behind":
                behind.pop(entry.key, None)
            elif entry.key not in behind:
                behind[entry.key] = time.monotonic()
            told = news is not None and (self._worth(was, answer) or self._ends(server, entry.name, answer))
            servers = [one.server for one in self._lookers.values() if one.zone.name == entry.zone]
            whole = answer.state == "whole" and self._everywhere(entry, servers)
        if told:
            facts = {"zone": entry.zone, "name": entry.name, "server": server, "state": answer.state}
            self._tidings.event("answer", **facts, was=was.state if was else "", why=answer.why)
        if whole:
            self._tidings.event("served", zone=entry.zone, name=entry.name, since=entry.since, servers=servers)

    def _ends(self, server: str, name: str, answer: Answer) -> bool:
        """Whether this is the end of something that was told before we began."""
        ended = {(server, name), (server, "")} & self._open if answer.state == "whole" else set()
        self._open -= ended
        return bool(ended)

    @staticmethod
    def _worth(was: Answer | None, answer: Answer) -> bool:
        """`behind` is for a metric: every change has it for a moment."""
        quiet = {"whole", "behind"}
        return answer.state not in quiet or (was is not None and was.state not in quiet)

    def _everywhere(self, entry: Entry, servers: list[str]) -> bool:
        """Whether every name server has just come to serve this since; told once."""
        if self._served.get(entry.key) == entry.since:
            return False
        for server in servers:
            seen = self._believed.get(server, Believed()).now.get(entry.key)
            if seen is None or seen.state != "whole" or (seen.since or 0) < entry.since:
                return False
        self._served[entry.key] = entry.since
        self._caches.served(entry.key, entry.since, time.monotonic())
        return True

    def _uncached(self) -> None:
        """Whom resolvers have forgotten by now."""
        with self._turn:
            over = self._caches.forgotten(time.monotonic())
        for one in over:
            facts = {"load_balancers": list(one.load_balancers), "ttl_s": one.ttl_s}
            self._tidings.event("uncached", zone=one.key[0], name=one.key[1], since=one.since, **facts)

    def _measure(self) -> None:
        """The answers as numbers."""
        now, counts = time.monotonic(), dict[Labels, Value]()
        wrong, late, ages = dict[Labels, Value](), dict[Labels, Value](), dict[Labels, Value]()
        with self._turn:
            for server, looker in list(self._lookers.items()):
                answers = dict(self._believed.get(server, Believed()).now)
                states = Counter(answer.state for answer in answers.values())
                counts |= {(server, state): float(states[state]) for state in STATES}
                bad = ((key, one.state) for key, one in answers.items() if one.state in BAD)
                wrong |= {(name, server, state): 1.0 for (_, name), state in bad}
                behind = self._behind.get(server) or {}
                late[server,] = now - min(behind.values()) if behind else 0.0
                ages[server,] = lambda one=looker: time.monotonic() - one.round_at  # type: ignore[misc]
                self._queries(server, looker)
        for name, values in (("names", counts), ("wrong_name", wrong), ("server_behind_seconds", late)):
            self._meter.replace(f"standfast_{name}", values)
        self._meter.replace("standfast_round_age_seconds", ages)

    def _queries(self, server: str, looker: Looker) -> None:
        for result, count in (("answered", looker.asked - looker.unanswered), ("unanswered", looker.unanswered)):
            if (more := count - self._counted[server, result]) > 0:
                self._counted[server, result] = count
                self._meter.count("standfast_queries_total", server, result, by=more)

    def _forgotten(self) -> None:
        """Endpoints that no plan has any more."""
        with self._turn:
            kept = {entry.key for entry in self._plan.shards} if self._plan is not None else set()
            self._served = {key: since for key, since in self._served.items() if key in kept}

    def _standing(self, stop: threading.Event) -> None:
        """Every so often what `status` would say; told when it lasts."""
        while not stop.is_set():
            try:
                seen = self._look(self._config)
                self._stands(seen, verdict(seen))
                self._tidings.state("monitor", "")
            except StandfastError as error:
                self._tidings.state("monitor", f"how everything stands can't be told: {error}")
            many = len(self._plan.shards) if self._plan is not None else 0
            stop.wait(max(STAND_S, many / ENDPOINTS_A_SECOND))

    def _stands(self, seen: Seen, now: Verdict) -> None:
        self._meter.replace("standfast_standing", {(kind,): float(kind == now.kind) for kind in _SHOWN})
        held: dict[Labels, Value] = {}
        for sight, how in standings(seen):
            name = seen.short(sight.entry.key)
            if how.state == "frozen" or sight.entry.held:
                held[name, "frozen" if how.state == "frozen" else "held"] = 1.0
        self._meter.replace("standfast_held_name", held)
        rules = Counter[str](rule for one in seen.decisions for rule in {back.rule for back in one.held_back})
        rules["panic"] = sum(one.panic for one in seen.decisions)
        known = ("panic", "az_loss", "velocity", "min_answers", "adding")
        self._meter.replace("standfast_guarded_names", {(rule,): float(rules[rule]) for rule in known})
        if seen.decisions:
            self._meter.set("standfast_healthy_ratio", min(one.healthy for one in seen.decisions))
        stood = f"{now.kind}: {now.sentence}"
        if stood == self._stood and stood != self._said:
            self._said = stood
            self._tidings.event("standing", kind=now.kind, sentence=now.sentence, command=now.command)
        self._stood = stood
