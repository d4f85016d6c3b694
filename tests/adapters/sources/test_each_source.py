"""What only one kind of source has: mere names, tags, pages, target health; versions and 410; ETags."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import pytest

from conformance.source_kit import looked
from conformance.source_subject import OfAws, OfHttp, OfKubernetes, moto_server
from harness.cluster_api import ClusterApi, service
from standfast.adapters.sources import FleetSeen, FleetUnknown, SourceError, opening
from standfast.adapters.sources.aws import AwsFleet, target_verdict
from standfast.adapters.sources.cluster import cluster_of
from standfast.adapters.sources.http import HttpFleet
from standfast.adapters.sources.kubernetes import KubernetesFleet
from standfast.adapters.sources.opening import opened
from standfast.config import KubernetesSource, PluginSource, SecretReference

PATIENT_S = 30.0
"""Time-outs are not what is tested here."""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[OfAws]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    with moto_server() as url:
        subject = OfAws(url)
        subject.config = replace(subject.config, timeout_s=PATIENT_S)
        yield subject
        subject.end()


def test_aws(aws: OfAws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.put(*range(1, 24))  # more than DescribeTags takes at once
    aws.create("other", role="db")
    aws.create("app", kind="application")
    aws.create("bare", **{"standfast:pool": "x"})
    group = aws.elb.create_target_group(Name="t", Protocol="TCP", Port=80, VpcId=aws.vpc, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": arn}]
    aws.elb.create_listener(LoadBalancerArn=aws.arns[1], Protocol="TCP", Port=80, DefaultActions=forward)
    aws.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.5", "Port": 80}])
    source = AwsFleet(aws.config)
    seen: FleetSeen = looked(source, FleetSeen)
    assert len(seen.load_balancers) == 23, "those without the tag are not meant"
    assert {one.az for one in seen.load_balancers} == {"eu-west-1a"}
    doubts = dict(seen.unsure)
    assert "is of type application and has only a name here, app-1.eu-west-1.elb" in doubts["app.eu-west-1a"]
    assert "plain DNS can't follow a name. Give the load balancer an Elastic IP" in doubts["bare.eu-west-1a"]
    told = dict(seen.told)
    assert told[aws.identity(1)].state == "up"
    assert told[aws.identity(2)].state == "unknown", "no target is no evidence"
    asked = len(aws.server.asked)
    aws.server.misbehaving("500")
    assert isinstance(source.look(), FleetUnknown)
    assert len(aws.server.asked) == asked + 1, "nothing is tried again in secret"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    source.close()
    source = AwsFleet(aws.config)
    unknown = source.look()
    source.close()
    assert isinstance(unknown, FleetUnknown)
    assert "there are no credentials" in unknown.why


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (["healthy", "unhealthy"], "up"),
        (["unhealthy", "draining"], "down"),
        (["unhealthy", "initial"], "unknown"),
        (["unavailable"], "unknown"),
        ([], "unknown"),
    ],
)
def test_target_health_is_an_opinion(states: list[str], state: str) -> None:
    assert target_verdict(states).state == state


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[OfKubernetes]:
    subject = OfKubernetes(tmp_path, "services")
    subject.config = replace(subject.config, timeout_s=PATIENT_S)
    yield subject
    subject.end()


def ids(source: KubernetesFleet, wanted: Callable[[list[str]], bool]) -> list[str]:
    for _ in range(200):
        found = [one.id for one in looked(source, FleetSeen).load_balancers]
        if wanted(found):
            return found
        source.wait(0.1)
    raise AssertionError(found)


@pytest.mark.parametrize("as_event", [True, False])
def test_a_version_that_is_gone_is_listed_anew(cluster: OfKubernetes, as_event: bool) -> None:
    api = cluster.api
    api.gone_as_event, api.bookmark_s = as_event, 1e9
    cluster.put(1, 2)
    source = KubernetesFleet(cluster.config, watch_s=30)
    ids(source, lambda found: len(found) == 2)
    cluster.put(1, 2, 3)
    api.compact()
    api.cut()
    assert ids(source, lambda found: len(found) == 3) == ["edge.in-1", "edge.in-2", "edge.in-3"]
    source.close()


def test_a_watch_that_is_cut_goes_on_where_it_was(cluster: OfKubernetes) -> None:
    cluster.put(1, 2)
    source = KubernetesFleet(cluster.config, watch_s=30)
    ids(source, lambda found: len(found) == 2)
    for _ in range(200):  # until a bookmark: who has heard nothing of a watch that is cut lists anew
        source.wait(0.1)
        if source._heard:
            break
    assert source._heard
    lists = sum("watch=1" not in one for one in cluster.api.server.asked)
    for number in (3, 4):
        cluster.api.cut()
        cluster.put(1, 2, *range(3, number + 1))
        ids(source, lambda found, number=number: len(found) == number)  # type: ignore[misc]
    assert sum("watch=1" not in one for one in cluster.api.server.asked) == lists, "without another list"
    source.close()


def test_pages_names_and_objects_without_address_or_az(cluster: OfKubernetes, tmp_path: Path) -> None:
    api = cluster.api
    api.page = 2
    cluster.put(1, 2, 3, 4, 5)
    for item in (
        service("named", "lb.example.net"),
        service("bare"),
        service("lost", "192.0.2.50", az=""),
        service("bad", "192.0.2.51", capacity="much"),
        service("full", "192.0.2.60", "2001:db8::60", pool="fips", capacity="7", admin="drain", port="8443"),
        {**service("inner", "10.0.0.1"), "spec": {"type": "ClusterIP"}},
    ):
        api.put(item)
    source = KubernetesFleet(cluster.config, watch_s=30)
    seen: FleetSeen = looked(source, FleetSeen)
    source.close()
    assert len(seen.load_balancers) == 6
    full = next(one for one in seen.load_balancers if one.id == "edge.full")
    assert full.why == "drained by its annotation in Kubernetes"
    assert (full.pool, full.capacity, full.admin, full.port, full.ipv6) == ("fips", 7, "drain", 8443, ("2001:db8::60",))
    doubts = dict(seen.unsure)
    assert "It has only a name, lb.example.net: plain DNS can't follow a name." in doubts["edge.named"]
    assert "It has no address at present." in doubts["edge.bare"]
    assert "does not say in which AZ" in doubts["edge.lost"]
    assert '"much" is not a capacity' in doubts["edge.bad"]
    (tmp_path / "token").write_text("wrong")
    source = KubernetesFleet(cluster.config)
    refused = source.look()
    source.close()
    assert isinstance(refused, FleetUnknown)
    assert "HTTP 401: the token or header is missing or not accepted" in refused.why


def test_outside_a_cluster_a_server_must_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(SourceError, match="does not run in a cluster"):
        cluster_of(KubernetesSource("k", "nodes"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "2001:db8::1")
    inside = cluster_of(KubernetesSource("k", "nodes"), tmp_path)
    assert (inside.server, inside.ca) == ("https://[2001:db8::1]:443", tmp_path / "ca.crt")
    assert inside.token == SecretReference(f"file:{tmp_path / 'token'}", tmp_path)


def test_the_query_of_a_url_is_told_to_nobody(tmp_path: Path) -> None:
    """Journal, status and page have what a source says; some services take their token there."""
    subject = OfHttp(tmp_path)
    source = HttpFleet(replace(subject.config, url=f"{subject.config.url}/nothing?token=very-secret"))
    said = source.look()
    source.close()
    subject.end()
    assert isinstance(said, FleetUnknown)
    assert "very-secret" not in said.why
    assert "/nothing: " in said.why


def test_an_unchanged_document_is_not_sent_again(tmp_path: Path) -> None:
    subject = OfHttp(tmp_path)
    subject.put(1, 2)
    source = HttpFleet(replace(subject.config, timeout_s=10.0))
    first = source.look()
    assert isinstance(first, FleetSeen)
    assert source.look() is first
    assert subject.unchanged == 1
    (tmp_path / "token").write_text("Bearer other")
    refused = source.look()
    assert isinstance(refused, FleetUnknown)
    assert "HTTP 401" in refused.why
    assert "other" not in refused.why
    (tmp_path / "token").write_text("Bearer letmein")
    assert source.look() == first, "a secret is read anew each time"
    source.close()
    subject.end()


def fine(name: str, options: dict[str, str]) -> Any:
    return OfHttp.__new__(OfHttp) if options else object()


def broken(name: str, options: dict[str, str]) -> Any:
    raise KeyError("token")


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ((), "No installed package has a source inventory"),
        (("fine", "fine"), "Several packages have a source inventory"),
        (("nothing",), "can't be opened: AttributeError"),
        (("broken",), "can't be opened: KeyError: 'token'"),
        (("fine",), "has no look and no wait and no close. Its author finds the contract in docs/sources.md"),
    ],
)
def test_bad_plugins_are_told_with_a_remedy(
    points: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = [EntryPoint("inventory", f"{__name__}:{name}", opening.GROUP) for name in points]
    monkeypatch.setattr(opening, "entry_points", lambda group: EntryPoints(some))
    with pytest.raises(SourceError) as raised:
        opened(PluginSource("inventory", "inventory"))
    assert said in " ".join(str(raised.value).split())


def test_an_api_server_that_forgets_at_once_is_unknown(cluster: OfKubernetes) -> None:
    api: ClusterApi = cluster.api
    api.gone_as_event = False
    cluster.put(1)
    api._oldest = 10**9
    source = KubernetesFleet(cluster.config)
    unknown = source.look()
    source.close()
    assert isinstance(unknown, FleetUnknown)
    assert "410 Gone" in unknown.why
