"""What a row of health checks says of one load balancer: a pure automaton.

    unknown ──rise passes──▶ up ──fall failures──▶ down ──rise passes──▶ up
       └──────fall failures──────────────────────▶ down
    warming (a newcomer) ──rise passes, spread over warm_up_s──▶ up
    up, down ──nothing heard for 3 intervals──▶ unknown

Out quickly, back slowly: flapping costs generations. The numbers and their sources: fall 3, rise 6 at 5 s (HAProxy:
fall 3, rise 2 at 2 s; gdnsd: consecutive successes reset, 20 to come up against 10 to go down); 60 s of warm-up,
because in the outages of 2025 load balancers were in service before their network state had arrived. A failure
during warm-up starts it again and is never `down`: who was not admitted can't be removed.

Silence is no evidence. A restarted planner knows nothing, so it starts from the last known verdict, which lapses like
any other, or from `unknown`, under which the planner leaves every load balancer where it is.
"""

from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.fleet import Verdict, VerdictState

SILENT_INTERVALS: Final = 3


class HealthPolicy(Struct, frozen=True):
    """Counts of consecutive checks, and seconds. `interval_s` is the time between two checks."""

    fall: int = 3
    rise: int = 6
    warm_up_s: float = 60.0
    interval_s: float = 5.0

    @property
    def silence_s(self) -> float:
        """Longest time without an observation before what is known lapses."""
        return SILENT_INTERVALS * self.interval_s


class Passed(Struct, frozen=True):
    """A check succeeded."""


class Failed(Struct, frozen=True):
    """A check failed; `reason` for people, such as "connection refused"."""

    reason: str


Observation: TypeAlias = Passed | Failed


class Health(Struct, frozen=True):
    """What is remembered of one load balancer's checks.

    `passes` and `failures` count consecutive ones and stop at rise and fall, so that a steady state is one value.
    `heard_at` is when the last observation (or the seed) came, `passing_since` when the present row of passes began;
    both in the caller's seconds, None for never.
    """

    policy: HealthPolicy
    state: VerdictState
    reason: str
    passes: int = 0
    failures: int = 0
    heard_at: float | None = None
    passing_since: float | None = None


def started(policy: HealthPolicy, now: float, *, newcomer: bool, seed: Verdict | None = None) -> Health:
    """The automaton at its start. `newcomer`: the store has never heard of this load balancer.

    A seed is the verdict that was last known; it holds until checks say otherwise or silence lets it lapse.
    """
    if seed is not None and seed.state in ("up", "down"):
        return Health(policy, seed.state, seed.reason, heard_at=now)
    if newcomer or (seed is not None and seed.state == "warming"):
        return Health(policy, "warming", _warming(policy))
    return Health(policy, "unknown", "not checked yet")


def observed(health: Health, observation: Observation, now: float) -> Health:
    """After one more check, finished at `now`."""
    health = _lapsed(health, now)
    policy = health.policy
    if isinstance(observation, Passed):
        since = health.passing_since if health.passing_since is not None else now
        passes = min(health.passes + 1, policy.rise)
        heard = replace(health, passes=passes, failures=0, heard_at=now, passing_since=since)
        return _risen(heard, now)
    failures = min(health.failures + 1, policy.fall)
    heard = replace(health, passes=0, failures=failures, heard_at=now, passing_since=None)
    if heard.state == "warming":
        return replace(heard, reason=f"{_warming(policy)}; its last check failed: {observation.reason}")
    if failures < policy.fall or heard.state == "down":
        return heard
    return replace(heard, state="down", reason=_in_a_row(policy.fall, observation.reason))


def verdict(health: Health, now: float) -> Verdict:
    """What is concluded at `now`. The words change only with the conclusion, so that plans don't differ by them."""
    current = _lapsed(health, now)
    return Verdict(current.state, current.reason)


def _risen(health: Health, now: float) -> Health:
    policy = health.policy
    if health.state == "up" or health.passes < policy.rise:
        return health
    if health.state != "warming":
        return replace(health, state="up", reason=_passed(policy.rise))
    if now - (health.passing_since or 0.0) < policy.warm_up_s:
        return replace(health, reason=_warming(policy))
    return replace(health, state="up", reason=f"{_passed(policy.rise)}, and new ones pass for {policy.warm_up_s:g} s")


def _lapsed(health: Health, now: float) -> Health:
    """With what silence has undone. A clock that went back is no silence."""
    if health.heard_at is None or now - health.heard_at <= health.policy.silence_s:
        return health
    why = f"not checked for more than {health.policy.silence_s:g} s"
    if health.state == "warming":
        return Health(health.policy, "warming", f"{_warming(health.policy)}; {why}")
    return Health(health.policy, "unknown", why)


def _warming(policy: HealthPolicy) -> str:
    return f"new: admitted after {_passed(policy.rise)} over {policy.warm_up_s:g} s"


def _in_a_row(count: int, why: str) -> str:
    return f"failed {count} checks in a row: {why}" if count > 1 else f"failed a check: {why}"


def _passed(count: int) -> str:
    return f"{count} check{'' if count == 1 else 's'} passed"
