"""One stand-in for each module of tests; every test makes zones of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from harness.route53 import Route53, running
from laboratory.zone53 import Zone53

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def route53() -> Iterator[Route53]:
    """A stand-in with one DNS server and no delays."""
    with running() as one:
        yield one


@pytest.fixture
def zone(route53: Route53) -> Zone53:
    """A fresh zone in it."""
    return Zone53.create(route53, f"zone{next(_numbers)}.example.com.")
