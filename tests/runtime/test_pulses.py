"""The last checks of each load balancer: bounded, worst first, and read back as told."""

from standfast.runtime.pulses import KEPT, SHOWN_MAX, Pulse, Pulses, read_pulses


def test_the_last_checks_are_kept_with_the_last_failure_in_words() -> None:
    pulses = Pulses()
    for _ in range(KEPT):
        pulses.heard("lb-1", True, 0.0123, "")
    pulses.heard("lb-1", False, 2.0, "192.0.2.1:443 connection refused")
    pulses.heard("lb-1", None, 2.0, "no route from here")
    told = read_pulses(pulses.facts())["lb-1"]
    assert told.checks == "." * (KEPT - 2) + "x?"
    assert (told.took_ms, told.error, told.failed) == (12.3, "no route from here", 1)
    pulses.forget("lb-1")
    assert pulses.facts() == {}


def test_of_too_many_those_that_failed_are_told() -> None:
    pulses = Pulses()
    for number in range(SHOWN_MAX + 50):
        pulses.heard(f"lb-{number:04}", number < SHOWN_MAX + 49, 0.01, "timeout")
    facts = pulses.facts()
    assert len(facts) == SHOWN_MAX
    assert facts[f"lb-{SHOWN_MAX + 49:04}"] == ["x", None, "timeout"]


def test_what_cannot_be_understood_is_passed_over() -> None:
    assert read_pulses(None) == {}
    assert read_pulses({"lb-1": ["..x", None, ""], "lb-2": "x", "lb-3": [1, 2, 3]}) == {"lb-1": Pulse("..x", None, "")}
