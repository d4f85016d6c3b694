"""What is no reply of AWS's is known by what AWS always says, for every action that is asked for."""

from collections.abc import Mapping
from typing import Any

import boto3
import botocore.parsers
import pytest

from standfast.adapters.awsreplies import ALWAYS, NOT_UNDERSTOOD, lacking, no_reply

PAGES = (
    b"<!doctype html><html><head><title>Log in</title></head><body><p>Welcome</p></body></html>",
    b"<?xml version='1.0'?><html><body><h1>Log in</h1></body></html>",
)
ROUTE53 = ("GetHostedZone", "ListResourceRecordSets", "ChangeResourceRecordSets", "GetChange", "ListHealthChecks")


def client(service: str) -> Any:
    return boto3.session.Session().client(service, "eu-west-1")


def parsed(of: Any, action: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """As boto3 takes an answer with status 200."""
    model = of.meta.service_model
    parser = botocore.parsers.create_parser(model.resolved_protocol)
    found = parser.parse(
        {"body": body, "headers": dict(headers), "status_code": 200}, model.operation_model(action).output_shape
    )
    return dict(found)


@pytest.mark.parametrize("action", sorted(ALWAYS))
def test_a_page_for_people_is_no_reply(action: str) -> None:
    of = client("elbv2" if action.startswith("Describe") else "s3")
    for member in ALWAYS[action]:
        assert member in of.meta.service_model.operation_model(action).output_shape.members
    assert lacking(of, action, {}) == ALWAYS[action][0]
    understood = 0
    for page in PAGES:
        try:
            reply = parsed(of, action, page, {"content-type": "text/html"})
        except (botocore.parsers.ResponseParserError, *NOT_UNDERSTOOD):
            continue
        understood += 1
        assert lacking(of, action, reply) == ALWAYS[action][0]
    assert understood or action.startswith("Describe"), "the library takes it for an answer, and so must we not"


@pytest.mark.parametrize("action", [one for one in sorted(ALWAYS) if one.startswith("Describe")])
def test_a_reply_that_has_little_to_say_is_one(action: str) -> None:
    (member,) = ALWAYS[action]
    body = f"<{action}Response><{action}Result><{member}/></{action}Result></{action}Response>"
    assert lacking(client("elbv2"), action, parsed(client("elbv2"), action, body.encode(), {})) == ""


@pytest.mark.parametrize("action", ROUTE53)
def test_route_53_is_known_by_its_model_and_by_the_element_around_all(action: str) -> None:
    of = client("route53")
    for page in PAGES:
        try:
            reply = parsed(of, action, page, {})
        except (botocore.parsers.ResponseParserError, *NOT_UNDERSTOOD):
            continue
        assert lacking(of, action, reply, page)
    assert "this looks like the page of a proxy" in no_reply("ChangeInfo")
