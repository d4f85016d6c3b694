"""Health checks: the API's rules, the checkers at work, and what unhealthy sets answer."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness.route53 import Route53, running
from laboratory.test_route53_answers import ask, data
from laboratory.zone53 import Zone53

WAIT_SECONDS = 60.0


class Endpoint(ThreadingHTTPServer):
    """A web server whose status a test sets."""

    daemon_threads = True
    status = 200
    body = b"all is well"

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Page(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    with Endpoint(("127.0.0.1", 0), _Page) as one:
        threading.Thread(target=one.serve_forever, args=(0.02,), daemon=True).start()
        yield one
        one.shutdown()


@pytest.fixture(scope="module")
def route53() -> Iterator[Route53]:
    """A stand-in whose health checks run a hundred times as fast."""
    with running("--hurry", "100") as one:
        yield one


def until(holds: Callable[[], bool]) -> None:
    """Who is well is waited for, too: hurried, a check waits a quarter of a second, and endpoints of a process that
    stands still so long are ill for a moment."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.02)


def create(route53: Route53, reference: str = "", **config: Any) -> str:
    settings = {"Type": "HTTP", "IPAddress": "127.0.0.1", "RequestInterval": 10, "FailureThreshold": 2, **config}
    settings = {name: value for name, value in settings.items() if value is not None}
    made = route53.client().create_health_check(
        CallerReference=reference or str(uuid.uuid4()), HealthCheckConfig=settings
    )
    return str(made["HealthCheck"]["Id"])


def calculated(route53: Route53, threshold: int, *children: str, **more: Any) -> str:
    config = {"Type": "CALCULATED", "HealthThreshold": threshold, "ChildHealthChecks": list(children), **more}
    made = route53.client().create_health_check(CallerReference=str(uuid.uuid4()), HealthCheckConfig=config)
    return str(made["HealthCheck"]["Id"])


def healthy(route53: Route53, check: str) -> bool:
    return bool(route53.order("verdict", check=check))


def agree(route53: Route53, *verdicts: tuple[str, bool]) -> bool:
    return all(healthy(route53, check) == verdict for check, verdict in verdicts)


def code(wrong: pytest.ExceptionInfo[ClientError]) -> str:
    return str(wrong.value.response["Error"]["Code"])


def test_an_endpoint_is_found_ill_and_well_again(route53: Route53) -> None:
    with endpoint() as web:
        check = create(route53, Port=web.port, ResourcePath="/health")
        until(lambda: bool(route53.client().get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]))
        until(lambda: healthy(route53, check))

        def report(ask_for: Callable[..., Any]) -> str:
            return str(ask_for(HealthCheckId=check)["HealthCheckObservations"][0]["StatusReport"]["Status"])

        def failed_last() -> str:
            """Of a check that was ill and is well again."""
            web.status = 503
            until(lambda: not healthy(route53, check))
            now = route53.client().get_health_check_status
            until(lambda: report(now) == "Failure: HTTP Status Code 503, Service Unavailable")
            web.status = 302
            until(lambda: healthy(route53, check))
            return report(route53.client().get_health_check_last_failure_reason)

        until(lambda: "503" in failed_last())  # once more, if a request came too late meanwhile


def test_a_search_string_has_to_be_there(route53: Route53) -> None:
    with endpoint() as web:
        check = create(route53, Type="HTTP_STR_MATCH", Port=web.port, SearchString="is well")
        late = create(route53, Type="HTTP_STR_MATCH", Port=web.port, SearchString="late")
        web.body = b"x" * 5120 + b"late, all is well"
        until(lambda: not healthy(route53, check))
        until(lambda: not healthy(route53, late))
        web.body = b"all is well"
        until(lambda: healthy(route53, check))


def test_https_looks_at_the_status_and_not_at_the_certificate(route53: Route53, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "anybody")])
    begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + datetime.timedelta(days=36500))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path / "both.pem"
    file.write_bytes(key.private_bytes(*form) + made.sign(key, hashes.SHA256()).public_bytes(form[0]))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, given, _context: asked.append(given)
    with endpoint() as web:
        web.socket = context.wrap_socket(web.socket, server_side=True)
        check = create(route53, Type="HTTPS", Port=web.port, FullyQualifiedDomainName="www.example.com")
        until(lambda: "www.example.com" in asked)
        web.status = 404
        until(lambda: not healthy(route53, check))
        web.status = 204
        until(lambda: healthy(route53, check))


def test_tcp(route53: Route53) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        check = create(route53, Type="TCP", Port=listener.getsockname()[1])
        until(lambda: bool(route53.client().get_health_check_status(HealthCheckId=check)["HealthCheckObservations"]))
        until(lambda: healthy(route53, check))
    until(lambda: not healthy(route53, check))


def test_a_check_of_a_records_address_can_lead_elsewhere(route53: Route53) -> None:
    with endpoint() as web:
        route53.order("via", checks={"192.0.2.44:80": f"127.0.0.1:{web.port}"})
        check = create(route53, IPAddress="192.0.2.44")
        web.status = 500
        until(lambda: not healthy(route53, check))
        web.status = 200
        until(lambda: healthy(route53, check))


def test_inverted_disabled_and_calculated(route53: Route53) -> None:
    with endpoint() as web:
        up = create(route53, Port=web.port)
        inverted = create(route53, Port=web.port, Inverted=True)
        down = create(route53, Port=web.port, ResourcePath="/", Type="HTTP_STR_MATCH", SearchString="never")
        until(lambda: not healthy(route53, down))
        until(lambda: [healthy(route53, one) for one in (up, inverted)] == [True, False])
        assert not healthy(route53, create(route53, Port=web.port, Inverted=True, Disabled=True))
        client = route53.client()
        client.update_health_check(HealthCheckId=down, Disabled=True)
        assert healthy(route53, down), "a disabled check is healthy"
        client.update_health_check(HealthCheckId=down, Disabled=False)
        until(lambda: not healthy(route53, down))
        for threshold, verdict in ((0, True), (1, True), (2, False), (3, False)):
            parent = calculated(route53, threshold, up, down)
            contrary = calculated(route53, threshold, up, down, Inverted=True)
            until(partial(agree, route53, (parent, verdict), (contrary, not verdict)))
        with pytest.raises(ClientError) as wrong:
            client.get_health_check_status(HealthCheckId=parent)
        assert code(wrong) == "InvalidInput"
        with pytest.raises(ClientError) as wrong:
            calculated(route53, 1, parent)
        assert code(wrong) == "InvalidInput"


def test_a_caller_reference_is_used_once(route53: Route53) -> None:
    reference = str(uuid.uuid4())
    one = create(route53, reference, Port=1)
    assert create(route53, reference, Port=1) == one
    with pytest.raises(ClientError) as wrong:
        create(route53, reference, Port=2)
    assert code(wrong) == "HealthCheckAlreadyExists"
    assert wrong.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    route53.client().delete_health_check(HealthCheckId=one)
    with pytest.raises(ClientError) as wrong:
        create(route53, reference, Port=1)
    assert code(wrong) == "HealthCheckAlreadyExists"


def test_an_update_names_the_version_it_saw(route53: Route53) -> None:
    check, client = create(route53, Port=1, FullyQualifiedDomainName="www.example.com"), route53.client()
    after = client.update_health_check(HealthCheckId=check, HealthCheckVersion=1, FailureThreshold=5)["HealthCheck"]
    assert (after["HealthCheckVersion"], after["HealthCheckConfig"]["FailureThreshold"]) == (2, 5)
    with pytest.raises(ClientError) as wrong:
        client.update_health_check(HealthCheckId=check, HealthCheckVersion=1, FailureThreshold=6)
    assert code(wrong) == "HealthCheckVersionMismatch"
    client.update_health_check(HealthCheckId=check, ResetElements=["FullyQualifiedDomainName"])
    assert (
        "FullyQualifiedDomainName"
        not in client.get_health_check(HealthCheckId=check)["HealthCheck"]["HealthCheckConfig"]
    )


@pytest.mark.parametrize(
    "config",
    [
        {"IPAddress": None},
        {"IPAddress": "300.1.1.1"},
        {"RequestInterval": 20},
        {"FailureThreshold": 0},
        {"FailureThreshold": 11},
        {"Port": 65536},
        {"Type": "HTTP_STR_MATCH"},
        {"SearchString": "x"},
        {"Type": "TCP"},
        {"Type": "CALCULATED"},
    ],
)
def test_settings_that_aws_refuses(route53: Route53, config: dict[str, Any]) -> None:
    # boto3 knows some of the limits itself; what is asked here is the service.
    client = route53.client()
    client.meta.config.parameter_validation = False
    with pytest.raises(Exception) as wrong:  # noqa: PT011
        create(route53, **config)
    assert "Invalid" in str(wrong.value)


def test_checks_are_listed_counted_and_deleted(route53: Route53) -> None:
    client = route53.client()
    made = {create(route53, Port=1) for _ in range(3)}
    pages = client.get_paginator("list_health_checks").paginate(PaginationConfig={"PageSize": 2})
    listed = [one["Id"] for page in pages for one in page["HealthChecks"]]
    assert made <= set(listed)
    assert listed == sorted(listed)
    assert client.get_health_check_count()["HealthCheckCount"] == len(listed)
    gone = made.pop()
    client.delete_health_check(HealthCheckId=gone)
    for ask_for in (client.get_health_check, client.delete_health_check, client.get_health_check_status):
        with pytest.raises(ClientError) as wrong:
            ask_for(HealthCheckId=gone)
        assert wrong.value.response["Error"]["Code"] == "NoSuchHealthCheck"
        assert f"A health check with id {gone} does not exist." in str(wrong.value)


def test_tags(route53: Route53) -> None:
    client, check = route53.client(), create(route53, Port=1)
    zone = Zone53.create(route53, "tags.example.com.")
    for kind, resource in (("healthcheck", check), ("hostedzone", zone.id)):
        client.change_tags_for_resource(
            ResourceType=kind, ResourceId=resource, AddTags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": ""}]
        )
        client.change_tags_for_resource(
            ResourceType=kind, ResourceId=resource, AddTags=[{"Key": "b", "Value": "2"}], RemoveTagKeys=["a"]
        )
        tags = client.list_tags_for_resource(ResourceType=kind, ResourceId=resource)["ResourceTagSet"]
        assert tags == {"ResourceType": kind, "ResourceId": resource, "Tags": [{"Key": "b", "Value": "2"}]}
    several = client.list_tags_for_resources(ResourceType="healthcheck", ResourceIds=[check])["ResourceTagSets"]
    assert [one["Tags"] for one in several] == [[{"Key": "b", "Value": "2"}]]
    with pytest.raises(ClientError) as wrong:
        client.list_tags_for_resource(ResourceType="healthcheck", ResourceId="no-such-check")
    assert code(wrong) == "NoSuchHealthCheck"


def test_unhealthy_sets_are_left_out_of_answers(route53: Route53) -> None:
    zone = Zone53.create(route53, "health.example.com.")
    with endpoint() as one, endpoint() as two:
        checks = [create(route53, Port=web.port) for web in (one, two)]
        zone.change(
            *(
                (
                    "CREATE",
                    zone.a("m", f"192.0.2.{n}", SetIdentifier=str(n), MultiValueAnswer=True, HealthCheckId=check),
                )
                for n, check in enumerate(checks)
            ),
            *(
                ("CREATE", zone.a("w", f"192.0.2.{n}", SetIdentifier=str(n), Weight=1 - n, HealthCheckId=check))
                for n, check in enumerate(checks)
            ),
            ("CREATE", zone.alias("tree", "w", evaluate=True, SetIdentifier="a", Weight=1)),
            ("CREATE", zone.a("spare", "192.0.2.9", SetIdentifier="s", Weight=1)),
            ("CREATE", zone.alias("tree", "spare", SetIdentifier="b", Weight=0)),
        )

        def answered(label: str) -> set[str]:
            return {line.split()[2] for _ in range(12) for line in data(ask(route53, zone.name(label)))}

        until(lambda: answered("m") == {"192.0.2.0", "192.0.2.1"})
        until(lambda: answered("w") == {"192.0.2.0"})  # a weight of 0 waits
        one.status = 500
        until(lambda: not healthy(route53, checks[0]))
        until(lambda: answered("m") == {"192.0.2.1"})
        until(lambda: answered("w") == {"192.0.2.1"})  # then the sets of weight 0 are considered
        until(lambda: answered("tree") == {"192.0.2.1"})
        two.status = 500
        until(lambda: not healthy(route53, checks[1]))
        assert answered("m") == {"192.0.2.0", "192.0.2.1"}, "if none is healthy, all are taken for healthy"
        assert answered("w") == {"192.0.2.0"}
        assert answered("tree") == {"192.0.2.9"}, "an alias inherits its target's health"
        route53.client().delete_health_check(HealthCheckId=checks[1])
        one.status = 200
        until(lambda: answered("m") == {"192.0.2.0"})
