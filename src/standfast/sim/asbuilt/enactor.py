"""The enactor as built, one of three, with whatever remedies are switched on: a core without I/O.

Pass.  Take the latest plan; check once that it is newer than what is applied; walk the endpoints one at a time; after
       the last one clean up [AWS]. Whoever is blocked at an endpoint retries it until it succeeds [AWS].
Lock.  One for each zone; its existence means held [TALK]. Taken by a bare CREATE, broken when it has expired, given
       back after the endpoint [INF]. Losers back off and retry [TALK]; for how long has no meaning without a clock.
Root.  Build the tree, then one transaction moves the root and sets rollback to what the root referred to [TALK].
Tidy.  Trees whose plan lies far behind *one's own plan* are deleted [AWS], under no lock [INF]; `locked-cleanup` shows
       that it would have gone the same way under one.

What "applied" is read from is not published; here it is the roots themselves, zone by zone: a plan is worth a pass if
it is newer than what any of them refers to. That lets nobody start in vain, and is true when it is read [INF].

`request(stamp)` is what it asks; `heard(reply, stamp)` is the enactor afterwards. `stamp` is the value that a lock
written by this request gets: host name and expiry [TALK], never used again; the world makes it up. Crash and restart
are a new Enactor.
"""

from typing import Final, Literal, TypeAlias

from msgspec import Struct, structs

from . import batches, plans
from .remedies import Built
from .route53 import Applied, Batch, HostedZone, Refused

QUEUE_PLACES: Final = 2
"""In the queue for a fair lock: of three enactors one holds it and two wait."""


class ReadLatest(Struct, frozen=True):
    """Which plan is the latest?"""


class Look(Struct, frozen=True):
    """What does this endpoint's zone hold? By the control API, which is consistent [TALK]."""

    endpoint: int


class Send(Struct, frozen=True):
    """A change batch for this endpoint's zone."""

    endpoint: int
    batch: Batch


Request: TypeAlias = ReadLatest | Look | Send


class Latest(Struct, frozen=True):
    """The latest plan's generation; 0 before the first."""

    generation: int


class Seen(Struct, frozen=True):
    """The zone, and whether the lock in it, if there is one, has expired."""

    zone: HostedZone
    expired: bool = False


Reply: TypeAlias = Latest | Seen | Applied | Refused
Phase: TypeAlias = Literal[
    "idle",
    "checking",
    "rechecking",
    "locking",
    "queueing",
    "taking",
    "building",
    "surveying",
    "flipping",
    "remembering",
    "releasing",
    "listing",
    "sweeping",
]


class Enactor(Struct, frozen=True):
    """One enactor between two requests. What it does not need any more is reset, so that equal futures are equal.

    `plan`: the generation held for the whole pass; `lock`: the lock's value as believed, its own or an expired one
    about to be broken; `previous`: the tree that the root referred to just before; `also`: that tree if it is to be
    rebuilt; `marker`: as read; `doomed`: trees about to be deleted, `witness` root and rollback when that was decided;
    `ticket`: one's own in the queue for a fair lock, `queue`: that as read; `cleaning`: whether a lock is
    for clean-up.
    """

    how: Built
    phase: Phase = "idle"
    plan: int = 0
    endpoint: int = 0
    lock: str = ""
    previous: int = 0
    also: int = 0
    marker: str = ""
    doomed: tuple[int, ...] = ()
    witness: tuple[int, int] = (0, 0)
    ticket: str = ""
    queue: tuple[str, ...] = ()
    cleaning: bool = False

    # -- what it asks --------------------------------------------------------------------------------------------

    def request(self, stamp: str) -> Request:
        """The one thing asked now."""
        match self.phase:
            case "idle":
                return ReadLatest()
            case "locking":
                return Look(self._lock_at)
            case "checking" | "rechecking" | "surveying" | "listing":
                return Look(self.endpoint)
            case "queueing":
                return Send(self._lock_at, self._queued(stamp))
            case "taking":
                mine = self._queued() if self.ticket else ()
                return Send(self._lock_at, mine + batches.taken(self._apex(self._lock_at), self.lock, stamp))
            case "releasing":
                return Send(self._lock_at, batches.released(self._apex(self._lock_at), self.lock))
            case _:
                return Send(self.endpoint, self._batch(self._apex(self.endpoint), stamp))

    def _batch(self, apex: str, stamp: str) -> Batch:
        tree = self.how.tree(self.endpoint, self.plan)
        start = batches.preamble(apex, self.lock, stamp) if self.lock and self.lock_is_asserted else ()
        if self.phase == "sweeping":
            sure = batches.asserted(apex, *self.witness) if self.how.has("assert-referenced") else ()
            return start + sure + batches.swept(apex, self.doomed)
        if self.phase == "building":
            return start + (batches.built(apex, self.also) if self.also else ()) + batches.built(apex, tree)
        if self.phase == "remembering":
            return start + batches.rolled(apex, self.previous)
        fence = batches.fenced(apex, self.marker, tree) if self.how.has("fence") else ()
        back = () if self.how.has("decoupled") else batches.rolled(apex, self.previous)
        return start + fence + batches.moved(apex, tree) + back

    @property
    def joins(self) -> bool:
        """Whether it is about to join the queue, rather than to take the first out: itself, or one that has expired."""
        return self.ticket not in self.queue and len(self.queue) < QUEUE_PLACES

    def _queued(self, stamp: str = "") -> Batch:
        after = (*self.queue, stamp) if self.joins else self.queue[1:]
        return batches.queued(self._apex(self._lock_at), self.queue, after)

    @property
    def _lock_at(self) -> int:
        """In which endpoint's zone the lock stands."""
        return 0 if self.how.has("one-lock") else self.endpoint

    @property
    def lock_is_asserted(self) -> bool:
        """A batch goes to one zone: a lock that stands in another one cannot be asserted by it."""
        return self._lock_at == self.endpoint

    def _apex(self, endpoint: int) -> str:
        return self.how.endpoints[endpoint]

    # -- what it hears -------------------------------------------------------------------------------------------

    def heard(self, reply: Reply, stamp: str = "") -> "Enactor":
        """The enactor after the reply. Raises AssertionError if it is no reply to `request`."""
        match self.phase, reply:
            case "idle", Latest(generation):
                return self._with("checking", plan=generation) if generation else self
            case (("checking" | "rechecking"), Seen()):
                return self._checked(reply.zone)
            case "locking", Seen():
                return self._found_lock(reply)
            case "taking", Applied():
                return self._with("listing" if self.cleaning else "building", lock=stamp)
            case "taking", Refused():
                return self._with("locking", lock="", ticket=self.ticket)
            case "queueing", (Applied() | Refused()):
                joined = self.joins and isinstance(reply, Applied)
                return self._with("locking", ticket=stamp if joined else self.ticket)
            case (("building" | "flipping" | "remembering"), (Applied() | Refused())):
                return self._changed(reply, stamp)
            case "surveying", Seen():
                return self._surveyed(reply.zone)
            case "releasing", (Applied() | Refused()):
                after = structs.replace(self, lock="")
                return (
                    self._with("idle")
                    if self.how.has("one-lock")
                    else after._next()
                    if self.cleaning
                    else after._left()
                )
            case "listing", Seen():
                return self._listed(reply.zone)
            case "sweeping", (Applied() | Refused()):
                return self._lost(reply) or self._swept(
                    stamp if self.lock and isinstance(reply, Applied) else self.lock
                )
        raise AssertionError(f"{type(reply).__name__} is no reply to an enactor that is {self.phase}")

    def _with(self, phase: Phase, **fields: object) -> "Enactor":
        """The next phase. Only plan, endpoint, lock and what that is for outlive one, and none of them a pass."""
        if phase == "idle":
            return Enactor(self.how)
        kept = {"plan": self.plan, "endpoint": self.endpoint, "lock": self.lock, "cleaning": self.cleaning}
        return Enactor(self.how, phase, **{**kept, **fields})  # type: ignore[arg-type]  # each by its own name

    def _checked(self, zone: HostedZone) -> "Enactor":
        """The freshness check: once for a pass as built, of each zone until one shows that the plan is newer."""
        root = plans.root(zone)
        broken = self.how.has("heal") and bool(root) and root not in plans.trees(zone)
        worth = self.how.tree(self.endpoint, self.plan) > root or broken
        if self.phase == "rechecking":
            return self._work() if worth else self._left()
        if worth:
            return self._enter(0)
        last = self.endpoint + 1 == len(self.how.endpoints)
        return self._with("idle") if last else self._with("checking", endpoint=self.endpoint + 1)

    def _enter(self, endpoint: int) -> "Enactor":
        """Begin with an endpoint."""
        at = structs.replace(self, endpoint=endpoint)
        return at._with("rechecking") if self.how.has("recheck") else at._work()

    def _work(self) -> "Enactor":
        return self._with("building" if self.lock else "locking")

    def _found_lock(self, seen: Seen) -> "Enactor":
        value = plans.written(seen.zone, plans.lock_name(seen.zone.apex))
        turn = self._with("queueing", ticket=self.ticket, queue=plans.queue(seen.zone))
        if self.how.has("fair-lock") and turn.queue[:1] != (self.ticket,):
            return turn if turn.joins or seen.expired else self
        if value and not seen.expired:
            return self
        return self._with("taking", lock=value, ticket=self.ticket, queue=turn.queue)

    def _changed(self, reply: Applied | Refused, stamp: str) -> "Enactor":
        """After a batch with the preamble: was the lock still ours, and did the payload go through?"""
        lock = stamp if self.lock_is_asserted else self.lock
        if lost := self._lost(reply):
            return lost
        if self.phase == "remembering":
            return self._with("releasing", lock=lock if isinstance(reply, Applied) else self.lock)._unless_held()
        if isinstance(reply, Refused):
            return self._with("building")
        if self.phase == "building":
            return self._with("surveying", lock=lock)
        if self.how.has("decoupled") and self.previous:
            return self._with("remembering", lock=lock, previous=self.previous)
        return self._with("releasing", lock=lock)._unless_held()

    def _lost(self, reply: Applied | Refused) -> "Enactor | None":
        """Somebody has broken the lock: it has to be taken again."""
        refused = isinstance(reply, Refused) and reply.change.record.name == plans.lock_name(self._apex(self.endpoint))
        return self._with("locking", lock="") if refused else None

    def _surveyed(self, zone: HostedZone) -> "Enactor":
        root, tree = plans.root(zone), self.how.tree(self.endpoint, self.plan)
        marker = plans.written(zone, plans.marker_name(zone.apex)) if self.how.has("fence") else ""
        missing = bool(root) and root not in plans.trees(zone)
        newer = int(marker or 0) > tree or (self.how.has("check-in-lock") and root > tree)
        if newer or root == tree:  # somebody else with the same plan was here: all three do the same work [TALK]
            return self._with("releasing")._unless_held()
        if missing and self.how.has("repair"):
            return self._with("building", also=root)
        if missing and self.how.rendering == "enactor" and not self.how.has("decoupled"):
            return self._with("building")
        return self._with("flipping", previous=root, marker=marker)

    def _unless_held(self) -> "Enactor":
        """One lock for the whole pass is not given back between endpoints."""
        return self._left() if self.how.has("one-lock") else self

    def _left(self) -> "Enactor":
        """Done with an endpoint: the next one, or clean-up."""
        lock = self.lock if self.how.has("one-lock") else ""
        after = structs.replace(self, lock=lock)
        if self.endpoint + 1 < len(self.how.endpoints):
            return after._enter(self.endpoint + 1)
        return after._done() if self.how.has("no-cleanup") else structs.replace(after, endpoint=0)._tidy()

    # -- clean-up ------------------------------------------------------------------------------------------------

    def _tidy(self) -> "Enactor":
        """Begin clean-up of an endpoint. One lock for the whole pass is still held then."""
        locks = self.how.has("locked-cleanup") and not self.lock
        return self._with("locking" if locks else "listing", cleaning=locks or bool(self.lock))

    def _listed(self, zone: HostedZone) -> "Enactor":
        root, rollback = plans.root(zone), plans.rollback(zone)
        own = self.how.tree(self.endpoint, self.plan)
        basis = min(self.plan, root) if self.how.has("floor") else self.plan
        doomed = tuple(tree for tree in plans.trees(zone) if tree <= basis - self.how.distance)
        if self.how.has("spare-referenced") or self.how.has("assert-referenced"):
            doomed = tuple(tree for tree in doomed if tree not in (root, rollback, own))
        if self.how.has("velocity"):
            doomed = doomed[:1]
        if not doomed:
            return self._swept(self.lock)
        witness = (root, rollback) if self.how.has("assert-referenced") else (0, 0)
        return self._with("sweeping", doomed=doomed, witness=witness)

    def _swept(self, lock: str) -> "Enactor":
        if lock and not self.how.has("one-lock"):
            return self._with("releasing", lock=lock)
        return structs.replace(self, lock=lock)._next()

    def _next(self) -> "Enactor":
        """Clean-up of the next endpoint, if there is one."""
        if self.endpoint + 1 < len(self.how.endpoints):
            return structs.replace(self, endpoint=self.endpoint + 1)._tidy()
        return self._done()

    def _done(self) -> "Enactor":
        return self._with("releasing", endpoint=0) if self.lock else self._with("idle")
