"""The numbers of the region model: few, physical, each with where it comes from. At most three are fitted.

`Parameters` holds them, `SHEET` says of each what it means and why it has its value; a test holds the two and
`docs/region.md` together. Kinds: *published* in an account of the event; *known* from public documentation; *assumed*
by us, a round number chosen before anything was compared with a published time and not touched since; *fitted* to the
fitted half of the milestones (`published.py`).
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct

Origin: TypeAlias = Literal["published", "known", "assumed", "fitted"]


class Parameters(Struct, frozen=True):
    """One region. Times in seconds; rates a second; shares from 0 to 1."""

    droplets: int = 1_000_000
    managers: int = 60
    balancers: int = 300
    endpoints: int = 2
    resolvers: int = 200
    ttl_s: float = 5.0
    negative_ttl_s: float = 900.0
    asked_every_s: float = 30.0
    connection_s: float = 1_200.0
    client_connection_s: float = 60.0
    mitigation_s: float = 300.0
    check_s: float = 300.0
    lease_s: float = 900.0
    lease_timeout_s: float = 60.0
    lease_rate: float = 0.29
    renewal_cost: float = 0.02
    change_cost: float = 1.0
    intake: float = 0.9
    launches: float = 0.05
    controllers: float = 0.5
    retry_s: float = 300.0
    network_headroom: float = 1.875
    boot_s: float = 60.0
    limit: float = 1.0
    relax: float = 0.1
    swing: float = 0.25
    peak_load: float = 0.6
    headroom: float = 2.0
    poller_ramp_s: float = 600.0
    own_retry_s: float = 60.0
    throttled: float = 0.5
    ending_s: float = 600.0
    member_life_s: float = 20_000.0
    credential_s: float = 21_600.0
    replaced_an_hour: float = 0.02
    replication_headroom: float = 10.0
    tick_s: float = 5.0


class Entry(Struct, frozen=True):
    """What one parameter means, in which unit, where its value comes from, and why it is what it is."""

    name: str
    unit: str
    origin: Origin
    meaning: str
    why: str


SHEET: Final[tuple[Entry, ...]] = (
    Entry("droplets", "hosts", "assumed", "physical hosts in the region",
          "not published; all rates are per droplet, so the day's times do not depend on it"),
    Entry("managers", "hosts", "assumed", "droplet workflow managers, each with its droplets and its queue",
          "not published; twenty in each of three AZs"),
    Entry("balancers", "load balancers", "published", "in each plan", "“hundreds” in a region"),
    Entry("endpoints", "endpoints", "assumed",
          "what production's planner, enactors and cleaner look after, with all of `dns`",
          "the regional one and a neighbour; more cost time and change nothing for it"),
    Entry("resolvers", "resolvers", "assumed", "resolvers that the region's hosts ask",
          "enough for a smooth curve"),
    Entry("ttl_s", "s", "known", "TTL of the endpoint's addresses", "what the public name answers with"),
    Entry("negative_ttl_s", "s", "known", "how long an answer without data is kept",
          "RFC 2308 §5 with the SOA that Route 53 gives a hosted zone: min(900, 86400)"),
    Entry("asked_every_s", "s", "assumed", "mean time until somebody asks a resolver again after an entry expired",
          "hosts retry every few seconds to minutes"),
    Entry("connection_s", "s", "assumed", "mean life of a connection that a service of the region keeps open",
          "pooled connections are closed after tens of minutes; leases ran out gradually (published)"),
    Entry("client_connection_s", "s", "assumed", "the same of customers' connections",
          "idle connections of the SDKs are closed after about a minute"),
    Entry("mitigation_s", "s", "assumed", "mean time until a host has the other way that people gave it at 01:15",
          "what rolls out by configuration takes minutes"),
    Entry("check_s", "s", "published", "interval of a droplet's state check", "“every few minutes”"),
    Entry("lease_s", "s", "assumed", "how long a lease lasts without renewal", "three missed checks"),
    Entry("lease_timeout_s", "s", "assumed", "after so long an attempt at a lease is given up and queued again",
          "the usual time-out of a request of this kind"),
    Entry("lease_rate", "leases / s / 1,000 droplets", "fitted", "how many checks the managers make",
          "05:28, every droplet has a lease again"),
    Entry("renewal_cost", "leases", "assumed", "what a renewal costs of what making a lease costs",
          "a lease that is there is one message; one that is not is a host's whole state"),
    Entry("change_cost", "leases", "assumed", "what a launch or an end costs a manager, of what making a lease costs",
          "as much: both carry a host's state"),
    Entry("intake", "share", "assumed", "after the restarts, how much of that rate was let in", "a margin of a tenth"),
    Entry("launches", "launches / s / 1,000 droplets", "assumed", "launches asked for on an average day",
          "a droplet gets a new instance every five or six hours; as many end"),
    Entry("controllers", "share", "assumed", "launches asked for by controllers, which never give up",
          "half by groups that scale themselves, half by people and programs that go away"),
    Entry("retry_s", "s", "assumed", "mean time until a controller asks again", "a few minutes"),
    Entry("network_headroom", "× normal", "fitted", "what Network Manager can propagate",
          "06:21, propagation is ten minutes late"),
    Entry("boot_s", "s", "assumed", "how long an instance takes to start: with its network state by then it comes up "
          "connected", "about a minute"),
    Entry("limit", "× normal", "assumed", "launches let in from 05:28 on", "an average hour's volume"),
    Entry("relax", "× normal / h", "fitted", "how fast people raise that limit from 11:23 on",
          "13:20 and 14:20, Connect and ECS are well again"),
    Entry("swing", "share", "assumed", "how far demand swings about its average through the day",
          "highest at 13:00 PDT, lowest at 01:00: most of the region's customers are awake then"),
    Entry("peak_load", "share", "assumed", "load of a service's own fleet at the daily peak",
          "two AZs of three can carry it, with a tenth to spare"),
    Entry("headroom", "× normal", "assumed", "rate at which services work when they catch up",
          "twice an average hour"),
    Entry("poller_ramp_s", "s", "assumed", "how long pollers of SQS take from none to all",
          "the public limit is so many more a minute; ten minutes"),
    Entry("own_retry_s", "s", "assumed", "mean time until a client calls a service again", "a minute of back-off"),
    Entry("throttled", "share", "assumed", "what event sources of Lambda were throttled to at 07:04", "a half"),
    Entry("ending_s", "s", "assumed", "after so long out of service an instance of Lambda's fleet is ended",
          "ten minutes of failed checks"),
    Entry("member_life_s", "s", "assumed", "how long a node behind NLB serves before another takes its place",
          "as long as between two launches on a droplet"),
    Entry("credential_s", "s", "known", "life of the credentials of a Redshift node",
          "credentials of an instance's role last about six hours"),
    Entry("replaced_an_hour", "share / h", "assumed", "how much of Redshift's fleet is replaced at once",
          "a fiftieth, to spare the clusters"),
    Entry("replication_headroom", "× normal", "assumed", "rate at which global tables catch up",
          "shards are read in parallel, and little was written meanwhile"),
    Entry("tick_s", "s", "assumed", "step of the queues", "a published time is to the minute"),
)  # fmt: skip

DEFAULTS: Final = Parameters()


def fitted() -> tuple[str, ...]:
    """The free parameters."""
    return tuple(entry.name for entry in SHEET if entry.origin == "fitted")
