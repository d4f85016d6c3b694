"""Whom TLS trusts towards AWS is said where AWS's own tools are told: AWS_CA_BUNDLE, for all that we ask there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conformance.provider_subject import TXT, ZONE, below
from harness.certificate import pair
from harness.portal import PAGES, portal
from standfast.adapters.providers.route53 import Route53Provider
from standfast.adapters.providers.route53.calls import Access
from standfast.adapters.providers.route53.pace import Pace
from standfast.adapters.sources import FleetUnknown, SourceError
from standfast.adapters.sources.aws import AwsFleet
from standfast.adapters.stores import s3_bucket
from standfast.adapters.stores.s3_bucket import Bucket, Place, Trouble
from standfast.config import AwsSource
from standfast.errors import StoreError
from standfast.ports.provider import Read, Unknown

AUTHORITIES = "AWS_CA_BUNDLE"


def route_53(url: str) -> str:
    provider = Route53Provider(ZONE, "Z0123456789ABC", access=Access(endpoint=url), pace=Pace(10_000, 10_000))
    reply = provider.perform(Read(ZONE, ((below("www"), TXT),)))
    provider.close()
    assert isinstance(reply, Unknown)
    return reply.why


def as_a_role(url: str) -> str:
    """STS is asked first."""
    access = Access("arn:aws:iam::123456789012:role/standfast", endpoint=url)
    provider = Route53Provider(ZONE, "Z0123456789ABC", access=access, pace=Pace(10_000, 10_000))
    reply = provider.perform(Read(ZONE, ((below("www"), TXT),)))
    provider.close()
    assert isinstance(reply, Unknown)
    return reply.why


def load_balancers(url: str) -> str:
    try:
        source = AwsFleet(AwsSource("aws", region="eu-west-1", endpoint=url))
    except SourceError as error:
        return f"{error.message} {error.remedy}"
    seen = source.look()
    source.close()
    assert isinstance(seen, FleetUnknown)
    return seen.why


def plans_in_s3(url: str) -> str:
    try:
        Bucket(Place("plans", "edge/", "eu-west-1", url, 5.0)).get("catalogue")
    except StoreError as error:
        return f"{error.message} {error.remedy}"
    except Trouble as error:
        return str(error)
    raise AssertionError("a portal has no plans")


each = pytest.mark.parametrize("ask", [route_53, as_a_role, load_balancers, plans_in_s3])


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody's")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", AUTHORITIES):
        monkeypatch.delenv(name, raising=False)
    s3_bucket._client.cache_clear()
    yield
    s3_bucket._client.cache_clear()


@each
def test_who_is_vouched_for_is_heard_and_nobody_else(
    ask: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers, with a page that is nothing of AWS's, to whom trusts its certificate."""
    proof = pair(tmp_path, "proxy")
    with portal(PAGES["html"], proof) as between:
        assert "certificate" in ask(between.url).lower()
        assert between.asked == []
        monkeypatch.setenv(AUTHORITIES, str(proof[0]))
        s3_bucket._client.cache_clear()
        why = ask(between.url)
        assert between.asked, why
        assert "certificate" not in why.lower()


@each
def test_authorities_that_cannot_be_read_are_said(ask: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(AUTHORITIES, "/nowhere/authorities.pem")
    why = ask("https://127.0.0.1:1")
    assert "the authorities in /nowhere/authorities.pem can't be read" in why
    assert "Mend AWS_CA_BUNDLE" in why
