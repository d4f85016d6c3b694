"""The table of defaults is what the program does."""

import inspect
import json

import pytest
from click.testing import CliRunner

from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.cli.explain import explain_command
from standfast.config import check
from standfast.config.endpoints import TTL_LONG, TTL_SHORT
from standfast.config.schema import HealthConfig, PolicyConfig, RetentionConfig
from standfast.config.signals import JournalConfig
from standfast.core.beliefs import TUG_WINDOW_S
from standfast.core.cleaner import Retention
from standfast.model.defaults import DEFAULTS, LAG_S, PLANS_CAP, default_of
from standfast.model.override import LASTS_DEFAULT_S, LASTS_MAX_S
from standfast.model.policy import EndpointPolicy
from standfast.recovery.health import HealthPolicy
from standfast.recovery.sources import SHRINK_MAX, WARN_S
from standfast.runtime.enacting import AUDIT_S
from standfast.runtime.planning import SURVEY_S

CONFIG, _, _ = check(
    "zone: {name: lb.example.com, provider: rfc2136, server: 127.0.0.1, tsig: env:NONE}\n"
    "health: {http: /healthz}\nload_balancers: {a: {az: a, ip: [192.0.2.1]}}\nendpoints: {www: {}}\n".replace(
        "rfc2136, server: 127.0.0.1, tsig: env:NONE", "embedded"
    ),
    "f.yaml",
)
POLICY, HEALTH = EndpointPolicy("www.example", "example"), HealthPolicy()
ACTUAL = {
    "TTL of an endpoint": POLICY.ttl,
    "check interval": HEALTH.interval_s,
    "check timeout": HealthConfig("http", 80).timeout_s,
    "fall": HEALTH.fall,
    "rise": HEALTH.rise,
    "warm-up of a newcomer": HEALTH.warm_up_s,
    "min_answers": POLICY.min_answers,
    "max_answers": POLICY.max_answers,
    "panic threshold": POLICY.hold_below,
    "in a panic": POLICY.on_panic,
    "removal, for health": (POLICY.removal_share, POLICY.removal_window_s),
    "removal, by file or operator": (POLICY.removal_share, POLICY.removal_window_s),
    "adding back": (POLICY.adding_share, POLICY.adding_window_s),
    "loss of an AZ": POLICY.az_loss,
    "reserve": POLICY.reserve,
    "slow lane": PolicyConfig().coalesce_s,
    "slow start": PolicyConfig().slow_start_s,
    "weighted rotation": POLICY.rotation_s,
    "a source shrinks": SHRINK_MAX,
    "a source is old": WARN_S,
    "full audit of the zone": AUDIT_S,
    "DNS timeout": inspect.signature(Rfc2136Provider).parameters["timeout_s"].default,
    "retention of trees": RetentionConfig().trees,
    "grace of trees": LAG_S,
    "retention of plans": (RetentionConfig().plans, RetentionConfig().days),
    "journal": (JournalConfig().days, JournalConfig().total),
    "overrides and drains": (LASTS_DEFAULT_S, LASTS_MAX_S),
    "tug-of-war": TUG_WINDOW_S,
}


@pytest.mark.parametrize("setting", ACTUAL)
def test_the_table_says_what_the_program_does(setting: str) -> None:
    assert default_of(setting).value == ACTUAL[setting]


def test_what_a_file_without_settings_means() -> None:
    assert CONFIG is not None
    (www,) = CONFIG.endpoints
    assert (www.ttl, www.max_answers, www.hold_below) == (60, 8, 0.5)
    assert (www.removal_share, www.removal_window_s) == default_of("removal, for health").value
    assert (www.adding_share, www.adding_window_s) == default_of("adding back").value
    assert (www.az_loss, www.on_panic, www.rotation_s, www.reserve) == ("auto", "hold", 0.0, 0.2)
    health = CONFIG.health
    assert health is not None
    assert (health.interval_s, health.timeout_s, health.fall, health.rise, health.warm_up_s) == (5.0, 2.0, 3, 6, 60.0)
    assert (30, 300, AUDIT_S, Retention().cap) == (TTL_SHORT, TTL_LONG, SURVEY_S, PLANS_CAP)


def test_every_row_has_a_reason_and_a_name_of_its_own() -> None:
    assert len({one.setting for one in DEFAULTS}) == len(DEFAULTS)
    assert all(one.reason and one.shown and one.source for one in DEFAULTS)


def test_they_are_shown_as_text_and_for_machines() -> None:
    text = CliRunner().invoke(explain_command, ["defaults"])
    assert text.exit_code == 0, text.output
    assert "adding back: 34 % in 60 s, or one load balancer   [policy.adding]" in text.output
    told = json.loads(CliRunner().invoke(explain_command, ["defaults", "--json"]).output)
    assert [one["setting"] for one in told["defaults"]] == [one.setting for one in DEFAULTS]
    assert {"setting", "key", "value", "shown", "reason", "source"} == told["defaults"][0].keys()
