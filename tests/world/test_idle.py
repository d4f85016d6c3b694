"""An idle pass makes a constant number of requests, whatever the size of the zone."""

import pytest
from bench.idle import idle_pass


@pytest.mark.parametrize("endpoints", [1, 50, 400])
def test_an_idle_pass_costs_two_requests(endpoints: int) -> None:
    assert idle_pass(endpoints).requests == (("ReadChanges", 1), ("ReadHead", 1))
