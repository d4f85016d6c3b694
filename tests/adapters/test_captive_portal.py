"""Between us and whom we ask a portal answers everything with 200 and a page: nothing is known by that."""

from __future__ import annotations

import pytest

from conformance.provider_subject import TXT, ZONE, Client, a, below, exactly, txt
from harness.portal import PAGES, portal
from standfast.adapters.providers.route53 import Route53Provider
from standfast.adapters.providers.route53.calls import Access
from standfast.adapters.providers.route53.checks import CheckDesk
from standfast.adapters.providers.route53.pace import Pace
from standfast.adapters.sources import FleetUnknown
from standfast.adapters.sources.aws import AwsFleet
from standfast.adapters.stores.s3_bucket import Bucket, Place, Trouble
from standfast.config import AwsSource
from standfast.model.check import CheckSettings
from standfast.ports.checks import (
    DeleteCheck,
    ListChecks,
    ListUses,
    MakeCheck,
    MendCheck,
    ReadStatus,
    ReadTags,
    TagCheck,
)
from standfast.ports.provider import Prerequisite, Read, Unknown

ZONE_ID = "Z0123456789ABC"
TCP = CheckSettings("TCP", "127.0.0.1", port=9, interval_s=10, fall=3)
each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES.keys())


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "nobody's")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@each_page
@pytest.mark.parametrize("role", ["", "arn:aws:iam::123456789012:role/standfast"])
def test_route_53(page: bytes, role: str) -> None:
    """Neither is a name empty nor a change made; nor is anything sent twice."""
    with portal(page) as between:
        provider = Route53Provider(ZONE, ZONE_ID, access=Access(role, endpoint=between.url), pace=Pace(10_000, 10_000))
        client = Client(provider)
        assert isinstance(provider.perform(Read(ZONE, ((below("www"), TXT),))), Unknown)
        sent = len(between.asked)
        assert isinstance(client.replace([Prerequisite(below("m"), TXT, ())], [txt(below("m"), "g1")]), Unknown)
        assert isinstance(client.replace([exactly(txt(below("m"), "g1"))], [a(below("www"), 1)]), Unknown)
        assert len(between.asked) <= sent + 2, "the names are not known, so nothing but reading was tried"
        provider.close()


@each_page
def test_a_change_of_route_53_that_a_page_answers(page: bytes) -> None:
    """The change itself meets the portal: it may have been made or not."""
    with portal(page) as between:
        provider = Route53Provider(ZONE, ZONE_ID, access=Access(endpoint=between.url), pace=Pace(10_000, 10_000))
        provider._known[below("m")] = ()
        assert isinstance(
            Client(provider).replace([Prerequisite(below("m"), TXT, ())], [txt(below("m"), "g1")]), Unknown
        )
        assert [one.partition(" ")[0] for one in between.asked] == ["POST"]
        provider.close()


@each_page
def test_health_checks(page: bytes) -> None:
    with portal(page) as between:
        provider = Route53Provider(ZONE, ZONE_ID, access=Access(endpoint=between.url), pace=Pace(10_000, 10_000))
        desk = CheckDesk(ZONE, provider.calls, lambda: ZONE_ID)
        for request in (
            MakeCheck(ZONE, "sf-0", TCP),
            TagCheck(ZONE, "one", (("k", "v"),)),
            MendCheck(ZONE, "one", 1, TCP),
            DeleteCheck(ZONE, "one"),
            ListChecks(ZONE, "sf-"),
            ReadTags(ZONE, ("one",)),
            ReadStatus(ZONE, "one"),
            ListUses(ZONE),
        ):
            assert isinstance(desk.perform(request), Unknown), request
        provider.close()


@pytest.mark.parametrize("page", [PAGES["html"], PAGES["nothing"]], ids=["html", "nothing"])
def test_plans_in_s3(page: bytes) -> None:
    with portal(page) as between:
        bucket = Bucket(Place("plans", "edge/", "eu-west-1", between.url, 2.0))
        for ask in (
            lambda: bucket.get("catalogue"),
            lambda: bucket.put("catalogue", b"ours"),
            lambda: bucket.put("catalogue", b"ours", over='"e"'),
            lambda: bucket.has("catalogue"),
            lambda: bucket.delete(["one", "two"]),
            lambda: list(bucket.keys("packs/")),
        ):
            with pytest.raises(Trouble):
                ask()


@each_page
def test_load_balancers_of_aws(page: bytes) -> None:
    with portal(page) as between:
        source = AwsFleet(AwsSource("aws", region="eu-west-1", endpoint=between.url))
        assert isinstance(source.look(), FleetUnknown)
        source.close()
