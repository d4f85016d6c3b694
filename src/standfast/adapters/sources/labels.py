"""What people say of a load balancer where it lives, as tags or annotations: pool, capacity, admin state, port."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from standfast.config import scalars
from standfast.config.fleet import CAPACITY_MAX
from standfast.config.schema import ADMIN_STATES, DEFAULT_POOL, AdminState

_capacity: Final = scalars.whole("a capacity", 1, CAPACITY_MAX)
_admin: Final = scalars.choice("an admin state", ADMIN_STATES)


class Labelled(Struct, frozen=True):
    """As in a fleet file."""

    pool: str = DEFAULT_POOL
    capacity: int = 100
    admin: AdminState = "up"
    port: int | None = None


def labelled(texts: Mapping[str, str]) -> Labelled:
    """From `pool`, `capacity`, `admin`, `port`; others are passed over. Raises BadValue."""
    return Labelled(
        scalars.identifier(texts["pool"]) if "pool" in texts else DEFAULT_POOL,
        _capacity(texts["capacity"]) if "capacity" in texts else 100,
        _admin(texts["admin"]) if "admin" in texts else "up",
        scalars.port(texts["port"]) if "port" in texts else None,
    )
