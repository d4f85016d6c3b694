"""Leaves as versions before this one stored them. What is only shorter needs nothing: what it lacks has a default.

A digest is over the bytes that were stored, never over what this version would make of them (`shards.Leaf.stored`).
"""

from typing import Any, Final

import msgspec

_MEMBERS: Final = 8
"""Where an entry has its members."""
_ALIAS: Final = 6
"""Where members had a name and its hosted zone, between their health check and `eased`; nothing ever filled them."""


def as_today(octets: bytes) -> object:
    """The leaf's parts without what was dropped since; for `msgspec.convert`. Raises DecodeError."""
    leaf: Any = msgspec.msgpack.decode(octets)
    if isinstance(leaf, list) and len(leaf) > 1 and isinstance(leaf[1], list):
        for entry in leaf[1]:
            if isinstance(entry, list) and len(entry) > _MEMBERS and isinstance(entry[_MEMBERS], list):
                for member in entry[_MEMBERS]:
                    if isinstance(member, list) and member[_ALIAS : _ALIAS + 2] == ["", ""]:
                        del member[_ALIAS : _ALIAS + 2]
    return leaf
