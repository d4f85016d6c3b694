"""What a server's refusal of an update most likely means, and what to do about it."""

from typing import Final

from .tsig import BADKEY, BADSIG, BADTIME, TsigKey
from .wire import Rcode

_BY_ERROR: Final = {
    BADSIG: "NOTAUTH (BADSIG): the server's secret for key {key} is another one; copy it again from the server",
    BADKEY: (
        "NOTAUTH (BADKEY): the server does not know key {key}, knows it with another algorithm than {algorithm}, or "
        "gives it no right here; on Knot add it to an acl of zone {zone} with `action: update`, on BIND add the key "
        "and a `grant` to the zone's update-policy"
    ),
    BADTIME: (
        "NOTAUTH (BADTIME): the clocks of this machine and of the server are more than 300 s apart, or the update "
        "was delayed for so long; set both clocks by NTP"
    ),
}
_BY_RCODE: Final = {
    Rcode.FORMERR: "FORMERR: the server does not understand the update; send fewer endpoints a change",
    Rcode.SERVFAIL: (
        "SERVFAIL: the server could not apply the update; on BIND an rrset may exceed max-records-per-type "
        "(100 unless set: `max-records-per-type 0;`), its folder may not be writable, or the zone may be frozen; "
        "its log says which"
    ),
    Rcode.NOTIMP: "NOTIMP: this server takes no dynamic updates; use the zone's primary",
    Rcode.REFUSED: (
        "REFUSED: {key} may not do this in zone {zone}; on BIND grant it in the zone's update-policy (or allow-update) "
        "for these names and types, on Knot in the acl (`action: update`, update-owner, update-type), on PowerDNS by "
        "TSIG-ALLOW-DNSUPDATE; be sure to ask the primary; BIND also refuses addresses at a name with an underscore "
        "unless `check-names` is `ignore`; PowerDNS says no more than this either if the secret or the algorithm is "
        "another one, if the clocks are more than 300 s apart, or if data would stand beside a CNAME: its log does"
    ),
    Rcode.NOTAUTH: (
        "NOTAUTH: the server is not the primary of zone {zone}, or {key} has no right there; on Knot add it to an acl "
        "of the zone with `action: update`"
    ),
    Rcode.NOTZONE: "NOTZONE: an owner name of the change lies outside zone {zone}",
}


def remedy(rcode: int, error: int, key: TsigKey | None, zone: str) -> str:
    """The code and the likely cure. `error` is that of the answer's TSIG, 0 if it has none."""
    names = {
        "zone": zone,
        "key": key.name if key else "an unsigned request",
        "algorithm": key.algorithm if key else "none",
    }
    if error in _BY_ERROR:
        return _BY_ERROR[error].format(**names)
    known = next((code for code in Rcode if code == rcode), None)
    if known in _BY_RCODE:
        return _BY_RCODE[known].format(**names)
    detail = f", TSIG error {error}" if error else ""
    return f"the server answered {known.name if known is not None else f'rcode {rcode}'}{detail}; its log may say why"
