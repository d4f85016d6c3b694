"""Network Load Balancers of one AWS region, by boto3 (`standfast[aws]`): one load balancer for each AZ of each.

Only those with addresses of their own can stand in plain DNS: Elastic IPs (or, internal, the private ones). What is
only a name is said to be that, and left out; if it was known with addresses, these stay.

The library's hidden retries are off, and its transport is replaced by our own (`fetching.py`), which bounds each answer
in bytes and time. Target health is an opinion on health, not membership: that it can't be read removes nothing.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from standfast.config import AwsSource, LoadBalancerConfig, asked_by, scalars
from standfast.config.scalars import BadValue
from standfast.model.fleet import Verdict

from ..awscalls import AUTHORITIES, Transport, sdk_config
from ..awsreplies import NOT_UNDERSTOOD, lacking, no_reply, not_understood, said
from . import FleetSeen, FleetUnknown, Sighting, SourceError
from .fetching import FetchError
from .labels import Labelled, labelled
from .pausing import Pausing

PAGES_MAX: Final = 50
TAGS_AT_ONCE: Final = 20
"""DescribeTags takes at most 20 load balancers."""
LOOK_S: Final = 45.0
"""A look as a whole, all pages and questions: less than the silence after which a source is said to hang."""
_SERVING: Final = frozenset({"active", "active_impaired"})
_ONLY_A_NAME: Final = (
    "has only a name here, {name}: plain DNS can't follow a name. Give the load balancer an Elastic IP in this AZ "
    "(subnet mapping with allocation id)"
)
Json = Mapping[str, Any]


class AwsFleet(Pausing):
    """The load balancers of a region that have all tags asked for."""

    def __init__(self, source: AwsSource) -> None:
        super().__init__()
        self._source = source
        self._deadline = 0.0
        self._transport = Transport(self._left)
        self._client = self._made()

    def _made(self) -> Any:
        try:
            import botocore.session
            from botocore.exceptions import BotoCoreError
        except ImportError:
            message = "The library for AWS is not installed."
            raise SourceError(message, "Install it: pip install 'standfast[aws]'.") from None
        source = self._source
        try:
            return self._transport.serve(botocore.session.get_session()).create_client(
                "elbv2",
                region_name=source.region,
                endpoint_url=source.endpoint,
                config=sdk_config(),
            )
        except FetchError as error:
            raise SourceError(f"AWS can't be asked: {error}.", AUTHORITIES) from None
        except (BotoCoreError, ValueError) as error:
            message = f"AWS can't be asked: {' '.join(str(error).split())}."
            raise SourceError(message, "Mend region, endpoint or the AWS configuration of this user.") from None

    def _left(self) -> float:
        """Seconds that an answer may take. Raises FetchError."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise FetchError(f"it has not answered all questions within {LOOK_S:g} s")
        return min(self._source.timeout_s, left)

    def look(self) -> Sighting:
        """All pages, tags and, if asked for, target health."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        self._deadline = time.monotonic() + LOOK_S
        try:
            chosen = self._chosen()
        except FetchError as error:
            return FleetUnknown(f"AWS {self._source.region}: {error.why}")
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            return FleetUnknown(f"AWS {self._source.region}: {_reason(error)}")
        except NOT_UNDERSTOOD as error:
            return FleetUnknown(f"AWS {self._source.region}: {not_understood(error)}")
        found: list[LoadBalancerConfig] = []
        unsure: list[tuple[str, str]] = []
        told: list[tuple[str, Verdict]] = []
        for one, tags in chosen:
            members, doubts = read_load_balancer(one, tags, self._source.scheme)
            found += members
            unsure += doubts
            if members and self._source.target_health != "off":
                verdict = self._target_health(str(one.get("LoadBalancerArn", "")))
                told += [(member.id, verdict) for member in members]
        return FleetSeen(tuple(found), "", tuple(unsure), tuple(told))

    # -- asking --------------------------------------------------------------------------------------------------

    def _chosen(self) -> list[tuple[Json, Mapping[str, str]]]:
        """Those of the scheme that have all tags, each with its tags."""
        everybody = list(self._pages("describe_load_balancers", "LoadBalancers", PageSize=400))
        scheme = self._source.scheme
        some = [one for one in everybody if one.get("Scheme", "internet-facing") == scheme]
        tags = self._tags([str(one.get("LoadBalancerArn", "")) for one in some])
        pairs = [(one, tags[str(one.get("LoadBalancerArn", ""))]) for one in some]
        return [(one, has) for one, has in pairs if all(has.get(key) == value for key, value in self._source.tags)]

    def _tags(self, arns: list[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for at in range(0, len(arns), TAGS_AT_ONCE):
            some = arns[at : at + TAGS_AT_ONCE]
            for one in self._answer("describe_tags", ResourceArns=some)["TagDescriptions"]:
                pairs = one.get("Tags", ())
                found[str(one.get("ResourceArn"))] = {
                    str(tag.get("Key", "")): str(tag.get("Value", "")) for tag in pairs
                }
            if missing := [arn for arn in some if arn not in found]:
                raise FetchError(f"it says nothing of the tags of {missing[0]}")
        return found

    def _target_health(self, arn: str) -> Verdict:
        """What the load balancer thinks of its targets. No answer and no target at all are no evidence."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        states: list[str] = []
        try:
            for group in self._pages("describe_target_groups", "TargetGroups", LoadBalancerArn=arn):
                arn_of_group = str(group.get("TargetGroupArn", ""))
                reply = self._answer("describe_target_health", TargetGroupArn=arn_of_group)
                states += [str(one.get("TargetHealth", {}).get("State")) for one in reply["TargetHealthDescriptions"]]
        except FetchError as error:
            return Verdict("unknown", f"target health can't be read: {error.why}")
        except (BotoCoreError, ClientError, ResponseParserError) as error:
            return Verdict("unknown", f"target health can't be read: {_reason(error)}")
        except NOT_UNDERSTOOD as error:
            return Verdict("unknown", f"target health can't be read: {not_understood(error)}")
        return target_verdict(states)

    def _pages(self, operation: str, key: str, **arguments: Any) -> Iterator[Json]:
        """All items of all pages."""
        marker, seen = "", set[str]()
        for _ in range(PAGES_MAX):
            reply = self._answer(operation, **arguments, **({"Marker": marker} if marker else {}))
            yield from reply[key]
            marker = str(reply.get("NextMarker") or "")
            if not marker:
                return
            if marker in seen:
                break
            seen.add(marker)
        raise FetchError(f"its pages of {key} never end")

    def _answer(self, operation: str, **arguments: Any) -> Mapping[str, Any]:
        """One answer of AWS's. A page without its list is no empty list. Raises FetchError, and what boto3 raises."""
        reply: Mapping[str, Any] = getattr(self._client, operation)(**arguments)
        if missing := lacking(self._client, self._client.meta.method_to_api_mapping[operation], reply):
            raise FetchError(no_reply(missing))
        return reply

    def close(self) -> None:
        """End a wait and let go of connections."""
        super().close()
        self._transport.close()


def _reason(error: Exception) -> str:
    """What the library says, on one line, with the remedy where it is known."""
    text = said(error)
    kind = type(error).__name__
    if kind in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
        return f"there are no credentials ({text}); give this process a role, or AWS_ACCESS_KEY_ID and its secret"
    if "AccessDenied" in text or "UnauthorizedOperation" in text:
        return f"{text}; docs/sources.md has the policy that is needed"
    return f"{text} ({kind})"


def target_verdict(states: list[str]) -> Verdict:
    """From the states of all targets to an opinion."""
    healthy = states.count("healthy")
    text = f"{healthy} of {len(states)} targets are healthy (AWS)"
    if healthy:
        return Verdict("up", text)
    if states and all(state in ("unhealthy", "draining", "unhealthy.draining") for state in states):
        return Verdict("down", text)
    return Verdict("unknown", text if states else "no target is registered (AWS)")


def read_load_balancer(
    one: Json, tags: Mapping[str, str], scheme: str
) -> tuple[list[LoadBalancerConfig], list[tuple[str, str]]]:
    """One load balancer for each AZ that has addresses; of all others (id, why they have none)."""
    name, dns = str(one.get("LoadBalancerName", "")), str(one.get("DNSName", ""))
    state = str(one.get("State", {}).get("Code", ""))
    found: list[LoadBalancerConfig] = []
    unsure: list[tuple[str, str]] = []
    for az in one.get("AvailabilityZones", ()):
        zone = str(az.get("ZoneName", ""))
        identity = f"{name}.{zone}"
        if state not in _SERVING:
            unsure.append((identity, f"its state is {state or 'not said'}"))
            continue
        try:
            addresses = _addresses(az, scheme)
            facts = labelled(_ours(tags))
        except BadValue as bad:
            unsure.append((identity, f"{bad.message} {bad.remedy}"))
            continue
        if not addresses:
            kind = "" if one.get("Type") == "network" else f"is of type {one.get('Type')} and "
            unsure.append((identity, kind + _ONLY_A_NAME.format(name=dns)))
            continue
        found.append(_one(identity, zone, addresses, facts))
    if not one.get("AvailabilityZones"):
        unsure.append((name, "it is in no AZ"))
    return found, unsure


def _one(identity: str, zone: str, addresses: list[str], facts: Labelled) -> LoadBalancerConfig:
    return LoadBalancerConfig(
        identity,
        zone,
        facts.pool,
        tuple(sorted(text for text in addresses if ":" not in text)),
        tuple(sorted(text for text in addresses if ":" in text)),
        facts.capacity,
        facts.admin,
        facts.port,
        asked_by(facts.admin, "its tags at AWS"),
    )


def _addresses(az: Json, scheme: str) -> list[str]:
    """Raises BadValue."""
    keys = ("IpAddress" if scheme == "internet-facing" else "PrivateIPv4Address", "IPv6Address")
    texts = (str(one[key]) for one in az.get("LoadBalancerAddresses", ()) for key in keys if one.get(key))
    return sorted({scalars.address(text) for text in texts})


def _ours(tags: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix("standfast:"): value for key, value in tags.items() if key.startswith("standfast:")}
