"""The errors the service answers with, in the codes and words that AWS is known to use."""

from __future__ import annotations

from collections.abc import Sequence

SENDER_FAULT = 400


class ServiceError(Exception):
    """What an operation is refused with; `status` is HTTP's."""

    def __init__(self, code: str, message: str, status: int = SENDER_FAULT) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def invalid_input(message: str) -> ServiceError:
    """InvalidInput (API Reference, Common Errors of Route 53 operations)."""
    return ServiceError("InvalidInput", message)


def invalid_change_batch(messages: Sequence[str]) -> ServiceError:
    """InvalidChangeBatch: a list of messages, each one error in the batch (API Reference, ChangeResourceRecordSets).

    On the wire they arrive as one text, `[first, second]`, as SDKs show it.
    """
    return ServiceError("InvalidChangeBatch", f"[{', '.join(messages)}]")


def no_such_hosted_zone(identifier: str) -> ServiceError:
    """NoSuchHostedZone, HTTP 404 (API Reference, GetHostedZone)."""
    return ServiceError("NoSuchHostedZone", f"No hosted zone found with ID: {identifier}", 404)


def no_such_health_check(identifier: str) -> ServiceError:
    """NoSuchHealthCheck, HTTP 404 (API Reference, GetHealthCheck)."""
    return ServiceError("NoSuchHealthCheck", f"A health check with id {identifier} does not exist.", 404)


def throttled() -> ServiceError:
    """Throttling, HTTP 400 (Developer Guide, Quotas, "Quotas on API requests")."""
    return ServiceError("Throttling", "Rate exceeded")


def prior_request_not_complete() -> ServiceError:
    """PriorRequestNotComplete, HTTP 400: a request for the same hosted zone is still being processed.

    Source: Developer Guide, Quotas, "Quotas on API requests", with the message.
    """
    return ServiceError(
        "PriorRequestNotComplete",
        "The request was rejected because Route 53 was still processing a prior request.",
    )
