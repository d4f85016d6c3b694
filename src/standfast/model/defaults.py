"""Every default that decides something, with its value, the reason and where that comes from: one table.

Configuration, policy and health take their defaults from here, or a test holds them to it. `standfast explain defaults`
shows it. Times are in seconds, shares fractions of one.
"""

from typing import Final, TypeAlias

from msgspec import Struct

Value: TypeAlias = int | float | str | tuple[float, float] | tuple[int, int] | None

TTL: Final = 60
MAX_ANSWERS: Final = 8
HOLD_BELOW: Final = 0.5
ON_PANIC: Final = "hold"
REMOVAL: Final = (0.34, 600.0)
ADDING: Final = (0.34, 60.0)
AZ_LOSS: Final = "auto"
AZ_OBSERVERS: Final = 2
AZ_REMAINING: Final = 0.6
AZ_CONFIRM_S: Final = 30.0
AZ_AGAIN_S: Final = 1800.0
RESERVE: Final = 0.2
COALESCE_S: Final = 60.0
ROTATION_S: Final = 0.0
SLOW_START_S: Final = 300.0
CHECK_INTERVAL_S: Final = 5.0
CHECK_TIMEOUT_S: Final = 2.0
FALL: Final = 3
RISE: Final = 6
WARM_UP_S: Final = 60.0
PLANS: Final = 100
PLAN_DAYS: Final = 30
PLANS_CAP: Final = 1000
TREES: Final = 2
NEGATIVE_S: Final = 900.0
"""How long a resolver may remember that a name of a hosted zone was not there, as AWS sets up its SOA."""
LAG_S: Final = 60.0
"""Within this Route 53 brings a change to all its name servers."""


class Default(Struct, frozen=True):
    """One default. `key` is where it is set, empty if it is not; `shown` the value as people write it."""

    setting: str
    key: str
    value: Value
    shown: str
    reason: str
    source: str


_JUDGED: Final = "judgement"

DEFAULTS: Final[tuple[Default, ...]] = (
    Default(
        "TTL of an endpoint", "policy.ttl", TTL, "60 s (noted below 30 and above 300)",
        "what fails over is asked for often enough; below 30 many do not follow, and each halving doubles queries",
        "AWS: 60 or 120 s for records that fail over; JVMs cache for a fixed time of their own",
    ),
    Default(
        "negative TTL", "", 60, "not ours: check notes a SOA minimum above 300 and advises 60",
        "what was missing for a moment is remembered as missing for so long",
        "RFC 2308 §5; October 2025: up to 15 min after the repair",
    ),
    Default(
        "check interval", "health.interval", CHECK_INTERVAL_S, "5 s ± 10 %",
        "5 s × 3 keeps detection, 17 s at most, well below the TTL: faster is invisible to clients",
        "HAProxy 2 s, Route 53 10 or 30 s, gdnsd 10 s",
    ),
    Default(
        "check timeout", "health.timeout", CHECK_TIMEOUT_S, "2 s",
        "who takes longer to answer a check is no help to users", "gdnsd 3 s",
    ),
    Default(
        "fall", "health.fall", FALL, "3 failed checks", "out quickly (15 s)", "HAProxy 3, Route 53 3",
    ),
    Default(
        "rise", "health.rise", RISE, "6 passed checks",
        "back slowly (30 s): flapping costs generations", "gdnsd: up needs twice what down needs",
    ),
    Default(
        "warm-up of a newcomer", "health.warm_up", WARM_UP_S, "60 s of passed checks",
        "nobody is admitted before its network is there, and who was not admitted can't be removed",
        "NLB, October 2025: in service before their network state had arrived",
    ),
    Default(
        "vantage points", "vantage", AZ_OBSERVERS, "1 is enough to begin; from 3 the majority; absent is unknown",
        "one that sees nothing may itself be cut off", "Route 53 asks many checkers",
    ),
    Default(
        "min_answers", "policy.min_answers", None, "2 if three load balancers or more are eligible, else 1; per family",
        "the last floor; 2 of 2 would forbid every failover", _JUDGED,
    ),
    Default(
        "max_answers", "policy.max_answers", MAX_ANSWERS, "8",
        "8 addresses fit any UDP answer", "Route 53 multivalue: 8",
    ),
    Default(
        "panic threshold", "policy.hold_below", HOLD_BELOW, "50 % of capacity believed healthy",
        "when half seems ill the checks are less credible than the answer that stands: nothing more is dropped",
        "Envoy 50 %, gdnsd up_thresh 0.5",
    ),
    Default(
        "in a panic", "policy.on_panic", ON_PANIC, "hold",
        "the last answer was chosen when something was seen; all: for those whose checks lie more often", _JUDGED,
    ),
    Default(
        "removal, for health", "policy.removal", REMOVAL, "34 % in 10 min, or one load balancer",
        "one AZ of three (33.4 %) passes; one always, else a pair never fails over",
        "octoDNS: 30 %, off under 10 records: the wrong way round at both ends",
    ),
    Default(
        "removal, by file or operator", "policy.removal", REMOVAL, "the same, and asked for (--yes --reason)",
        "people know; without consent it goes step by step as the windows allow", _JUDGED,
    ),
    Default(
        "adding back", "policy.adding", ADDING, "34 % in 60 s, or one load balancer",
        "what returns together is met by everybody at once, cold", _JUDGED,
    ),
    Default(
        "loss of an AZ", "policy.az_loss", AZ_LOSS,
        "auto: two outside agree, 60 % stays healthy, one in 30 min, half at once, half after 30 s; else asked for",
        "a dead third must not wait for a person, and checks that are wrong about an AZ must not take it",
        "AWS zonal autoshift insists on spare capacity; 60, for two AZs of three are 66.7 %",
    ),
    Default(
        "reserve", "policy.reserve", RESERVE, "20 % of capacity, where endpoints say what they need",
        "retries, and the next one that dies", _JUDGED,
    ),
    Default(
        "a source shrinks", "", 0.34, "by more than 34 %, or to nothing: unknown, held, told",
        "a page of a list that was lost looks like machines that are gone", "external-dns 2858, 414, 3841",
    ),
    Default(
        "a source is old", "", 120.0, "told after 2 min; nobody is removed for it", "unknown is not empty", "G6",
    ),
    Default(
        "slow lane", "policy.coalesce", COALESCE_S, "60 s",
        "capacity and additions can wait: one generation a TTL at most for their sake", _JUDGED,
    ),
    Default(
        "slow start", "policy.slow_start", SLOW_START_S, "5 min, a quarter of the weight at first",
        "caches are cold and connections closed; it counts where weights do: in a rotation, while others are warm",
        "HAProxy and Envoy: slow start",
    ),
    Default(
        "weighted rotation", "policy.rotation", ROTATION_S, "off",
        "to rotate a healthy answer makes writes, notifies, signatures and cache misses for nothing", _JUDGED,
    ),
    Default(
        "look of an enactor", "zone.look", 2.0, "2 s, all markers every 10 min",
        "one query whatever the size of the zone; damage by hand heals within one look", _JUDGED,
    ),
    Default(
        "full audit of the zone", "", 600.0, "10 min", "edits in a database leave the serial alone", _JUDGED,
    ),
    Default(
        "DNS timeout", "", 5.0, "5 s, then unknown: it is read", "a lost reply is settled by reading", "RFC 2136",
    ),
    Default(
        "retention of plans", "retention", (PLANS, PLAN_DAYS),
        "the newest 100 and 30 days, at most 1,000; pinned ones always",
        "post-mortems look back", "0.6 MB at 50,000 endpoints",
    ),
    Default(
        "retention of trees", "retention.trees", TREES, "2 an endpoint, besides those of root and rollback alias",
        "for people who look back; each is a record set a load balancer and family more, which costs above 10,000",
        _JUDGED,
    ),
    Default(
        "grace of trees", "retention.tree_grace", LAG_S,
        "auto: the largest TTL seen, the SOA's negative TTL, and 60 s for name servers that lag",
        "who was told of a tree may still ask for its records", "Route 53: changes reach all servers within 60 s",
    ),
    Default(
        "journal", "journal", (90, 1 << 30), "90 d or 1 GiB", "questions of an audit come a quarter late", _JUDGED,
    ),
    Default(
        "overrides and drains", "", (4 * 3600.0, 7 * 86_400.0), "end after 4 h, 7 d at most, and need a reason",
        'forgotten drains are the commonest cause of "why only five?"', _JUDGED,
    ),
    Default(
        "hold and freeze", "", None, "do not end by themselves; told after 1 h",
        "an automatic thaw at four in the morning is a second incident", _JUDGED,
    ),
    Default(
        "tug-of-war", "", 600.0, "the same foreign change twice in 10 min: left and told",
        "twice means it", "external-dns twins that undo each other every minute",
    ),
    Default(
        "BIND", "", 1, "advised: notify-delay 1, max-records-per-type 0",
        "5 s of the time to fail over are BIND's own", "BIND: notify-delay 5",
    ),
    Default(
        "where pages and metrics listen", "", "127.0.0.1", "127.0.0.1", "nobody else is to read them", "security",
    ),
)  # fmt: skip


def default_of(setting: str) -> Default:
    """The row of that setting. Raises KeyError."""
    return {one.setting: one for one in DEFAULTS}[setting]
