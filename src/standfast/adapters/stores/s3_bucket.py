"""The requests that a plan store makes of S3, each sent once, with its outcome told apart: done, refused, unknown.

Conditional writes are If-None-Match: * and If-Match (S3 user guide, "How to prevent object overwrites with conditional
writes"): 412 PreconditionFailed; 409 ConditionalRequestConflict, a conflicting write was under way: read again; 404 for
If-Match on an object that is gone. The library's hidden retries are off, since a write that was repeated unseen may
have met itself. Every answer is bounded in bytes and, as a whole, in time. That an object is not there is believed of
S3's own word for it alone (NoSuchKey): a proxy whose backend is gone says 404 too.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from standfast.errors import StoreError

from ..awscalls import AUTHORITIES, Transport, sdk_config
from ..awsreplies import NOT_UNDERSTOOD, PROXY, lacking, no_reply, not_understood, said
from ..sources.fetching import FetchError

OBJECT_MAX: Final = 2**28
"""Bytes of one object: a bound on what somebody else's object can make us read."""
PAGES_MAX: Final = 1000
TIMES: Final = 4.0
"""In so many times `timeout_s` the whole of an answer is there; to connect, and from octets to octets, once that."""


class Trouble(Exception):
    """The request was not done, or nobody knows whether; the text says why, with the remedy.

    `sent` if it may have been done nevertheless; `away` if nobody answers at all, or all is refused (`login`: for the
    credentials) until somebody mends it.
    """

    def __init__(self, why: str, *, sent: bool = False, away: bool = False, login: bool = False) -> None:
        super().__init__(why)
        self.sent, self.away, self.login = sent, away or login, login


class Conflict(Exception):
    """The condition did not hold, or the service says that another write was under way. Nothing was written by it."""


class Absent(Exception):
    """There is no such object (nor, for If-Match, any to replace)."""


class _NotTold(Exception):
    """The answer lacks a member that every answer of S3 has."""


class Place(Struct, frozen=True):
    """Where the objects are: all keys begin with `prefix`, which ends with a slash or is empty."""

    bucket: str
    prefix: str
    region: str = ""
    endpoint: str = ""
    timeout_s: float = 5.0

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"


class Got(Struct, frozen=True):
    """An object as read."""

    etag: str
    body: bytes


class Bucket:
    """One place in one bucket. Raises Trouble, Conflict, Absent; StoreError if it can't be asked at all here."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._client = _client(place.region, place.endpoint, place.timeout_s)
        self.requests = 0
        """How many were sent."""

    def get(self, key: str, known: str = "") -> Got | None:
        """The object; None if its ETag is still `known`."""
        with self._asking("s3:GetObject", key):
            try:
                reply = self._client.get_object(**self._named(key), **({"IfNoneMatch": known} if known else {}))
            except Exception as error:
                if known and _status(error) == 304:
                    return None
                raise
            return Got(str(self._told("GetObject", reply)["ETag"]), bytes(reply["Body"].read()))

    def put(self, key: str, body: bytes, *, over: str = "") -> str:
        """Its ETag. The object must not exist, or have the ETag `over`."""
        condition = {"IfMatch": over} if over else {"IfNoneMatch": "*"}
        with self._asking("s3:PutObject", key, writes=True):
            reply = self._client.put_object(**self._named(key), Body=body, **condition)
            return str(self._told("PutObject", reply)["ETag"])

    def has(self, key: str) -> bool:
        """Whether it is there."""
        try:
            with self._asking("s3:GetObject", key, bare=True):
                self._told("HeadObject", self._client.head_object(**self._named(key)))
        except Absent:
            return False
        return True

    def delete(self, keys: Sequence[str]) -> None:
        """Delete these, a thousand at a time; those that are not there are no problem."""
        for at in range(0, len(keys), 1000):
            some = [{"Key": self.place.prefix + key} for key in keys[at : at + 1000]]
            with self._asking("s3:DeleteObject", "objects", writes=True):
                reply = self._client.delete_objects(Bucket=self.place.bucket, Delete={"Objects": some})
                self._told("DeleteObjects", reply)
            if errors := reply.get("Errors"):
                raise Trouble(f"{self.place}: {len(errors)} objects can't be deleted ({errors[0].get('Code')}).")
            if len(reply.get("Deleted", ())) < len(some):
                raise Trouble(f"{self.place}: the answer does not say that these are deleted; {PROXY}.", sent=True)

    def keys(self, below: str) -> Iterator[str]:
        """Every key that begins so, without the prefix, page by page."""
        begin, token = self.place.prefix + below, ""
        for _ in range(PAGES_MAX):
            more = {"ContinuationToken": token} if token else {}
            with self._asking("s3:ListBucket", below):
                reply = self._told(
                    "ListObjectsV2", self._client.list_objects_v2(Bucket=self.place.bucket, Prefix=begin, **more)
                )
                found = [str(one["Key"]) for one in reply.get("Contents", ())]
            for name in found:
                if name.startswith(begin):  # else it is not what was asked for
                    yield name.removeprefix(self.place.prefix)
            token = str(reply.get("NextContinuationToken") or "")
            if not reply["IsTruncated"]:
                return
            if not token:
                break
        raise Trouble(f"{self.place}: its listing never ends.")

    # -- one request ---------------------------------------------------------------------------------------------

    def _named(self, key: str) -> dict[str, str]:
        return {"Bucket": self.place.bucket, "Key": self.place.prefix + key}

    def _told(self, action: str, reply: Any) -> Any:
        """The answer, if it is one of S3's. Raises _NotTold."""
        if missing := lacking(self._client, action, reply):
            raise _NotTold(missing)
        return reply

    @contextmanager
    def _asking(self, right: str, key: str, *, writes: bool = False, bare: bool = False) -> Iterator[None]:
        """`bare`: answers to it have no body, so a refusal has a status and nothing else."""
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        from botocore.parsers import ResponseParserError

        self.requests += 1
        where = f"{self.place}{key}"
        try:
            yield
        except ClientError as error:
            found = _answered(error, self.place, where, right, writes=writes, bare=bare)
            if isinstance(found, Trouble) and found.login:
                self._log_in_again()
            raise found from None
        except (FetchError, HTTPClientError) as error:
            raise Trouble(f"{where}: S3 does not answer ({said(error)}).", sent=writes, away=True) from None
        except _NotTold as error:
            raise Trouble(f"{where}: {no_reply(str(error))}.", sent=writes, away=True) from None
        except ResponseParserError as error:
            raise Trouble(f"{where}: the answer is not S3's ({said(error)}).", sent=writes, away=True) from None
        except BotoCoreError as error:
            found = _unsent(error, where)
            if found.login:
                self._log_in_again()
            raise found from None
        except NOT_UNDERSTOOD as error:
            raise Trouble(f"{where}: {not_understood(error)}.", sent=writes, away=True) from None

    def _log_in_again(self) -> None:
        """The library reads a file of keys once: those that were renewed there since are a new client's."""
        _client.cache_clear()
        try:
            self._client = _client(self.place.region, self.place.endpoint, self.place.timeout_s)
        except StoreError:
            pass  # the trouble at hand says what is wrong


@lru_cache(maxsize=8)
def _client(region: str, endpoint: str, timeout_s: float) -> Any:
    """Making one costs a tenth of a second, and it may be used by several threads."""
    try:
        import botocore.session
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise StoreError("The library for S3 is not installed.", "Install it: pip install 'standfast[s3]'.") from None
    transport = Transport(lambda: TIMES * timeout_s, step_s=timeout_s, octets_max=OBJECT_MAX)
    try:
        return transport.serve(botocore.session.get_session()).create_client(
            "s3",
            region_name=region or None,
            endpoint_url=endpoint or None,
            config=sdk_config(
                s3={"addressing_style": "path"} if endpoint else {},
                # Objects carry their own checksums; services that only speak like S3 may not know the header.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    except FetchError as error:
        raise StoreError(f"S3 can't be asked: {error}.", AUTHORITIES) from None
    except (BotoCoreError, ValueError) as error:
        message = f"S3 can't be asked: {' '.join(str(error).split())}."
        raise StoreError(message, "Mend region, endpoint or the AWS configuration of this user.") from None


def _status(error: Exception) -> int:
    response = getattr(error, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)


_CREDENTIALS: Final = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
)
_ELSEWHERE: Final = ("PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IncorrectEndpoint")


def _answered(error: Any, place: Place, where: str, right: str, *, writes: bool, bare: bool) -> Exception:
    """What the service's answer means."""
    told = error.response.get("Error", {})
    code, status, text = (
        str(told.get("Code") or ""),
        _status(error),
        " ".join(str(told.get("Message", "")).split())[:300],
    )
    if code == "NoSuchBucket":
        return Trouble(f"{place}: there is no such bucket. Create it, or mend `bucket:`.")
    if code == "NoSuchKey" or (bare and status == 404):
        return Absent(where)
    if status == 429 or code == "SlowDown":
        return Trouble(f"{where}: S3 asks for fewer requests ({status} {code}).", sent=writes, away=True)
    if status == 501:
        why = f"this service can't do what is asked of it ({code or status}). Keep the plans elsewhere."
        return Trouble(f"{where}: {why}", sent=writes, away=True)
    if status >= 500 or code == "RequestTimeout":
        return Trouble(f"{where}: S3 has an error of its own ({status} {code}).", sent=writes, away=True)
    if not bare and code in ("", str(status)):
        return Trouble(f"{where}: the answer {status} is not S3's; {PROXY}.", sent=writes, away=True)
    if status in (409, 412) and writes:
        return Conflict(code)
    return _refused(place, where, right, code, status, text)


def _refused(place: Place, where: str, right: str, code: str, status: int, text: str) -> Trouble:
    if code in ("RequestTimeTooSkewed", "RequestExpired"):
        return Trouble(f"{where}: this machine's clock is wrong ({text}). Set it.")
    if code in _CREDENTIALS:
        return Trouble(f"{where}: the credentials are refused ({code}). Renew them.", login=True)
    if code in _ELSEWHERE or status in (301, 307):
        here = f"region {place.region}" if place.region else "the region that was asked"
        return Trouble(f"{where}: the bucket is not in {here} ({code}: {text}). Mend `region:` or `endpoint:`.")
    if code.startswith("KMS.") or "kms:" in text:
        remedy = "Allow kms:Decrypt, and kms:GenerateDataKey to who writes, on the key of the bucket"
        return Trouble(f"{where}: its key can't be used ({code}: {text}). {remedy}; docs/stores.md.")
    if status == 403:
        why = f"access is denied ({text})" if text else "access is denied"
        return Trouble(f"{where}: {why}. Allow {right} there; docs/stores.md has the whole policy.")
    return Trouble(f"{where}: S3 refuses ({status} {code}): {text}")


def _unsent(error: Exception, where: str) -> Trouble:
    """What the library says before anything was sent, or of an answer that ended too soon."""
    kind = type(error).__name__
    if kind in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"):
        remedy = "Give this process a role, or AWS_ACCESS_KEY_ID and its secret."
        return Trouble(f"{where}: there are no credentials ({said(error)}). {remedy}", login=True)
    return Trouble(f"{where}: it can't be asked ({said(error)}).", away=kind == "IncompleteReadError")
