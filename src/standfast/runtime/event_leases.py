"""The events of leases, as the registry tells them."""

from .event_facts import LeaseFact, Line


class LeaseSaid(Line, kw_only=True):
    """What a load balancer that holds a lease says of itself. `key` is the name of the key it showed."""

    load_balancer: str
    number: int
    key: str
    said: LeaseFact


class LeaseGranted(LeaseSaid, tag="lease_granted"):
    """A load balancer holds a lease now."""


class LeaseChanged(LeaseSaid, tag="lease_changed"):
    """It says other things of itself."""


class LeaseEnded(Line, tag="lease_ended"):
    """A lease ended: it was not renewed, given back, ended by an operator, or is another registry's now."""

    load_balancer: str
    why: str
