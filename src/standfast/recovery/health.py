"""What a row of health checks says of one load balancer: a pure automaton.

    unknown ──rise passes──▶ up ──fall failures──▶ down ──rise passes──▶ up
       └──────fall failures──────────────────────▶ down
    warming (a newcomer) ──rise passes, spread over warm_up_s──▶ up
    up, down ──nothing heard for 3 intervals──▶ unknown

Out quickly, back slowly: flapping costs generations. The numbers and their sources: fall 3, rise 6 at 5 s (HAProxy:
fall 3, rise 2 at 2 s; gdnsd: consecutive successes reset, 20 to come up against 10 to go down); 60 s of warm-up,
because in the outages of 2025 load balancers were in service before their network state had arrived. A failure
during warm-up starts it again and is never `down`: who was not admitted can't be removed.

Damping: who goes down again soon after it came back must pass longer each time before it returns: 60 s the second time,
then twice as long each time, at most `damp_max_s`. Once it was up for `calm_s` all that is forgotten. (RFC 2439 damps
routes likewise, with a penalty that decays; a count is easier to tell people.)

Silence is no evidence. A restarted planner knows nothing, so it starts from the last known verdict, which lapses like
any other, or from `unknown`, under which the planner leaves every load balancer where it is. Nor is a failure evidence
while the observer sees nothing at all (`sight.py`): it is as if the check had not been made.
"""

from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from standfast.model.fleet import Verdict, VerdictState

SILENT_INTERVALS: Final = 3
TOGETHER_TIMES: Final = 2
"""Who fails together with most of its AZ must fail so many times `fall` checks: a broken path to the AZ, or a hiccup of
what all of them lean on, is likelier than several deaths at one moment."""
FLAPS_MAX: Final = 32
"""Where the count stops, so that a load balancer that flaps for ever is one value too."""


class HealthPolicy(Struct, frozen=True):
    """Counts of consecutive checks, and seconds. `interval_s` is the time between two checks.

    `damp_s` is how long one must pass before it returns from its second fall; twice that from the third, and so on up
    to `damp_max_s` (0: no damping). After `calm_s` of being up its falls are forgotten.
    """

    fall: int = 3
    rise: int = 6
    warm_up_s: float = 60.0
    interval_s: float = 5.0
    damp_s: float = 60.0
    damp_max_s: float = 900.0
    calm_s: float = 600.0

    @property
    def silence_s(self) -> float:
        """Longest time without an observation before what is known lapses."""
        return SILENT_INTERVALS * self.interval_s

    def hold_s(self, flaps: int) -> float:
        """How long one that fell so often lately must pass before it returns."""
        if flaps < 2:
            return 0.0
        return min(self.damp_s * 2.0 ** (min(flaps, FLAPS_MAX) - 2), self.damp_max_s)


class Passed(Struct, frozen=True):
    """A check succeeded."""


class Failed(Struct, frozen=True):
    """A check failed; `reason` for people, such as "connection refused"."""

    reason: str


Observation: TypeAlias = Passed | Failed


class Evidence(Struct, frozen=True):
    """What else the observer sees when a check fails (`sight.py`).

    `witnessed`: another load balancer has passed since this one was last checked, so the observer does see. `least` is
    how many such failures there must be whatever `fall` says. `together` tells, in words, with how many of its AZ it
    fails at the same time; empty if it fails alone.
    """

    witnessed: bool = True
    least: int = 1
    together: str = ""


PLAIN: Final = Evidence()


class Health(Struct, frozen=True):
    """What is remembered of one load balancer's checks.

    `passes` and `failures` count consecutive ones and stop where more would mean nothing, so that a steady state is one
    value. `checked_at` is when the last check was over, `heard_at` when the last evidence (or the seed) came,
    `passing_since` and `failing_since` when the present row of passes or failures began, `up_since` when it last became
    up; all in the caller's seconds, None for never. `flaps` counts how often it fell soon after it had come back.
    `unseen`: its last failure was no evidence.
    """

    policy: HealthPolicy
    state: VerdictState
    reason: str
    passes: int = 0
    failures: int = 0
    checked_at: float | None = None
    heard_at: float | None = None
    passing_since: float | None = None
    failing_since: float | None = None
    up_since: float | None = None
    flaps: int = 0
    unseen: bool = False


def started(policy: HealthPolicy, now: float, *, newcomer: bool, seed: Verdict | None = None, flaps: int = 0) -> Health:
    """The automaton at its start. `newcomer`: the store has never heard of this load balancer.

    A seed is the verdict that was last known; it holds until checks say otherwise or silence lets it lapse. `flaps` is
    what was last told of those.
    """
    flaps = max(0, min(flaps, FLAPS_MAX))
    if seed is not None and seed.state in ("up", "down"):
        up_since = now if seed.state == "up" else None
        return Health(policy, seed.state, seed.reason, heard_at=now, up_since=up_since, flaps=flaps)
    if newcomer or (seed is not None and seed.state == "warming"):
        return Health(policy, "warming", _warming(policy))
    return Health(policy, "unknown", "not checked yet", flaps=flaps)


def observed(health: Health, observation: Observation, now: float, evidence: Evidence = PLAIN) -> Health:
    """After one more check, finished at `now`. `evidence` matters if it failed."""
    health = _lapsed(_rebased(health, now), now)
    if isinstance(observation, Passed):
        since = health.passing_since if health.passing_since is not None else now
        passes = min(health.passes + 1, health.policy.rise)
        heard = replace(health, passes=passes, failures=0, heard_at=now, passing_since=since)
        heard = replace(heard, checked_at=now, failing_since=None, unseen=False)
        return _risen(heard, now)
    return _fallen(health, observation.reason, now, evidence)


def verdict(health: Health, now: float) -> Verdict:
    """What is concluded at `now`. The words change only with the conclusion, so that plans don't differ by them."""
    current = _lapsed(health, now)
    return Verdict(current.state, current.reason)


def returns_at(health: Health, now: float) -> float | None:
    """When it will be up if every check goes on passing; None if it is up, or does not pass now."""
    current, policy = _lapsed(health, now), health.policy
    if current.state == "up" or current.passing_since is None:
        return None
    long = policy.warm_up_s if current.state == "warming" else policy.hold_s(current.flaps)
    return current.passing_since + max(long, (policy.rise - 1) * policy.interval_s)


def paced(health: Health, interval_s: float) -> Health:
    """The same, checked at another pace: an overloaded checker comes by less often (`rota.py`)."""
    if health.policy.interval_s == interval_s:
        return health
    return replace(health, policy=replace(health.policy, interval_s=interval_s))


def _fallen(health: Health, reason: str, now: float, evidence: Evidence) -> Health:
    policy = health.policy
    since = health.failing_since if health.failing_since is not None else now
    row = replace(health, passes=0, checked_at=now, passing_since=None, failing_since=since)
    if not evidence.witnessed:
        return replace(row, unseen=True)  # neither counted nor heard
    failures = min(health.failures + 1, max(TOGETHER_TIMES * policy.fall, evidence.least))
    heard = replace(row, failures=failures, heard_at=now, unseen=False)
    if heard.state == "warming":
        return replace(heard, reason=f"{_warming(policy)}; its last check failed: {reason}")
    if heard.state == "down":
        return heard
    needed = max(policy.fall * (TOGETHER_TIMES if evidence.together else 1), evidence.least)
    if failures < needed:
        return heard
    return _down(heard, _in_a_row(failures, reason), now, evidence.together)


def _down(health: Health, why: str, now: float, together: str) -> Health:
    policy, flaps = health.policy, health.flaps
    if health.state == "up":
        calm = health.up_since is not None and now - health.up_since >= policy.calm_s
        flaps = min((0 if calm else flaps) + 1, FLAPS_MAX)
    if together:
        why = f"{why} ({together})"
    if (hold := policy.hold_s(flaps)) > 0.0:
        why = f"{why}; it fell {_times(flaps)} lately, so it returns only after {hold:g} s of passed checks"
    return replace(health, state="down", reason=why, flaps=flaps, up_since=None)


def _risen(health: Health, now: float) -> Health:
    policy = health.policy
    if health.state == "up" or health.passes < policy.rise:
        return health
    passing = now - (health.passing_since or 0.0)
    if health.state != "warming":
        hold = policy.hold_s(health.flaps)
        if passing < hold:
            return health
        why = f"{_passed(policy.rise)}, over {hold:g} s because it flapped" if hold else _passed(policy.rise)
        return replace(health, state="up", reason=why, up_since=now)
    if passing < policy.warm_up_s:
        return replace(health, reason=_warming(policy))
    why = f"{_passed(policy.rise)}, and new ones pass for {policy.warm_up_s:g} s"
    return replace(health, state="up", reason=why, up_since=now)


def _lapsed(health: Health, now: float) -> Health:
    """With what silence has undone. A clock that went back is no silence."""
    if health.heard_at is None or now - health.heard_at <= health.policy.silence_s:
        return health
    why = f"not checked for more than {health.policy.silence_s:g} s"
    if health.unseen:
        why = "its checks fail, and so do all others: this observer sees nothing"
    if health.state == "warming":
        return Health(health.policy, "warming", f"{_warming(health.policy)}; {why}")
    return Health(health.policy, "unknown", why, flaps=health.flaps)


def _rebased(health: Health, now: float) -> Health:
    """With its moments moved along if the clock went back: what has lasted has lasted."""
    if health.heard_at is None or now >= health.heard_at:
        return health
    by = now - health.heard_at

    def moved(moment: float | None) -> float | None:
        return None if moment is None else moment + by

    return replace(
        health,
        heard_at=now,
        checked_at=moved(health.checked_at),
        passing_since=moved(health.passing_since),
        failing_since=moved(health.failing_since),
        up_since=moved(health.up_since),
    )


def _warming(policy: HealthPolicy) -> str:
    return f"new: admitted after {_passed(policy.rise)} over {policy.warm_up_s:g} s"


def _in_a_row(count: int, why: str) -> str:
    return f"failed {count} checks in a row: {why}" if count > 1 else f"failed a check: {why}"


def _passed(count: int) -> str:
    return f"{count} check{'' if count == 1 else 's'} passed"


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"
