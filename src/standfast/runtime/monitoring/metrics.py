"""Every metric there is: name, type, help, labels, who has it, and why. Alerts and board are made of this list.

By the conventions: base units, `_total` for counters. No label has an address, and none a name of an endpoint but
where something is wrong with it, and then of `NAMED_MAX` at most: 10,000 endpoints are as many series as ten.
Ages are measured by the process's own monotonic clock when it is asked, since wall clocks of machines differ.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]
NAMED_MAX: Final = 50
SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metric(Struct, frozen=True):
    """One metric. `roles` are the processes that have it, `unit` is how the board shows it, `row` where."""

    name: str
    kind: Kind
    help: str
    reason: str
    roles: tuple[str, ...]
    labels: tuple[str, ...] = ()
    unit: str = "short"
    row: str = "Processes"


_ALL: Final = ("planner", "enactor", "cleaner", "monitor", "registry")
_P, _E, _C, _M, _R = (("planner",), ("enactor",), ("cleaner",), ("monitor",), ("registry",))
METRICS: Final = (
    Metric(
        "standfast_process_info",
        "gauge",
        "1; who this process is.",
        "joins role and name to what a target says; its absence says that nobody of a role is scraped",
        _ALL,
        ("role", "who", "stream", "version"),
    ),
    Metric(
        "standfast_beat_age_seconds",
        "gauge",
        "Seconds since this process's loop last came round.",
        "a process that hangs still answers a scrape",
        _ALL,
        unit="s",
    ),
    Metric(
        "standfast_troubles",
        "gauge",
        "How many things this process says are not well.",
        "one number to look at first; status and journal say which",
        _ALL,
    ),
    Metric(
        "standfast_plan_generation",
        "gauge",
        "The newest plan this process knows; 0: none.",
        "processes that know different plans show a store that was lost or is away",
        ("planner", "enactor"),
        row="Plans",
    ),
    Metric(
        "standfast_journal_lines_total",
        "counter",
        "Lines written to the journal, by event.",
        "every other rate is a rate of these",
        _ALL,
        ("event",),
        row="Journal and notifications",
    ),
    Metric(
        "standfast_journal_broken",
        "gauge",
        "1 while the journal can't be written: then only refills are.",
        "a full disk stops all writes but those",
        _ALL,
        row="Journal and notifications",
    ),
    Metric(
        "standfast_journal_size_bytes",
        "gauge",
        "All journal files of this machine together.",
        "what `journal: total` bounds",
        _ALL,
        unit="bytes",
        row="Journal and notifications",
    ),
    Metric(
        "standfast_plans_total",
        "counter",
        "Plans this planner published.",
        "flapping shows as a rate",
        _P,
        row="Plans",
    ),
    Metric(
        "standfast_pass_age_seconds",
        "gauge",
        "Seconds since a planning pass came to a conclusion, published or unchanged.",
        "a planner that can't read its store or publish goes on beating",
        _P,
        unit="s",
        row="Plans",
    ),
    Metric(
        "standfast_refused_names",
        "gauge",
        "Endpoints the planner refuses to change, by rule.",
        "a refusal needs a person",
        _P,
        ("rule",),
        row="Plans",
    ),
    Metric(
        "standfast_route53_load_balancers",
        "gauge",
        "Load balancers by what Route 53's own health checks say of them.",
        "where this differs from ours for long, one of us is wrong about who works",
        _P,
        ("zone", "state"),
    ),
    Metric(
        "standfast_load_balancers",
        "gauge",
        "Load balancers by what is thought of them.",
        "the fleet at a glance",
        _P,
        ("state",),
        row="Health",
    ),
    Metric(
        "standfast_verdicts_total",
        "counter",
        "Times a load balancer came to be thought of otherwise, by the new state.",
        "flapping shows before it reaches an answer",
        _P,
        ("state",),
        row="Health",
    ),
    Metric(
        "standfast_failed_checks_total",
        "counter",
        "Failed checks that changed no verdict.",
        "a load balancer that is going shows here first",
        _P,
        row="Health",
    ),
    Metric(
        "standfast_writes_total",
        "counter",
        "Outcomes of writes of endpoints, by result; conflict is fine.",
        "refused, blind and unrecorded are the ones to ask about",
        _E,
        ("result",),
        row="Writes",
    ),
    Metric(
        "standfast_write_duration_seconds",
        "histogram",
        "From sending a change to the DNS server's answer, one observation an endpoint.",
        "the server's share of the failover time",
        _E,
        unit="s",
        row="Writes",
    ),
    Metric(
        "standfast_look_age_seconds",
        "gauge",
        "Seconds since this enactor last looked at its zones.",
        "an enactor that doesn't look neither writes nor repairs",
        _E,
        unit="s",
        row="Writes",
    ),
    Metric(
        "standfast_waiting_endpoints",
        "gauge",
        "Endpoints that wait to be written.",
        "a backlog that does not fall is a DNS server that does not keep up",
        _E,
        row="Writes",
    ),
    Metric(
        "standfast_contested_name",
        "gauge",
        "How often in ten minutes this endpoint was put back, where that was more than chance.",
        "names whom somebody else keeps changing",
        _E,
        ("name",),
        row="Writes",
    ),
    Metric(
        "standfast_plans_collected_total",
        "counter",
        "Plans this cleaner collected.",
        "a store that only grows has a cleaner that is blocked",
        _C,
        row="Plans",
    ),
    Metric(
        "standfast_names",
        "gauge",
        "Endpoints by what a name server answers: whole, empty, mixed, foreign, behind, silent.",
        "what clients get, from every name server of the zone",
        _M,
        ("server", "state"),
        row="Answers",
    ),
    Metric(
        "standfast_wrong_name",
        "gauge",
        "1; an endpoint that a name server answers otherwise than planned.",
        "so that an alert can name it; at most 50",
        _M,
        ("name", "server", "state"),
        row="Answers",
    ),
    Metric(
        "standfast_server_behind_seconds",
        "gauge",
        "How long a name server has served something older of any endpoint.",
        "transfers that fail show here, and nowhere at the primary",
        _M,
        ("server",),
        unit="s",
        row="Answers",
    ),
    Metric(
        "standfast_round_age_seconds",
        "gauge",
        "Seconds since every name was last asked for, by name server.",
        "a prober that stopped must not look like answers that are fine",
        _M,
        ("server",),
        unit="s",
        row="Answers",
    ),
    Metric(
        "standfast_queries_total",
        "counter",
        "Queries the monitor sent, by whether they were answered.",
        "bounded by `monitor: rate`",
        _M,
        ("server", "result"),
        row="Answers",
    ),
    Metric(
        "standfast_held_name",
        "gauge",
        "1; an endpoint that is held or frozen: failover is off for it.",
        "a hold that is forgotten is an outage that waits",
        _M,
        ("name", "how"),
        row="Answers",
    ),
    Metric(
        "standfast_guarded_names",
        "gauge",
        "Endpoints for which a limit keeps a load balancer in the answer, by limit.",
        "panic and az_loss wait for a person, velocity for time",
        _M,
        ("rule",),
        row="Health",
    ),
    Metric(
        "standfast_healthy_ratio",
        "gauge",
        "The least share of capacity believed healthy of any endpoint.",
        "panic begins under `hold_below`",
        _M,
        unit="percentunit",
        row="Health",
    ),
    Metric(
        "standfast_standing",
        "gauge",
        "1 for the state that `standfast status` shows: FINE, HANDLED, HELD, FROZEN, BLIND, NEEDS YOU.",
        "the one sentence, over time",
        _M,
        ("kind",),
        row="Answers",
    ),
    Metric(
        "standfast_notifications_total",
        "counter",
        "Notifications by what became of them: sent, failed, dropped, repeated.",
        "a receiver that refuses them is found before it is needed",
        _M,
        ("result",),
        row="Journal and notifications",
    ),
    Metric(
        "standfast_notifications_waiting",
        "gauge",
        "Notifications that wait to be sent.",
        "a receiver that is slow or away",
        _M,
        row="Journal and notifications",
    ),
    Metric(
        "standfast_leases",
        "gauge",
        "Leases this registry holds, by whether their holder was heard within a term.",
        "a fleet that falls silent shows before its leases end",
        _R,
        ("heard",),
        row="Health",
    ),
    Metric(
        "standfast_leases_aging",
        "gauge",
        "1; 0 while the registry can't be sure that it is the holders who are silent: no lease ends then.",
        "who is gone stays in the fleet for as long",
        _R,
        row="Health",
    ),
    Metric(
        "standfast_lease_requests_total",
        "counter",
        "Requests for a lease, by whether they were let in or refused at the door.",
        "many refused: a fleet is coming back, or the registry is too slow for it",
        _R,
        ("result",),
        row="Health",
    ),
    Metric(
        "standfast_lease_rate",
        "gauge",
        "Leases a second that this registry can grant, as measured last.",
        "holders divided by it is how long a whole fleet takes to come back",
        _R,
        row="Health",
    ),
    Metric(
        "standfast_lease_backlog",
        "gauge",
        "Holders that were turned away with a moment to come again, which has not come yet.",
        "divided by the rate it is how long the fleet that comes back will still take",
        _R,
        row="Health",
    ),
)
BY_NAME: Final = {one.name: one for one in METRICS}
