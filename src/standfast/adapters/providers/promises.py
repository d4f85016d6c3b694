"""What each kind of provider promises other than RFC 2136 does; the conformance kit holds each to exactly this.

What is supplied differs in nothing that makes a write unsafe: markers are written in lower case and never repeat, names
are never emptied, what differs is found by reading. It changes what can be told, how soon damage is found, and what a
wildcard answers. A provider of an installed package may also lack what writes rest on (`LACKS`): it is refused unless
the configuration accepts that by name.
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
    `compare_and_set`: what is asserted and what is put are one change. Else the former is read just before; a delayed
    or concurrent change is not refused, and only found by reading. That a change is all or nothing is asked of each.
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
    compare_and_set: bool = True


class Lack(Struct, frozen=True):
    """A promise that a provider may be let off, by name. `field` is false where it lacks it; `what` says it in a
    clause, `lost` which guarantees go with it and what is left, `remedy` how not to need it."""

    name: str
    field: str
    what: str
    lost: str
    remedy: str

    @property
    def sentence(self) -> str:
        """For people: what, and what is lost with it."""
        return f"{self.what}: {self.lost}"


LACKS: Final = (
    Lack(
        "no-compare-and-set",
        "compare_and_set",
        "it does not compare and set",
        "a write that is delayed, or made at the same time as another, may put an older plan back (G2), and users get "
        "it until it is read and repaired; it may land after a freeze, or undo one or a tombstone (G8). What is "
        "there is read before and after each write, which makes this rare and not impossible",
        "Let a DNS server that takes updates (BIND, Knot, PowerDNS) be the primary, or use Route 53.",
    ),
)


def lacking(promises: Promises) -> tuple[Lack, ...]:
    """What a provider with these promises has to be let off."""
    return tuple(one for one in LACKS if not getattr(promises, one.field))


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
