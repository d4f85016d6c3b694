"""The simulator's drivers keep the times of the processes that run in production."""

import inspect

import pytest

from standfast.adapters.providers.transport import Connection
from standfast.config.schema import HealthConfig
from standfast.recovery import catchup, sources
from standfast.recovery.health import HealthPolicy
from standfast.runtime import cleaning, enacting, planning, rounds, sharing, turns
from standfast.sim.swarm import cadence

PAIRS = {
    "ENACTOR_POLL_S": enacting.POLL_S,
    "AUDIT_S": enacting.AUDIT_S,
    "RETRY_S": catchup.RETRY_S,
    "PAUSE_S": turns.PAUSE_S,
    "PAUSE_MAX_S": turns.PAUSE_MAX_S,
    "ENDPOINTS_A_SECOND": turns.ENDPOINTS_A_SECOND,
    "PLANNER_POLL_S": planning.POLL_S,
    "PLANNER_LOOK_S": planning.LOOK_S,
    "SURVEY_S": planning.SURVEY_S,
    "PLANNER_RETRY_S": planning.RETRY_S,
    "PLANNER_RETRY_MAX_S": planning.RETRY_MAX_S,
    "SILENT_S": planning.SILENT_S,
    "SILENT_TIMES": planning.SILENT_TIMES,
    "DUE_AGAIN_S": planning.DUE_AGAIN_S,
    "SILENT_BEATS": sharing.SILENT_BEATS,
    "SHRINK_MAX": sources.SHRINK_MAX,
    "CLEANER_PASS_S": cleaning.PASS_S,
    "TREES_EVERY": cleaning.TREES_EVERY,
    "PROBE_JITTER": rounds.JITTER,
    "HEALTH_BEAT_S": max(planning.BEAT_S, HealthPolicy().interval_s),
    "LOOK_S": inspect.signature(enacting.EnactorProcess).parameters["look_s"].default,
    "PROVIDER_TIMEOUT_S": inspect.signature(Connection).parameters["timeout_s"].default,
}


@pytest.mark.parametrize("name", PAIRS)
def test_it_is_that_of_production(name: str) -> None:
    assert getattr(cadence, name) == PAIRS[name]


def test_every_time_is_compared() -> None:
    assert {name for name in vars(cadence) if name.isupper()} == PAIRS.keys()


def test_the_checks_are_those_of_a_configuration_without_wishes() -> None:
    config, policy = HealthConfig("tcp", 80), HealthPolicy()
    wanted = (config.fall, config.rise, config.warm_up_s, config.interval_s)
    assert wanted == (policy.fall, policy.rise, policy.warm_up_s, policy.interval_s)
