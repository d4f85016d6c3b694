"""What was published of 19-20 October 2025: every milestone with its time, and which of them the model is judged by.

Chosen before anything was fitted (ADR 11): what is an input, what may be scored, and which half of that is held out.
Nobody who fits looks at the held-out half. Times are PDT; t = 0 is 23:48 on 19 October 2025, when the endpoint was
emptied.

Sources: [AWS] the post-event summary (aws.amazon.com/message/101925); [AWS-zh] its complete Chinese translation, where
the English text was not at hand; [TALK] DAT453 at re:Invent 2025; [WT] a walkthrough of the summary; [TE] an analysis
by ThousandEyes; [STATUS] posts of the status page, second hand. Our words, unless in quotation marks.
"""

from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal["fault", "intervention", "outcome", "report"]
"""Inputs are the fault and interventions of people; a report is what somebody noticed or said, which moved nothing."""
Half: TypeAlias = Literal["fitted", "held out"]

ZERO_PDT: Final = "19 Oct 23:48"
QUIET_S: Final = 600
"""A milestone within ten minutes after an input says more of the input than of the model: it scores nothing."""
DAY_ENDS_S: Final = 912 * 60
"""15:00 on 20 October, half an hour and more after the official end at 14:20; what is later is not replayed."""
WELL: Final = 0.99
"""A service is well as long as it answers this share of what it is asked."""
STAYS_S: Final = 600
"""To be well again is to stay well for so long; it is reckoned from the beginning of that time."""


class Milestone(Struct, frozen=True):
    """Something that happened, when, and who says so.

    `observed` is what of the model is looked at for it, fixed together with the choice. `reason` is why an outcome is
    not scored although it is not near an input.
    """

    id: str
    pdt: str
    service: str
    what: str
    kind: Kind
    source: str
    observed: str = ""
    reason: str = ""

    @property
    def seconds(self) -> int:
        """Seconds after the endpoint was emptied; negative before."""
        return seconds_of(self.pdt)

    @property
    def is_input(self) -> bool:
        """Whether the model is told of it instead of producing it."""
        return self.kind in ("fault", "intervention")

    @property
    def clock(self) -> str:
        """The time of day, as texts show it."""
        return self.pdt.split(" ")[2]


def seconds_of(pdt: str) -> int:
    """Seconds from t = 0 of a time such as "20 Oct 02:25" or "19 Oct 23:49:33"."""
    day, _, clock = pdt.split(" ")
    hours, minutes, seconds = (int(part) for part in f"{clock}:00".split(":")[:3])
    return ((int(day) - 19) * 24 + hours) * 3600 + minutes * 60 + seconds - (23 * 3600 + 48 * 60)


def clock_of(seconds: float) -> str:
    """The PDT time of day, to the minute, at that many seconds after t = 0."""
    minutes = (23 * 60 + 48 + round(seconds / 60)) % (24 * 60)
    return f"{minutes // 60:02}:{minutes % 60:02}"


_WELL_AGAIN: Final = "it answers 99 % of what it is asked, and does so for ten minutes"
_FAILS: Final = "it answers less than 99 % of what it is asked"
_BEFORE: Final = "it precedes what the source names as its cause"
_NO_MEASURE: Final = "the source does not say what would be measured"
_TWO_TIMES: Final = "the restoration has two published times, 02:24 and 02:25; by the earlier one it is that minute's"
_TOO_LATE: Final = "it lies after the replayed day"

MILESTONES: Final[tuple[Milestone, ...]] = (
    Milestone("ecs-fails", "19 Oct 23:45", "ECS, EKS, Fargate", "launches fail, scaling is late", "outcome", "AWS-zh",
              reason=_BEFORE),
    Milestone("redshift-fails", "19 Oct 23:47", "Redshift",
              "queries and cluster calls fail; IAM users' in all regions", "outcome", "AWS-zh, WT", reason=_BEFORE),
    Milestone("dynamodb-emptied", "19 Oct 23:48", "DynamoDB", "the endpoint has no addresses", "fault",
              'AWS: "resulted in an incorrect empty DNS record"; TALK 06:48 UTC'),
    Milestone("ec2-checks-fail", "19 Oct 23:48", "EC2", "droplets' state checks and launches fail", "outcome",
              "AWS-zh"),
    Milestone("support-fails", "19 Oct 23:48", "Support", "cases cannot be made, seen or changed", "outcome", "WT"),
    Milestone("tables-lag", "19 Oct 23:48", "Global tables", "replication from and to us-east-1 lags", "outcome",
              "AWS-zh"),
    Milestone("packets-lost", "19 Oct 23:49", "Outside", "packets are lost at Ashburn", "report", "TE"),
    Milestone("first-in-logs", "19 Oct 23:49:33", "DynamoDB", "the first failure that logs showed later", "report",
              "TALK"),
    Milestone("lambda-fails", "19 Oct 23:51", "Lambda", "create and update fail, event sources lag", "outcome",
              "AWS-zh"),
    Milestone("sts-fails", "19 Oct 23:51", "STS", "API errors and latency", "outcome", "AWS-zh"),
    Milestone("signin-fails", "19 Oct 23:51", "IAM, sign-in", "IAM users cannot sign in to the console", "outcome",
              "AWS-zh"),
    Milestone("connect-fails", "19 Oct 23:56", "Connect", "calls, chats and cases fail", "outcome", "AWS-zh"),
    Milestone("status-opens", "20 Oct 00:11", "Status page", "first public post", "report", "STATUS"),
    Milestone("status-says-dns", "20 Oct 00:26", "Status page", "DNS named as the fault, as stated later", "report",
              "STATUS"),
    Milestone("dns-found", "20 Oct 00:38", "DynamoDB", "people find the state of DNS to be the cause", "report",
              "AWS-zh, TALK 07:38 UTC"),
    Milestone("status-confirms", "20 Oct 00:51", "Status page", "errors of many services confirmed", "report",
              "STATUS"),
    Milestone("dynamodb-mitigated", "20 Oct 01:15", "DynamoDB",
              "some internal services connect again, tools are mended", "intervention", "AWS-zh"),
    Milestone("sts-back", "20 Oct 01:19", "STS", "well again for the first time", "outcome", "AWS-zh"),
    Milestone("redshift-iam-back", "20 Oct 01:20", "Redshift", "queries of IAM users work in all regions", "outcome",
              "AWS-zh"),
    Milestone("signin-back", "20 Oct 01:25", "IAM, sign-in", "normal", "outcome", "AWS-zh"),
    Milestone("redshift-queries-back", "20 Oct 02:21", "Redshift",
              "queries and cluster calls work, but for some clusters", "outcome", "AWS-zh", reason=_BEFORE),
    Milestone("ec2-leases-ran-out", "20 Oct 02:24", "EC2", "leases have been running out until now", "outcome",
              "AWS-zh", reason=_TWO_TIMES),
    Milestone("lambda-back", "20 Oct 02:24", "Lambda", "well again, but for polling of SQS", "outcome", "AWS-zh",
              reason=_TWO_TIMES),
    Milestone("dynamodb-restored", "20 Oct 02:25", "DynamoDB", "all DNS records are back, by hand", "intervention",
              "AWS-zh, TALK 09:25 UTC"),
    Milestone("ec2-collapses", "20 Oct 02:25", "EC2", "leasing the fleet anew collapses; insufficient capacity",
              "outcome", 'AWS: "congestive collapse"'),
    Milestone("tables-caught-up", "20 Oct 02:32", "Global tables", "all replicas caught up", "outcome", "AWS-zh"),
    Milestone("dynamodb-well", "20 Oct 02:40", "DynamoDB", "negative answers have expired, clients are back",
              "outcome", "AWS, TALK 09:40 UTC"),
    Milestone("support-mitigated", "20 Oct 02:40", "Support", "people mitigate", "intervention", "WT"),
    Milestone("support-secured", "20 Oct 02:58", "Support", "further action against recurrence", "intervention",
              "WT"),
    Milestone("ec2-throttled", "20 Oct 04:14", "EC2", "intake throttled, lease managers restarted one by one",
              "intervention", "AWS-zh"),
    Milestone("sqs-polling-restored", "20 Oct 04:40", "Lambda", "polling of SQS restored by hand", "intervention",
              "AWS-zh"),
    Milestone("connect-chat-back", "20 Oct 05:00", "Connect", "the remaining errors of chats end", "outcome",
              "AWS-zh", observed=_WELL_AGAIN),
    Milestone("ec2-leases-whole", "20 Oct 05:28", "EC2", "every droplet has a lease; launches begin to succeed",
              "outcome", "AWS-zh", observed="99 % of the droplets hold a lease"),
    Milestone("nm-begins", "20 Oct 05:28", "Network Manager",
              "states of new and ended instances go out, after a backlog", "outcome", "AWS-zh",
              observed="the first network state of an instance launched after 02:25 goes out"),
    Milestone("nlb-errors", "20 Oct 05:30", "NLB", "connections fail", "outcome",
              'AWS: "increased connection errors"', observed=_FAILS),
    Milestone("automation-off", "20 Oct 05:38", "DynamoDB", "DNS automation is off in every region", "intervention",
              "TALK 12:38 UTC"),
    Milestone("lambda-backlog-done", "20 Oct 06:00", "Lambda", "backlog of SQS messages worked off", "outcome",
              "AWS-zh", observed="no more messages wait than come in one minute"),
    Milestone("nm-late", "20 Oct 06:21", "Network Manager", "propagation is late; instances start unconnected",
              "outcome", "AWS-zh", observed="the newest instance has to wait ten minutes for its network state"),
    Milestone("redshift-queue-stopped", "20 Oct 06:45", "Redshift",
              "people stop the queue of replacements from growing", "intervention", "AWS-zh"),
    Milestone("nlb-noticed", "20 Oct 06:52", "NLB", "monitoring reports failing health checks", "report", "AWS-zh"),
    Milestone("lambda-shrinks", "20 Oct 07:04", "Lambda", "health checks end instances of Lambda's own fleet",
              "outcome", "AWS-zh"),
    Milestone("lambda-throttled", "20 Oct 07:04", "Lambda", "event sources and asynchronous calls throttled",
              "intervention", "AWS-zh"),
    Milestone("connect-fails-again", "20 Oct 07:04", "Connect", "calls and chats fail again", "outcome", "AWS-zh"),
    Milestone("sts-fails-again", "20 Oct 08:31", "STS", "API errors and latency again", "outcome", "AWS-zh",
              observed=_FAILS),
    Milestone("nlb-failover-off", "20 Oct 09:36", "NLB", "automatic failover by health check switched off",
              "intervention", "AWS-zh"),
    Milestone("nlb-well", "20 Oct 09:36", "NLB", "connection errors end", "outcome", "AWS-zh"),
    Milestone("sts-well", "20 Oct 09:59", "STS", "normal", "outcome", "AWS-zh", observed=_WELL_AGAIN),
    Milestone("nm-well", "20 Oct 10:36", "Network Manager", "propagation is normal", "outcome", "AWS-zh",
              observed="the newest instance has its network state within a minute"),
    Milestone("ec2-launches-connect", "20 Oct 10:37", "EC2", "launches succeed", "outcome",
              'AWS: "began to succeed from 10:37 AM"', observed="99 % of the launches let in come up connected"),
    Milestone("ec2-relaxed", "20 Oct 11:23", "EC2", "people begin to relax the throttles", "intervention", "AWS-zh"),
    Milestone("lambda-capacity-back", "20 Oct 11:27", "Lambda", "enough capacity, errors recede", "outcome",
              "AWS-zh"),
    Milestone("ec2-recovers", "20 Oct 12:01", "EC2", "recovery begins, by the head of the summary's EC2 part",
              "outcome", "AWS-zh, WT", reason=_NO_MEASURE),
    Milestone("connect-well", "20 Oct 13:20", "Connect", "availability restored", "outcome", "AWS-zh",
              observed=_WELL_AGAIN),
    Milestone("ec2-well", "20 Oct 13:50", "EC2", "all calls and launches normal", "outcome",
              'AWS: "resolved by 1:50 PM"', observed=_WELL_AGAIN),
    Milestone("nlb-failover-on", "20 Oct 14:09", "NLB", "automatic failover by health check switched on again",
              "intervention", "AWS, AWS-zh"),
    Milestone("lambda-well", "20 Oct 14:15", "Lambda", "backlogs worked off, normal", "outcome", "AWS-zh"),
    Milestone("ecs-well", "20 Oct 14:20", "ECS, EKS, Fargate", "well again; official end of the event", "outcome",
              'AWS: "ended at 2:20 PM PDT"', observed=_WELL_AGAIN),
    Milestone("redshift-replaces", "20 Oct 14:46", "Redshift", "replacement hosts begin to start, the backlog drains",
              "outcome", "AWS-zh", observed="the first replacement host starts after 06:45"),
    Milestone("status-closes", "20 Oct 15:01", "Status page", "event closed; 142 services listed", "report",
              "STATUS"),
    Milestone("redshift-well", "21 Oct 04:05", "Redshift", "last impaired clusters are back", "outcome", "AWS-zh",
              reason=_TOO_LATE),
    Milestone("race-mended", "22 Oct 00:00", "DynamoDB", "race mended and the mend validated (day only)",
              "intervention", "TALK"),
    Milestone("mend-in-one-region", "24 Oct 00:00", "DynamoDB", "the mend is in the first region (day only)",
              "intervention", "TALK"),
    Milestone("automation-on", "28 Oct 00:00", "DynamoDB", "in all regions, automation on again (day only)",
              "intervention", "TALK"),
    Milestone("connect-backfilled", "28 Oct 00:00", "Connect",
              "data of dashboards and data lake filled in (day only)", "outcome", "AWS-zh", reason=_TOO_LATE),
)  # fmt: skip


def last_input_before(seconds: float, milestones: Sequence[Milestone] = MILESTONES) -> Milestone:
    """The latest input at or before that time, of whatever service.

    Raises ValueError if there is none: the day begins with one.
    """
    return max((one for one in milestones if one.is_input and one.seconds <= seconds), key=lambda one: one.seconds)


def unscored_because(milestone: Milestone, milestones: Sequence[Milestone] = MILESTONES) -> str:
    """Why it scores nothing; empty if it is scored. The rules, in this order, apply to every milestone alike."""
    if milestone.is_input:
        return "it is an input"
    if milestone.kind == "report":
        return "it is what somebody noticed or said, not what the region did"
    if milestone.reason:
        return milestone.reason
    before = last_input_before(milestone.seconds, milestones)
    since = milestone.seconds - before.seconds
    if since <= QUIET_S:
        return f"only {since // 60} min after an input ({before.id})"
    return ""


def scorable(milestones: Sequence[Milestone] = MILESTONES) -> tuple[Milestone, ...]:
    """Those by which a model can be judged, in order of time, then id."""
    found = (one for one in milestones if not unscored_because(one, milestones))
    return tuple(sorted(found, key=lambda one: (one.seconds, one.id)))


def halves(milestones: Sequence[Milestone] = MILESTONES) -> dict[str, Half]:
    """Each scorable milestone's half.

    Those not more than ten minutes after the one before form a group, since to know one is nearly to know the other.
    Groups in order of time are held out and fitted in turn, beginning with held out.
    """
    chosen: dict[str, Half] = {}
    half: Half = "fitted"
    before: int | None = None
    for one in scorable(milestones):
        if before is None or one.seconds - before > QUIET_S:
            half = "held out" if half == "fitted" else "fitted"
        chosen[one.id] = half
        before = one.seconds
    return chosen
