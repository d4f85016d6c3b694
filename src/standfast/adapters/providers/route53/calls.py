"""Route 53's API, call by call: paced, sent once, and every failure one of a few kinds.

throttled, busy     refused for now: so many requests an account, or another change of this zone under way
conflict            the batch did not fit what stands there; nothing was changed
refused             it will not, and asking again is no use
unknown             nobody knows
"""

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from standfast.errors import ProviderError
from standfast.model.rrset import TTL_MAX

from ...awscalls import AUTHORITIES, Transport, sdk_config
from ...awsreplies import NOT_UNDERSTOOD, PROXY, lacking, no_reply, not_understood, said
from ...sources.fetching import FetchError
from .pace import Pace

Why: TypeAlias = Literal["throttled", "busy", "conflict", "refused", "unknown"]
PAGE: Final = 300
"""So many record sets are in one answer at most (ListResourceRecordSets, MaxItems)."""
_THROTTLED: Final = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"})
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_BAD_CREDENTIALS: Final = frozenset(
    {
        *("InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException"),
        *("IncompleteSignature", "MissingAuthenticationToken", "InvalidSignatureException", "RequestExpired"),
    }
)
"""Looked for anew at the next request: in a file or from a machine's role they may have been renewed meanwhile."""
_NO_CREDENTIALS: Final = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"}
)
CHANGE: Final = "ChangeResourceRecordSets"
NO_ZONE: Final = "NoSuchHostedZone"
_OCCUPIED: Final = (
    "but it was not found",
    "do not match the current values",
    "but it already exists",
    "already exists in zone",
    "but that target was not found",
    "as other RRSets exist",
    "set exists with the same name",
    "answer rrset exists",
)
"""How messages of InvalidChangeBatch end that mean that something else stands there than was thought."""

_TARGET: Final = re.compile(r"in zone (\w+), but that target was not found")
"""In another zone than ours nothing stands otherwise than was thought: the name is wrong, reading again is no use."""
_NAMED: Final = re.compile(r"name='([^']+)'|DNS name (\S+)")
"""How messages of InvalidChangeBatch name record sets: all that is wrong with a batch is in one message."""


class CallFailed(Exception):
    """`why` is a clause for people, `kind` what may be concluded; `denied`: a right is missing. `code` is AWS's, and
    `names` are those that it says something about, in its own form."""

    def __init__(self, kind: Why, why: str, *, denied: bool = False) -> None:
        super().__init__(why)
        self.kind, self.why, self.denied, self.code = kind, why, denied, ""
        self.names: tuple[str, ...] = ()


class Access(Struct, frozen=True):
    """How a role reaches AWS. Empty: as the ordinary chain has it (environment, profile, the machine's role).

    `role` is the ARN of a role that is assumed, `session` by what name; `endpoint` a URL in place of AWS's own, which
    AWS_ENDPOINT_URL can give as well. Route 53 is one for all regions; `region` is where STS is asked.
    """

    role: str = ""
    session: str = "standfast"
    region: str = ""
    endpoint: str = ""


class Page(Struct, frozen=True):
    """Some record sets in Route 53's order; `following` is where the rest begins, None if there is no rest."""

    raws: tuple[Mapping[str, Any], ...]
    following: tuple[str, str, str] | None


class Calls:
    """One account, one thread. `timeout_s` bounds each call, waiting for its turn included."""

    def __init__(self, access: Access, pace: Pace, *, timeout_s: float = 10.0) -> None:
        self.access, self.pace, self._timeout_s = access, pace, timeout_s
        self._deadline = 0.0
        self._transport = Transport(lambda: self._deadline - time.monotonic())
        self._client: Any = None
        self.sent: Counter[str] = Counter()
        """So many requests of each action so far."""

    def close(self) -> None:
        """Let go of connections."""
        self._transport.close()

    # -- what may be asked ---------------------------------------------------------------------------------------

    def zones_named(self, name: str) -> list[tuple[str, bool]]:
        """(id, private) of every hosted zone of that name. Raises CallFailed."""
        reply = self._call("list_hosted_zones_by_name", "ListHostedZonesByName", DNSName=name, MaxItems="100")
        some = [one for one in reply["HostedZones"] if one.get("Name") == f"{name}."]
        return [(bare(one["Id"]), bool(one.get("Config", {}).get("PrivateZone"))) for one in some]

    def zone(self, zone_id: str) -> tuple[str, tuple[str, ...], bool]:
        """(name, name servers, whether it is private) of a hosted zone. Raises CallFailed."""
        reply = self._call("get_hosted_zone", "GetHostedZone", Id=zone_id)
        servers = reply.get("DelegationSet", {}).get("NameServers", ())
        private = bool(reply["HostedZone"].get("Config", {}).get("PrivateZone"))
        name = str(reply["HostedZone"]["Name"]).removesuffix(".")
        return name, tuple(one.removesuffix(".") for one in servers), private

    def listed(self, zone_id: str, start: tuple[str, str, str], items: int) -> Page:
        """Record sets from a name on (and a type and identifier, where one page left off). Raises CallFailed."""
        name, kind, identifier = start
        more = {"StartRecordType": kind} if kind else {}
        more |= {"StartRecordIdentifier": identifier} if identifier else {}
        reply = self._call(
            "list_resource_record_sets",
            "ListResourceRecordSets",
            HostedZoneId=zone_id,
            StartRecordName=name,
            MaxItems=str(min(items, PAGE)),
            **more,
        )
        raws = tuple(reply["ResourceRecordSets"])
        if any(not 0 <= raw.get(number, 0) <= TTL_MAX for raw in raws for number in ("TTL", "Weight")):
            raise CallFailed("unknown", "Route 53 gives a record set a TTL or weight that no record set has")
        if not reply["IsTruncated"]:
            return Page(raws, None)
        following = (str(reply.get("NextRecordName", "")), str(reply.get("NextRecordType", "")))
        if not all(following):
            raise CallFailed("unknown", "Route 53 says that there is more and not where")
        return Page(raws, (*following, str(reply.get("NextRecordIdentifier", ""))))

    def change(self, zone_id: str, changes: Sequence[Mapping[str, Any]]) -> None:
        """All of them at once, sent once, ever. Raises CallFailed."""
        batch = {"Changes": list(changes)}
        self._call("change_resource_record_sets", CHANGE, HostedZoneId=zone_id, ChangeBatch=batch)

    def ask(self, method: str, action: str, **arguments: Any) -> Mapping[str, Any]:
        """Another call, by the library's name and by AWS's. Raises CallFailed."""
        return self._call(method, action, **arguments)

    # -- how it is asked -----------------------------------------------------------------------------------------

    def _call(self, method: str, action: str, **arguments: Any) -> Mapping[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
        from botocore.parsers import ResponseParserError

        self._deadline = time.monotonic() + self._timeout_s
        if not self.pace.turn(self._timeout_s / 2, last=action == CHANGE):
            if self.pace.ending:
                raise CallFailed("unknown", f"this process ends, and asks nothing any more ({action})")
            raise CallFailed("throttled", f"so many requests are due that this one ({action}) would wait too long")
        try:
            if self._client is None:
                self._client = self._made()
            self.sent[action] += 1
            reply: Mapping[str, Any] = getattr(self._client, method)(**arguments)
        except ClientError as error:
            failure = self._failure(action, error.response, str(arguments.get("HostedZoneId", "")))
            failure.code = str(error.response.get("Error", {}).get("Code", ""))
            if failure.code in _BAD_CREDENTIALS:
                self._client = None
            raise failure from None
        except FetchError as error:
            raise CallFailed("unknown", f"Route 53 ({action}): {error.why}") from None
        except ParamValidationError as error:
            raise CallFailed("refused", f"Route 53 ({action}): {said(error)}; nothing was sent") from None
        except (BotoCoreError, ResponseParserError, *NOT_UNDERSTOOD) as error:
            if type(error).__name__ in _NO_CREDENTIALS:
                self._client = None
            raise CallFailed(*_library(action, error)) from None
        if missing := lacking(self._client, action, reply, self._transport.answered):
            raise CallFailed("unknown", f"Route 53 ({action}): {no_reply(missing)}")
        self.pace.went_well()
        return reply

    def _failure(self, action: str, response: Mapping[str, Any], zone_id: str) -> CallFailed:
        """What an answered error means. One that AWS's own faults explain (5xx) says nothing."""
        error = response.get("Error", {})
        code, text = str(error.get("Code", "")), " ".join(str(error.get("Message", "")).split())
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if (not code or code == str(status)) and status != 429:  # the library fills in the status for want of a code
            return CallFailed("unknown", f"HTTP {status or '?'} ({action}) is no answer of Route 53's; {PROXY}")
        if code in _THROTTLED or status == 429:
            self.pace.slow_down()
            return CallFailed("throttled", f"AWS throttles this account ({action}); {self.pace.standing}")
        if code == "PriorRequestNotComplete":
            self.pace.slow_down()  # to be waited for ever longer (API Reference, ChangeResourceRecordSets)
            return CallFailed("busy", "another change of this hosted zone is not complete (PriorRequestNotComplete)")
        if code == "InvalidChangeBatch":
            ours = _TARGET.sub(lambda found: found[0] if found[1] == zone_id else "", text)
            occupied = any(ending in ours for ending in _OCCUPIED)
            failed = CallFailed("conflict" if occupied else "refused", f"InvalidChangeBatch: {text[:600]}")
            failed.names = tuple(dict.fromkeys(found[1] or found[2] for found in _NAMED.finditer(text)))
            return failed
        if code in _DENIED or (status == 403 and code not in _BAD_CREDENTIALS):
            who = f" as {self.access.role}" if self.access.role else ""
            remedy = "`standfast iam-policy` prints what each role needs"
            return CallFailed("refused", f"AWS allows no {action}{who} ({code}: {text[:300]}); {remedy}", denied=True)
        if code in _BAD_CREDENTIALS:
            remedy = "renew this process's credentials, and set its clock if it is wrong"
            return CallFailed("refused", f"AWS does not accept the credentials ({code}: {text[:300]}); {remedy}")
        if code == NO_ZONE:
            return CallFailed("refused", f"{text[:300]} ({code}); mend hosted_zone: or the account")
        if 400 <= status < 500:
            return CallFailed("refused", f"{code} ({action}): {text[:600]}")
        return CallFailed("unknown", f"Route 53 answered HTTP {status or '?'} {code} ({action}): {text[:300]}")

    def _made(self) -> Any:
        """A client by the ordinary chain, or as the role that is to be assumed."""
        import botocore.session

        try:
            session = self._transport.serve(botocore.session.get_session())
        except FetchError as error:
            raise CallFailed("refused", f"AWS can't be asked: {error}; nothing was sent. {AUTHORITIES[:-1]}") from None
        if self.access.role:
            _assuming(session, self.access)
        return session.create_client(
            "route53",
            region_name=self.access.region or session.get_config_variable("region") or "us-east-1",
            endpoint_url=self.access.endpoint or None,
            config=sdk_config(),
        )


def installed() -> None:
    """Raises ProviderError if the library is not."""
    try:
        import boto3  # noqa: F401
    except ImportError:
        message = "the library for AWS is not installed"
        raise ProviderError(message, "Install it: pip install 'standfast[route53]'.") from None


def bare(text: str) -> str:
    """An id without the path that AWS puts before it."""
    return text.rpartition("/")[2]


def _assuming(session: Any, access: Access) -> None:
    """Make the session use the role's credentials, renewed before they expire."""
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    def client(service: str, **given: Any) -> Any:
        region = access.region or session.get_config_variable("region") or "us-east-1"
        endpoint = access.endpoint or None
        more = {"region_name": region, "endpoint_url": endpoint, "config": sdk_config()}
        return session.create_client(service, **given | more)

    own = session.get_credentials()
    if own is None:
        raise CallFailed("refused", f"there are no credentials to assume {access.role} with; {_GIVE}")
    fetcher = AssumeRoleCredentialFetcher(client, own, access.role, {"RoleSessionName": access.session[:64]})
    session._credentials = DeferredRefreshableCredentials(method="assume-role", refresh_using=fetcher.fetch_credentials)


_GIVE: Final = "give this process a role, or AWS_ACCESS_KEY_ID and its secret"


def _library(action: str, error: Exception) -> tuple[Why, str]:
    """A failure before anything was sent, or of an answer that can't be read."""
    kind = type(error).__name__
    if kind in _NO_CREDENTIALS:
        return "refused", f"there are no credentials ({said(error)}); {_GIVE}"
    if isinstance(error, NOT_UNDERSTOOD):
        return "unknown", f"Route 53 ({action}): {not_understood(error)}"
    return "unknown", f"Route 53 ({action}): {said(error)} ({kind})"
