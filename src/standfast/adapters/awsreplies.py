"""Whether a reply is AWS's at all, or the page of a proxy or of a captive portal: asked of every reply, here alone.

boto3 does not look. To it such a page with status 200 is a reply in which nothing is said, and would pass for success:
a change that was made, a listing with nothing in it, an object that is there. What is no reply says nothing (unknown).
"""

from collections.abc import Mapping
from typing import Any, Final

ALWAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "DescribeLoadBalancers": ("LoadBalancers",),
    "DescribeTags": ("TagDescriptions",),
    "DescribeTargetGroups": ("TargetGroups",),
    "DescribeTargetHealth": ("TargetHealthDescriptions",),
    "GetObject": ("ETag",),
    "HeadObject": ("ETag",),
    "ListObjectsV2": ("IsTruncated",),
    "PutObject": ("ETag",),
}
"""What replies to these have, however little there is to say, though AWS's model does not call it required: an empty
list is sent as an empty element, and parsed as an empty list. (API references of Elastic Load Balancing and S3.)"""
_OPENING_OCTETS: Final = 1024


def lacking(client: Any, action: str, reply: Mapping[str, Any], answered: bytes | None = None) -> str:
    """What a reply to this action always has, and this one has not; empty if it has all.

    That is what ALWAYS names, and the members that AWS's own model of the service calls required, however deep. Of
    services whose replies are in an element that is called as the model calls them (Route 53) also that element: give
    what was `answered`, as it came.
    """
    if missing := next((one for one in ALWAYS.get(action, ()) if one not in reply), ""):
        return missing
    shape = client.meta.service_model.operation_model(action).output_shape
    if shape is None:
        return ""
    around = f"<{shape.name}"
    if missing := _lacking(shape, reply, ""):
        return missing
    return around + ">" if answered is not None and around.encode() not in answered[:_OPENING_OCTETS] else ""


def _lacking(shape: Any, value: Any, place: str) -> str:
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name in shape.required_members:
            if name not in value:
                return f"{place}{name}"
        parts = ((shape.members[name], value[name], f"{place}{name}.") for name in shape.members if name in value)
    elif shape.type_name == "list" and isinstance(value, list):
        parts = ((shape.member, one, place) for one in value)
    else:
        return ""
    return next((found for part in parts if (found := _lacking(*part))), "")


PROXY: Final = "this looks like the page of a proxy"


def no_reply(missing: str) -> str:
    """A clause for what `lacking` found."""
    return f"its answer has no {missing}; {PROXY}"


NOT_UNDERSTOOD: Final = (LookupError, TypeError, ValueError, AttributeError)
"""What the library raises of well-formed XML that is no answer of AWS's, besides its own ResponseParserError."""


def not_understood(error: Exception) -> str:
    """A clause for one of NOT_UNDERSTOOD."""
    return f"its answer can't be understood ({type(error).__name__} {said(error)}); {PROXY}"


def said(error: Exception) -> str:
    """What the library says, on one line."""
    return " ".join(str(error).split())[:300]
