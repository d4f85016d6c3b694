"""Whether the name servers of a zone behind an API can be asked from here: emptied names are found by asking them,
and `drain --wait` ends when they say so."""

from functools import partial

from standfast.adapters.providers.rfc2136 import Rfc2136Provider
from standfast.cli.texts import counted
from standfast.config import ZoneConfig
from standfast.model.rrset import RRset, RRType
from standfast.ports.provider import Read, Readings, Unknown, ZoneProvider
from standfast.runtime.phrases import listed
from standfast.runtime.zonesight import SECONDARY_TIMEOUT_S, NameServer, begun, name_servers

from .findings import Finding


def server_findings(zone: ZoneConfig, provider: ZoneProvider) -> list[Finding]:
    """One finding: they answer, or which of them don't and why."""
    _, servers = name_servers(zone, provider)
    if not servers:
        return []
    waiting = {
        name: begun(partial(_asked, zone, where)) for name, where in servers.items() if isinstance(where, NameServer)
    }
    dumb = {name: where.why for name, where in servers.items() if isinstance(where, Unknown)}
    for name, answer in waiting.items():
        why = answer(3 * SECONDARY_TIMEOUT_S)
        if isinstance(why, Unknown):
            why = why.why
        if why:
            dumb[name] = why
    if not dumb:
        return [Finding("ok", "servers", zone.name, f"{counted(len(servers), 'name server')} of it can be asked")]
    some = listed([f"{name} ({why})" for name, why in dumb.items()], 4)
    text = f"Name servers that can't be asked from here: {some}."
    if len(dumb) == len(servers):
        text += " So an emptied name is found by the patrol alone, later than is said above."
    remedy = "`drain --wait` waits for each of them. Let UDP and TCP port 53 through, or name others: `secondaries:`."
    return [Finding("note", "servers", zone.name, text, remedy)]


def _asked(zone: ZoneConfig, where: NameServer) -> str:
    """Why it says nothing of the zone; empty: it does."""
    provider = Rfc2136Provider(zone.name, where.address, where.port, None, timeout_s=SECONDARY_TIMEOUT_S)
    try:
        reply = provider.perform(Read(zone.name, ((zone.name, int(RRType.SOA)),)))
    finally:
        provider.close()
    if isinstance(reply, Unknown):
        return reply.why
    value = reply.values[0] if isinstance(reply, Readings) else None
    if isinstance(value, Unknown):
        return value.why
    return "" if isinstance(value, RRset) else "it has no such zone"
