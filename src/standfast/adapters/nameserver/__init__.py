"""An authoritative nameserver for demonstrations and tests, itself a full target for dynamic updates.

It speaks DNS over UDP and TCP on loopback: queries (RFC 1034, 4592), updates with prerequisites (RFC 2136), transaction
signatures (RFC 8945) and zone transfers (RFC 5936, 1995), and keeps its zones in SQLite files that survive a kill.

What is in which file: `zone` the records and the lookup, `update` the rules of RFC 2136, `persistence` the file,
`wire` bytes to messages and back, `authentication` signatures, `transfer` AXFR and IXFR, `responder` from request to
answer, `server` the sockets. Not here: DNSSEC signing, DNAME, NOTIFY, zones of which we are secondary.
"""

from standfast.adapters.nameserver.authentication import KeyFileError, Keyring, read_key_file
from standfast.adapters.nameserver.persistence import ZoneFileError, ZoneStore
from standfast.adapters.nameserver.server import Nameserver

__all__ = ["KeyFileError", "Keyring", "Nameserver", "ZoneFileError", "ZoneStore", "read_key_file"]
