"""Every fault that the demo injects, with the moment of its healing as the prober's answers or the records show it."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from standfast.errors import StandfastError
from standfast.laboratory.proxy import HeldUpdate, mentions
from standfast.model.plan import Plan

from .judge import Damage, RRsetKey
from .ledger import Fault, Ledger
from .setting import ADDRESSES, ENACTORS, HELD_ENACTOR, HELD_GENERATIONS, ZONE, rrsets, short
from .stage import Stage
from .watch import Watch

_HELD_S: Final = 10.0
_COMMAND_S: Final = 30.0
_STEP_S: Final = 5.0
_PASSING: Final = (("lb-c2",), ("lb-b2", "lb-c2"), ("lb-b2",), ())
"""Who is drained, generation by generation, while a write is held."""
_SHIFTED: Final = "lb-a2"
"""Drained for the one plan that the held write belongs to, so that its contents are never wanted again."""


class Faults:
    """Injects, and waits for the healing. Every wait ends when `stop` is set.

    `breath_s` is put between the steps of a fault that has several, for people to see them.
    """

    breath_s = 0.0

    def __init__(self, stage: Stage, watch: Watch, ledger: Ledger, stop: threading.Event) -> None:
        self._stage, self._watch, self._ledger, self._stop = stage, watch, ledger, stop
        self._keys = rrsets(stage.ipv6)

    def load_balancer_killed(self, name: str) -> None:
        """It leaves every answer that has it; started again, it comes back."""
        address = ADDRESSES[name]
        served = [key for key in self._keys if address in self._watch.wanted(key[0]).get(key, ())]
        process = self._stage.processes[name]
        fault = self._ledger.begin("load_balancer_killed", name)
        process.kill()
        self._heal(fault, lambda: self._answered(dict.fromkeys(served, _without(address)), fault.injected))
        self._stop.wait(0.3)
        process.restart()
        back = self._ledger.begin("load_balancer_back", name)
        self._heal(back, lambda: self._answered(dict.fromkeys(served, _with(address)), back.injected))

    def addresses_deleted(self, name: str) -> None:
        """Gone until the next look."""
        self._damage("addresses_deleted", name, lambda: self._stage.hand.delete_addresses(name))

    def marker_deleted(self, name: str) -> None:
        """The answers stay; who wrote them is forgotten until the next look."""
        self._damage("marker_deleted", name, lambda: self._stage.hand.delete_marker(name))

    def name_deleted(self, name: str) -> None:
        """All of it."""
        self._damage("name_deleted", name, lambda: self._stage.hand.delete_everything(name))

    def garbage_marker(self, name: str) -> None:
        """Not an exception: damage to repair."""
        self._damage("garbage_marker", name, lambda: self._stage.hand.spoil_marker(name))

    def floor_deleted(self) -> None:
        """No answer changes by that; without it a delayed write could win after the next deletion."""
        fault = self._ledger.begin("floor_deleted", ZONE)
        self._stage.hand.delete_floor()
        self._heal(fault, lambda: time.monotonic() if self._stage.hand.floor() else None)

    def write_held(self, name: str) -> None:
        """One enactor's update is held in mid-write; many generations pass; then its very bytes go to the server."""
        fault = self._ledger.begin("write_held", f"enactor {HELD_ENACTOR}, {short(name)}")
        held = self._hold(name)
        base = self._watch.generation
        fault.what = f"{fault.what} g{base}"
        for step in range(4 * HELD_GENERATIONS):
            if self._stop.is_set() or self._watch.generation - base >= HELD_GENERATIONS:
                break
            self._stage.drain(_PASSING[step % len(_PASSING)])
            self._await(self._newer(self._watch.generation), "the planner does not see the fleet file")
            fault.note = f"{self._watch.generation - base} generations pass"
            self._stop.wait(self.breath_s)
        self._stage.drain(())
        passed = self._watch.generation - base
        self._await(self._watch.in_step, "the other enactors do not follow")
        self._await(lambda: base not in self._watch.stored, "the cleaner collects nothing")
        self._ledger.held_passed = max(self._ledger.held_passed, passed)
        fault.released()
        (rcode,) = self._stage.proxy.release(held)
        word = rcode.name if rcode is not None else "no reply"
        self._ledger.refused[word] = self._ledger.refused.get(word, 0) + 1
        fault.note = f"{word}, {passed} generations later"
        if word in ("NXRRSET", "YXRRSET"):
            self._heal(fault, lambda: self._caught_up(HELD_ENACTOR))
        fault.over = True

    def rollback(self, name: str) -> None:
        """The real command, and the one that ends its hold."""
        target = self._former(name)
        if target is None:
            raise StandfastError(f"No stored plan has other contents for {name}.", "That is a fault of the demo.")
        wanted = self._watch.wanted(name, target.generation)
        text = ("--reason", "shown by the demo", "--yes")
        plan = self._commanded("rollback", name, "--to", str(target.generation), *text)
        fault = self._ledger.begin("rollback", f"{short(name)} to g{target.generation}", self._watch.at_of(plan))
        self._heal(fault, lambda: self._answered(_exactly(wanted), fault.injected))
        self._stop.wait(0.5 + 20 * self.breath_s)
        plan = self._commanded("resume", name)
        fault = self._ledger.begin("resume", short(name), self._watch.at_of(plan))
        self._heal(fault, lambda: self._follows(name, plan.generation, fault.injected))

    def enactor_killed(self, who: str) -> None:
        """What changes meanwhile is written by the others; started again, it holds the newest plan."""
        process = self._stage.processes[f"enactor {who}"]
        fault = self._ledger.begin("enactor_killed", f"enactor {who}")
        process.kill()
        self._fleet_changed(("lb-c2",))
        process.restart()
        self._heal(fault, lambda: self._caught_up(who, process.pid))
        self._fleet_changed(())

    def enactor_stopped(self, who: str) -> None:
        """It sleeps through several generations and, awake again, undoes none of them."""
        process = self._stage.processes[f"enactor {who}"]
        fault = self._ledger.begin("enactor_stopped", f"enactor {who}")
        fault.note = "it sleeps, the others write"
        process.pause()
        for drained in (("lb-b2",), ("lb-b2", "lb-c2"), ("lb-c2",), ()):
            self._fleet_changed(drained)
            self._stop.wait(5 * self.breath_s)
        process.proceed()
        fault.released()
        self._heal(fault, lambda: self._caught_up(who))

    # -- parts ---------------------------------------------------------------------------------------------------

    def _fleet_changed(self, drained: tuple[str, ...]) -> None:
        before = self._watch.generation
        at = self._stage.drain(drained)
        what = f"{', '.join(drained)} drained" if drained else "nobody drained"
        fault = self._ledger.begin("fleet_changed", what, at)
        self._heal(fault, lambda: self._planned_without(drained, before, at))

    def _planned_without(self, drained: tuple[str, ...], before: int, at: float) -> float | None:
        head = self._watch.head
        if head is None or head.generation <= before:
            return None
        out = {ADDRESSES[one] for one in drained}
        contents = {key: self._watch.wanted(key[0], head.generation)[key] for key in self._keys}
        if any(addresses & out for addresses in contents.values()):
            return None
        return self._answered(_exactly(contents), at)

    def _damage(self, kind: str, name: str, act: Callable[[], None]) -> None:
        fault = self._ledger.begin(kind, short(name))
        damage = Damage(kind, name, fault.injected, healed={})
        with self._watch.changed:
            self._watch.judge.damages.append(damage)
        act()
        damage.done = done = time.monotonic()
        self._heal(fault, lambda: self._restored(name, done))
        damage.healed_s = fault.took_s

    def _restored(self, name: str, done: float) -> float | None:
        """When the answers are those of the plan again, and the marker is one that can be believed."""
        head, marker = self._watch.head, self._stage.hand.marker(name)
        read = time.monotonic()
        entry = head.entry((ZONE, name)) if head else None
        if entry is None or marker is None or marker.since != entry.since:
            return None
        answered = self._answered(_exactly(self._watch.wanted(name)), done)
        return None if answered is None else max(answered, read)

    def _hold(self, name: str) -> HeldUpdate:
        """Catch the next write of the enactor behind the proxy. The others are stopped until it has sent it."""
        proxy, processes = self._stage.proxy, self._stage.processes
        others = [processes[f"enactor {one}"] for one in ENACTORS if one != HELD_ENACTOR]
        proxy.hold_next(1, mentions(name))
        try:
            for one in others:
                one.pause()
            self._stage.drain((_SHIFTED,))
            self._await(lambda: bool(proxy.held), f"enactor {HELD_ENACTOR} sends no update for {name}", _HELD_S)
        finally:
            proxy.clear()
            for one in others:
                one.proceed()
        (held,) = proxy.held
        self._await(self._watch.in_step, "the other enactors do not write")
        return held

    def _newer(self, generation: int) -> Callable[[], bool]:
        return lambda: self._watch.generation > generation

    def _former(self, name: str) -> Plan | None:
        """The newest stored plan that gives the name other addresses than the head does."""
        now = self._watch.wanted(name)
        for generation in sorted(self._watch.stored, reverse=True):
            if generation in self._watch.plans and self._watch.wanted(name, generation) != now:
                return self._watch.plans[generation]
        return None

    def _commanded(self, verb: str, name: str, *arguments: str) -> Plan:
        """Run our own command; the plan that it published."""
        before = self._watch.generation
        command = self._stage.command(verb, name, *arguments)
        self._await(lambda: command.popen.poll() is not None, f"standfast {verb} does not end", _COMMAND_S)
        if command.popen.returncode != 0 and not self._stop.is_set():
            raise StandfastError(f"standfast {verb} ended with {command.popen.returncode}: {command.last_words()}")
        held = verb == "rollback"

        def found() -> Plan | None:
            with self._watch.changed:
                plans = [plan for generation, plan in self._watch.plans.items() if generation > before]
            for plan in sorted(plans, key=lambda one: one.generation):
                entry = plan.entry((ZONE, name))
                if entry is not None and bool(entry.held) == held:
                    return plan
            return None

        self._await(lambda: found() is not None, f"standfast {verb} published nothing")
        plan = found()
        if plan is None:
            raise Stopped
        return plan

    def _follows(self, name: str, resumed: int, after: float) -> float | None:
        """When the answers are those of a plan after `resumed`, or of that one if it is as the others want it."""
        head = self._watch.head
        if head is None or head.generation <= resumed:
            return None
        return self._answered(_exactly(self._watch.wanted(name)), after)

    def _caught_up(self, who: str, pid: int = 0) -> float | None:
        generation, process = self._stage.holds(who)
        return time.monotonic() if generation >= self._watch.generation and pid in (0, process) else None

    def _answered(self, wanted: Mapping[RRsetKey, Callable[[frozenset[str]], bool]], after: float) -> float | None:
        """When the last of these rrsets was first answered so."""
        moments = []
        for key, fits in wanted.items():
            moment = self._watch.answered(key, after, fits)
            if moment is None:
                return None
            moments.append(moment)
        return max(moments, default=None)

    def _heal(self, fault: Fault, moment: Callable[[], float | None]) -> None:
        found: list[float] = []

        def healed() -> bool:
            at = moment()
            if at is not None:
                found.append(at)
            return at is not None

        self._watch.until(healed, fault.last_moment, self._stop)
        fault.healed, fault.over = (found[0] if found else None), True
        if self._stop.is_set() and not found:
            raise Stopped

    def _await(self, true: Callable[[], bool], otherwise: str, patience_s: float = _STEP_S) -> None:
        """Wait for something that is no fault's healing. Raises StandfastError if it does not come."""
        if self._watch.until(true, time.monotonic() + patience_s, self._stop):
            return
        if self._stop.is_set():
            raise Stopped
        raise StandfastError(f"The demo got stuck after {patience_s:g} s: {otherwise}.", self._stage.fallen())


class Stopped(Exception):
    """Somebody wants the demo to end."""


def _with(address: str) -> Callable[[frozenset[str]], bool]:
    return lambda addresses: address in addresses


def _without(address: str) -> Callable[[frozenset[str]], bool]:
    return lambda addresses: bool(addresses) and address not in addresses


def _exactly(wanted: Mapping[RRsetKey, frozenset[str]]) -> dict[RRsetKey, Callable[[frozenset[str]], bool]]:
    return {key: addresses.__eq__ for key, addresses in wanted.items()}
