"""What each kind of provider promises other than RFC 2136 does; the conformance kit holds each to exactly this.

Nothing here makes a write unsafe: markers are written in lower case and never repeat, names are never emptied, what
differs is found by reading. It changes what can be told, how soon damage is found, and what a wildcard answers.
"""

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct


class Promises(Struct, frozen=True):
    """One kind of provider.

    `text_by_case`: a prerequisite tells upper from lower case in TXT (PowerDNS folds it).
    `tells_changes`: an incremental transfer says which names changed; else each look after a change reads all names.
    `names_key_errors`: a refusal says whether key, secret or clock is wrong; else it is a bare REFUSED.
    `beside_cname`: data beside a CNAME are skipped in silence (RFC 2136 §3.4.2.2), or the whole change is refused.
    `keeps_empty_names`: empty non-terminals come and go with the names below them, so that wildcards answer where they
    should (RFC 4592 §2.2.2); else one may stay, or be missing, until the zone is rectified.
    `synthesises`: a reading may be made from a wildcard; else it is literal, and needs no confirming.
    `tells_serial`: a change moves the serial; else nothing tells that there was one.
    `asserts_absence`: absence of what a change does not create is part of the change; else it is looked at just before
    (then only a hand's change in between goes unnoticed: ours give the floor a new nonce). Likewise a variant under an
    identifier that was not there when the others were read stands beside them until it is read back.
    `routed`: it holds variants: layouts multivalue and tree.
    """

    text_by_case: bool = True
    tells_changes: bool = True
    names_key_errors: bool = True
    beside_cname: Literal["skipped", "refused"] = "skipped"
    keeps_empty_names: bool = True
    synthesises: bool = True
    tells_serial: bool = True
    asserts_absence: bool = True
    routed: bool = False


PROMISES: Final[Mapping[str, Promises]] = {
    "bind": Promises(),
    "knot": Promises(),
    "embedded": Promises(),
    "pdns": Promises(
        text_by_case=False,
        tells_changes=False,
        names_key_errors=False,
        beside_cname="refused",
        keeps_empty_names=False,
    ),
    "route53": Promises(
        tells_changes=False,
        beside_cname="refused",
        keeps_empty_names=False,
        synthesises=False,
        tells_serial=False,
        asserts_absence=False,
        routed=True,
    ),
}
"""By kind; PowerDNS 4.7 with LMDB as measured, Route 53 as AWS documents it."""
