"""What a rollback would put back, and what is thought of it now: by a planner at work, else checked from here."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from standfast.runtime.chronicle import difference, member_of
from standfast.runtime.observing import declared_fleet, present
from standfast.runtime.place import Place

from .wording import table

if TYPE_CHECKING:
    from standfast.config import LoadBalancerConfig
    from standfast.core.holding import Rollback
    from standfast.model.fleet import LoadBalancer, Verdict

    from .operate import Case

_FAILS = "fails its check now: "


def shown(case: "Case") -> tuple[list[str], bool]:
    """The lines, and whether somebody must agree who knows why: a load balancer would be in the answer that fails."""
    from standfast.core.holding import Rollback
    from standfast.model.fleet import readable

    command, key = case.command, case.key
    assert isinstance(command, Rollback)
    before, after = case.plan.entry(key), command.target.entry(key)
    assert before is not None
    assert after is not None
    served = [one.load_balancer for one in after.members if one.served]
    health = _health(case, [*served, *(one.load_balancer for one in before.members if one.served)])
    rows = []
    for text in difference(before, after):
        sign, _, name = text.partition(" ")
        member = member_of(after if sign == "+" else before, name.partition(" ")[0])
        if sign in "+−" and member is not None:
            rows.append((text, "  ".join(readable(member.addresses)), _words(health.get(member.load_balancer))))
        elif text not in ("held", "resumed", "written anew"):
            rows.append((text, "", ""))
    lines = [f"{case.short}: {_question(command, case)}", *table(rows, "   ")]
    if not rows:
        lines.append("   The addresses and the TTL are the same as now.")
    ill = [name for name in served if name in health and health[name].state == "down"]
    unsure = [name for name in served if name not in health or health[name].state == "unknown"]
    if ill:
        fail = "fails its" if len(ill) == 1 else "fail their"
        lines.append(f"   Take care: {', '.join(ill)} would be in the answer and {fail} checks now.")
    if unsure and case.config.health is not None:
        lines.append(f"   Not known now: whether {', '.join(unsure)} can serve.")
    lines.append("   Guards: pass." if not ill else "   Guards: pass, if you say so: --yes needs a --reason here.")
    lines.append(
        f"   {case.short} will then be HELD: neither the file nor health checks change it until "
        f"`standfast resume {case.short}`."
    )
    return lines, bool(ill)


def _question(command: "Rollback", case: "Case") -> str:
    return f"put back the contents of g{command.target.generation} as g{case.plan.generation + 1}?"


def _health(case: "Case", names: Iterable[str]) -> "dict[str, Verdict]":
    """What a planner at work says, which has looked again and again; where there is none, one check from here."""
    from standfast.model.fleet import Verdict
    from standfast.runtime.observing import at_work

    wanted = sorted(set(names))
    if any(one.role == "planner" and at_work(one) for one in present(Place(case.config))):
        judged = {name: case.sight.judged(name) for name in wanted}
        return {name: Verdict(one.state, one.reason) for name, one in judged.items() if one is not None}
    health, fleet = case.config.health, case.sight.fleet or declared_fleet(case.config)
    if health is None or fleet is None:
        return {}
    from .checking.probing import probe_round

    ports = {one.id: one.port for one in case.config.load_balancers}
    some = [_declared(one, ports.get(one.id)) for one in fleet.load_balancers if one.id in wanted]
    return {one.load_balancer: one.verdict for one in probe_round(health, some)}


def _declared(one: "LoadBalancer", port: int | None) -> "LoadBalancerConfig":
    from standfast.config import LoadBalancerConfig

    return LoadBalancerConfig(one.id, one.az, one.pool, one.ipv4, one.ipv6, one.capacity, one.admin, port)


def _words(verdict: "Verdict | None") -> str:
    if verdict is None:
        return "its health is not known now"
    words = {
        "up": "passes its check now",
        "down": f"FAILS now: {verdict.reason.removeprefix(_FAILS)}",
        "warming": "warms up now",
    }
    return words.get(verdict.state, f"unknown now: {verdict.reason}")
