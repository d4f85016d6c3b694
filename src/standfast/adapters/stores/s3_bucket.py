"""The requests that a plan store makes of S3, each sent once, with its outcome told apart: done, refused, unknown.

Conditional writes are If-None-Match: * and If-Match (S3 user guide, "How to prevent object overwrites with conditional
writes"): 412 PreconditionFailed; 409 ConditionalRequestConflict, a conflicting write was under way: read again; 404 for
If-Match on an object that is gone. The library's hidden retries are off, since a write that was repeated unseen may
have met itself. Every answer is bounded in bytes and time.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from standfast.errors import StoreError

OBJECT_MAX: Final = 2**28
"""Bytes of one object: a bound on what somebody else's object can make us read."""
PAGES_MAX: Final = 1000
_PIECE: Final = 1 << 20


class Trouble(Exception):
    """The request was not done, or nobody knows whether; the text says why, with the remedy.

    `sent` if it may have been done nevertheless; `away` if nobody answers at all.
    """

    def __init__(self, why: str, *, sent: bool = False, away: bool = False) -> None:
        super().__init__(why)
        self.sent, self.away = sent, away


class Conflict(Exception):
    """The condition did not hold, or the service says that another write was under way. Nothing was written by it."""


class Absent(Exception):
    """There is no such object (nor, for If-Match, any to replace)."""


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
            return Got(str(reply["ETag"]), self._body(key, reply))

    def put(self, key: str, body: bytes, *, over: str = "") -> str:
        """Its ETag. The object must not exist, or have the ETag `over`."""
        condition = {"IfMatch": over} if over else {"IfNoneMatch": "*"}
        with self._asking("s3:PutObject", key, writes=True):
            return str(self._client.put_object(**self._named(key), Body=body, **condition)["ETag"])

    def has(self, key: str) -> bool:
        """Whether it is there."""
        try:
            with self._asking("s3:GetObject", key):
                self._client.head_object(**self._named(key))
        except Absent:
            return False
        return True

    def delete(self, keys: Sequence[str]) -> None:
        """Delete these, a thousand at a time; those that are not there are no problem."""
        for at in range(0, len(keys), 1000):
            some = [{"Key": self.place.prefix + key} for key in keys[at : at + 1000]]
            with self._asking("s3:DeleteObject", "objects", writes=True):
                reply = self._client.delete_objects(Bucket=self.place.bucket, Delete={"Objects": some, "Quiet": True})
            if errors := reply.get("Errors"):
                raise Trouble(f"{self.place}: {len(errors)} objects can't be deleted ({errors[0].get('Code')}).")

    def keys(self, below: str) -> Iterator[str]:
        """Every key that begins so, without the prefix, page by page."""
        begin, token = self.place.prefix + below, ""
        for _ in range(PAGES_MAX):
            more = {"ContinuationToken": token} if token else {}
            with self._asking("s3:ListBucket", below):
                reply = self._client.list_objects_v2(Bucket=self.place.bucket, Prefix=begin, **more)
            for one in reply.get("Contents", ()):
                yield str(one["Key"]).removeprefix(self.place.prefix)
            token = str(reply.get("NextContinuationToken") or "")
            if not reply.get("IsTruncated"):
                return
            if not token:
                break
        raise Trouble(f"{self.place}: its listing never ends.")

    # -- one request ---------------------------------------------------------------------------------------------

    def _named(self, key: str) -> dict[str, str]:
        return {"Bucket": self.place.bucket, "Key": self.place.prefix + key}

    def _body(self, key: str, reply: Any) -> bytes:
        deadline, stream = time.monotonic() + 4 * self.place.timeout_s, reply["Body"]
        pieces, octets = list[bytes](), 0
        while piece := stream.read(_PIECE):
            pieces.append(piece)
            octets += len(piece)
            if octets > OBJECT_MAX:
                raise Trouble(f"{self.place}{key} has more than {OBJECT_MAX >> 20} MiB: it is not one of ours.")
            if time.monotonic() > deadline:
                raise Trouble(f"{self.place}{key} is read too slowly.", away=True)
        return b"".join(pieces)

    @contextmanager
    def _asking(self, right: str, key: str, *, writes: bool = False) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
        from botocore.parsers import ResponseParserError

        self.requests += 1
        where = f"{self.place}{key}"
        try:
            yield
        except ClientError as error:
            raise _answered(error, self.place, where, right, writes) from None
        except HTTPClientError as error:
            text = " ".join(str(error).split())[:300]
            raise Trouble(f"{where}: S3 does not answer ({text}).", sent=writes, away=True) from None
        except ResponseParserError as error:
            text = " ".join(str(error).split())[:200]
            raise Trouble(f"{where}: the answer is not S3's ({text}).", sent=writes, away=True) from None
        except BotoCoreError as error:
            raise Trouble(f"{where}: {_unsent(error)}", away=type(error).__name__ == "IncompleteReadError") from None


@lru_cache(maxsize=8)
def _client(region: str, endpoint: str, timeout_s: float) -> Any:
    """Making one costs a tenth of a second, and it may be used by several threads."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise StoreError("The library for S3 is not installed.", "Install it: pip install 'standfast[s3]'.") from None
    style = {"addressing_style": "path"} if endpoint else {}
    try:
        return boto3.session.Session().client(
            "s3",
            region_name=region or None,
            endpoint_url=endpoint or None,
            config=Config(
                retries={"total_max_attempts": 1, "mode": "standard"},
                connect_timeout=timeout_s,
                read_timeout=timeout_s,
                s3=style,
                # Objects carry their own checksums; services that only speak like S3 may not know the header.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    except (BotoCoreError, ValueError) as error:
        message = f"S3 can't be asked: {' '.join(str(error).split())}."
        raise StoreError(message, "Mend region, endpoint or the AWS configuration of this user.") from None


def _status(error: Exception) -> int:
    response = getattr(error, "response", None) or {}
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)


def _answered(error: Any, place: Place, where: str, right: str, writes: bool) -> Exception:
    """What the service's answer means."""
    code, status = str(error.response.get("Error", {}).get("Code", "")), _status(error)
    text = " ".join(str(error.response.get("Error", {}).get("Message", "")).split())[:300]
    if code == "NoSuchBucket":
        return Trouble(f"{place}: there is no such bucket. Create it, or mend `bucket:`.")
    if status == 404:
        return Absent(where)
    if status in (409, 412) and writes:
        return Conflict(code)
    if status == 403:
        if code in ("RequestTimeTooSkewed", "RequestExpired"):
            return Trouble(f"{where}: this machine's clock is wrong ({text}). Set it.")
        if code in ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"):
            return Trouble(f"{where}: the credentials are refused ({code}). Renew them.")
        return Trouble(f"{where}: access is denied. Allow {right} there; docs/stores.md has the whole policy.")
    if status >= 500 or code in ("SlowDown", "RequestTimeout"):
        return Trouble(f"{where}: S3 has an error of its own ({status} {code}).", sent=writes, away=True)
    return Trouble(f"{where}: S3 refuses ({status} {code}): {text}")


def _unsent(error: Exception) -> str:
    """What the library says before anything was sent."""
    text, kind = " ".join(str(error).split())[:300], type(error).__name__
    if kind in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"):
        return f"there are no credentials ({text}). Give this process a role, or AWS_ACCESS_KEY_ID and its secret."
    return f"it can't be asked ({text})."
