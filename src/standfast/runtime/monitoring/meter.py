"""One process's metrics, from the events it journals and its signs of life: nothing is measured for them alone."""

import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import Any, Final, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from .metrics import METRICS, NAMED_MAX, SECONDS, Metric

_INSISTED: Final = 3.0
"""Counted for an endpoint that is left to whoever insists on it: as often as makes a name contested."""

Labels: TypeAlias = tuple[str, ...]
Value: TypeAlias = float | Callable[[], float]
_HOSTED: Final = ("healthy", "unhealthy", "unknown")
_AGES: Final = (("looked_ago_s", "standfast_look_age_seconds"), ("passed_ago_s", "standfast_pass_age_seconds"))


class Meter(Collector):
    """`heard` listens to the journal, `beat` to signs of life; the rest is set by whoever knows it. For any thread."""

    def __init__(self, role: str, who: str, stream: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.role, self._clock = role, clock
        self._mine = {one.name: one for one in METRICS if role in one.roles}
        self._gauges: dict[str, dict[Labels, Value]] = {}
        self._beaten_at = clock()
        self._refused: dict[str, str] = {}
        self._requests: dict[str, int] = {}
        self.registry = CollectorRegistry()
        self._counters = {name: self._counter(one) for name, one in self._mine.items() if one.kind == "counter"}
        self._times = {name: self._histogram(one) for name, one in self._mine.items() if one.kind == "histogram"}
        self.registry.register(self)
        self.replace("standfast_process_info", {(role, who, stream, version("standfast")): 1.0})
        self.set("standfast_beat_age_seconds", lambda: self._clock() - self._beaten_at)
        self.set("standfast_troubles", 0.0)
        self.set("standfast_journal_broken", 0.0)

    def _counter(self, one: Metric) -> Counter:
        return Counter(one.name, one.help, one.labels, registry=self.registry)

    def _histogram(self, one: Metric) -> Histogram:
        return Histogram(one.name, one.help, one.labels, buckets=SECONDS, registry=self.registry)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges as they are at this moment. What nothing is known of is not there."""
        for name, values in list(self._gauges.items()):
            family = GaugeMetricFamily(name, self._mine[name].help, labels=self._mine[name].labels)
            for labels, value in values.items():
                family.add_metric(labels, value() if callable(value) else value)
            yield family

    def set(self, name: str, value: Value) -> None:
        """A gauge without labels, or how to ask for it."""
        self.replace(name, {(): value})

    def replace(self, name: str, values: Mapping[Labels, Value]) -> None:
        """All of a gauge at once: what is not in `values` is gone. Of named things the first NAMED_MAX are kept."""
        if name not in self._mine:
            return
        kept = dict(values)
        if "name" in self._mine[name].labels and len(kept) > NAMED_MAX:
            kept = dict(sorted(kept.items())[:NAMED_MAX])
        self._gauges[name] = kept

    def count(self, name: str, *labels: str, by: float = 1.0) -> None:
        """A counter of this role."""
        if (counter := self._counters.get(name)) is not None:
            (counter.labels(*labels) if labels else counter).inc(by)

    def heard(self, line: Mapping[str, Any]) -> None:
        """One event, as the journal has it."""
        event = str(line.get("event"))
        self.count("standfast_journal_lines_total", event)
        match event:
            case "planned":
                self.count("standfast_plans_total")
                self.set("standfast_plan_generation", float(line["generation"]))
            case "verdict":
                self.count("standfast_verdicts_total", str(line["state"]))
            case "probe":
                self.count("standfast_failed_checks_total")
            case "outcome":
                self.count("standfast_writes_total", str(line["result"]))
                if line.get("took_ms") is not None and (times := self._times.get("standfast_write_duration_seconds")):
                    times.observe(float(line["took_ms"]) / 1000)
            case "refused" | "settled":
                self._refuse(str(line["name"]), str(line["rule"]) if event == "refused" else "")
            case "collected":
                self.count("standfast_plans_collected_total", by=len(line.get("generations") or ()))

    def _refuse(self, name: str, rule: str) -> None:
        if rule:
            self._refused[name] = rule
        else:
            self._refused.pop(name, None)
        rules = list(self._refused.values())
        self.replace("standfast_refused_names", {(one,): float(rules.count(one)) for one in sorted(set(rules))})

    def beat(self, facts: Mapping[str, Any]) -> None:
        """A sign of life."""
        self._beaten_at = now = self._clock()
        self.set("standfast_troubles", float(len(facts.get("troubles") or ())))
        if (generation := facts.get("generation")) is not None:
            self.set("standfast_plan_generation", float(generation))
        for fact, name in _AGES:
            if (ago := facts.get(fact)) is not None:
                self.set(name, lambda at=now - float(ago): self._clock() - at)  # type: ignore[misc]
        if (waiting := facts.get("waiting")) is not None:
            self.set("standfast_waiting_endpoints", float(waiting))
        if isinstance(fleet := facts.get("fleet"), dict):
            states: dict[Labels, Value] = {(state,): float(count) for state, count in fleet.items() if state != "all"}
            self.replace("standfast_load_balancers", states)
        if isinstance(hosted := facts.get("route53"), dict):
            counted = {(str(zone), state): one.get(state) for zone, one in hosted.items() for state in _HOSTED}
            known: dict[Labels, Value] = {who: float(count) for who, count in counted.items() if count is not None}
            self.replace("standfast_route53_load_balancers", known)
        if self.role == "registry" and "held" in facts:
            self._leases(facts)
        if isinstance(back := facts.get("put_back"), dict):
            # whom somebody insists on is left after the second time, and must be alarmed about none the less
            insisted = {str(one["name"]): _INSISTED for one in facts.get("tugs") or ()}
            contested = insisted | {name: float(count) for name, count in back.items()}
            self.replace("standfast_contested_name", {(name,): count for name, count in contested.items()})

    def _leases(self, facts: Mapping[str, Any]) -> None:
        held, heard = int(facts["held"]), int(facts["heard"])
        self.replace("standfast_leases", {("yes",): float(heard), ("no",): float(held - heard)})
        self.set("standfast_leases_aging", 0.0 if facts["why"] else 1.0)
        self.set("standfast_lease_rate", float(facts["rate"]))
        self.set("standfast_lease_backlog", float(facts.get("backlog", 0)))
        for result in ("admitted", "refused"):
            before, self._requests[result] = self._requests.get(result, 0), int(facts[result])
            self.count("standfast_lease_requests_total", result, by=max(0, self._requests[result] - before))

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)
