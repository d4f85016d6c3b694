"""What an enactor's step is called, in one clause, and why a provider refused one."""

from collections.abc import Sequence

from . import plans
from .enactor import Enactor, ReadLatest, Reply, Request, Seen
from .route53 import Refused


def step(before: Enactor, request: Request, after: Enactor, reply: Reply | None = None) -> str:
    """One clause in the present tense, for a step from `before` to `after`."""
    if isinstance(request, ReadLatest):
        return f"takes plan {after.plan}, the latest"
    where = before.how.endpoints[request.endpoint]
    if isinstance(reply, Seen):
        return _looked(before, after, reply, where)
    tree = before.how.tree(before.endpoint, before.plan)
    refused = isinstance(reply, Refused)
    match before.phase:
        case "queueing":
            done = f"{'joins' if before.joins else 'strikes an expired ticket off'} the queue for the lock of {where}"
        case "taking":
            done = f"breaks the expired lock of {where} and takes it" if before.lock else f"takes the lock of {where}"
        case "building":
            also = f"plan {before.also} again and " if before.also else ""
            done = f"builds the tree of {also}plan {tree} in {where}"
        case "flipping":
            done = f"points {where} at plan {tree}"
        case "remembering":
            done = f"points rollback of {where} at plan {before.previous}"
        case "releasing":
            done = "gives its lock back"
        case _:
            done = f"cleans up {where}: deletes {_numbered(before.doomed)}, far behind its own plan {before.plan}"
    return f"tries in vain: {done}" if refused else done


def refusal(before: Enactor, reply: Reply) -> str:
    """Which precondition failed, expected and found; empty if none did."""
    if isinstance(reply, Refused):
        record = reply.change.record
        wanted = record.alias or " ".join(record.values)
        match reply.change.action:
            case "DELETE":
                return f"{record.name}: expected {wanted}, found {reply.found}"
            case "CREATE":
                return f"{record.name}: expected nothing, found {reply.found}"
            case "UPSERT":
                return f"target of {record.name}: expected {wanted}, found nothing"
    if isinstance(reply, Seen) and before.phase == "surveying":
        root = plans.root(reply.zone)
        after = before.heard(reply)
        if after.phase == "building" and not after.also:
            return f"target for rollback: expected plan {root}, to which the root refers, found nothing"
    return ""


def joined(texts: Sequence[str]) -> str:
    """Clauses of one fused step; what was only read is left out where something was done."""
    done = [text for text in texts if not text.startswith(("looks", "reads"))]
    return " and ".join(done or texts[-1:])


def _looked(before: Enactor, after: Enactor, reply: Seen, where: str) -> str:
    match before.phase:
        case "checking" | "rechecking":
            again = " again" if before.phase == "rechecking" else ""
            newer = before.how.tree(before.endpoint, before.plan) > plans.root(reply.zone)
            return f"checks plan {before.plan}{again}: {'newer' if newer else 'not newer'} than what {where} refers to"
        case "locking":
            return f"reads the lock of {where}"
        case "surveying":
            if after.phase == "building":
                return f"finds that the plan {where} refers to is gone"
            return f"looks at the root of {where}" if after.phase == "flipping" else f"leaves {where} as it is"
        case _:
            if after.phase == "sweeping":
                return f"lists the trees of {where}: {_numbered(after.doomed)} far behind its own plan {before.plan}"
            return f"lists the trees of {where}: none to delete"


def _numbered(trees: Sequence[int]) -> str:
    return f"plan {trees[0]}" if len(trees) == 1 else "plans " + ", ".join(map(str, trees))
