"""Mutants of the contracts: a provider or a store that does not do what the ports say."""

from typing import Final

from .mutant import Judge, Mutant

_ZONE: Final = "ports/provider_spec.py"
_STORE: Final = "ports/store_spec.py"
_SQLITE: Final = "adapters/stores/sqlite.py"
_WORLD: Final[tuple[Judge, ...]] = ("conformance", "search", "simulation")
_KIT: Final[tuple[Judge, ...]] = ("conformance",)

CONTRACTS: Final = (
    Mutant(
        name="provider applies half a change",
        file=_ZONE,
        old="            after = state.changed(contents)\n",
        new="            after = state.changed(contents[: -(len(contents) // 2) or None])\n",
        rule="write protocol: one atomic change of all payloads, markers and the floor",
        expected=("provider", "G1", "G2", "G4", "G5"),
        runs=("damage",),
        judges=_WORLD,
    ),
    Mutant(
        name="plain and routed stand side by side",
        file=_ZONE,
        old="""            rrsets.pop((content.owner, content.rtype), None)
            if content.rtype in BESIDE:
                rrsets.pop((content.owner, BESIDE[content.rtype]), None)
""",
        new="            rrsets.pop((content.owner, content.rtype), None)\n",
        rule="Route 53: a name and type has simple or routed record sets, never both",
        expected=("provider",),
        judges=("conformance",),
    ),
    Mutant(
        name="an alias may lead to nothing from the start",
        file=_ZONE,
        old="            return (state, Conflict()) if after.dangles(contents) else (after, Written())\n",
        new="            return after, Written()\n",
        rule="Route 53: an alias's target exists with its type when the alias is written",
        expected=("provider",),
        judges=("conformance",),
    ),
    Mutant(
        name="provider ignores the floor's prerequisite",
        file=_ZONE,
        old="            wanted = tuple(one for part in parts for one in part.prerequisites)\n",
        new="            wanted = tuple(one for part in request.writes for one in part.prerequisites)\n",
        rule="5: every change asserts the floor's exact bytes, or its absence",
        expected=("provider", "G2", "G8"),
        runs=("late write",),
        judges=_WORLD,
        marked=True,
    ),
    Mutant(
        name="provider compares without nonce",
        file=_ZONE,
        old="        return (rrset.rdata if rrset else ()) == tuple(sorted(prerequisite.rdata))\n",
        new="""        seen, wanted = (rrset.rdata if rrset else ()), tuple(sorted(prerequisite.rdata))
        return [one[:48] for one in seen] == [one[:48] for one in wanted]
""",
        rule="2, 3: exact bytes are asserted, and no value repeats",
        expected=("provider", "G2", "G8", "G10"),
        judges=("conformance", "simulation"),
        marked=True,
    ),
    Mutant(
        name="provider ignores absence",
        file=_ZONE,
        old="            if not all(map(state.holds, wanted)):\n",
        new="            if not all(state.holds(one) for one in wanted if one.rdata):\n",
        rule="5: absence is asserted as well",
        expected=("provider", "G2", "G8"),
        judges=("conformance", "simulation"),
        marked=True,
    ),
    Mutant(
        name="provider says written on a conflict",
        file=_ZONE,
        old="                return state, Conflict()\n",
        new="                return state, Written()\n",
        rule="write protocol: Written means that every prerequisite held",
        expected=("provider", "G4", "G10"),
        judges=("conformance", "simulation"),
    ),
    Mutant(
        name="provider asserts what wildcards make",
        file=_ZONE,
        old="        rrset = self.rrsets.get((prerequisite.owner, prerequisite.rtype))\n",
        new="        rrset = self.lookup(prerequisite.owner, prerequisite.rtype)\n",
        rule="7: prerequisites are literal",
        expected=("provider",),
        judges=_KIT,
        marked=True,
    ),
    Mutant(
        name="provider puts a CNAME beside addresses",
        file=_ZONE,
        old="        return any(owner == content.owner and rtype != RRType.CNAME for owner, rtype in rrsets)\n",
        new="        return False\n",
        rule="6: a CNAME is not added beside other data (RFC 2136 §3.4.2.2)",
        expected=("provider",),
        judges=_KIT,
        marked=True,
    ),
    Mutant(
        name="markers below their endpoints",
        file="model/name.py",
        old='    owner = f"{inner}.{parent}"\n',
        new='    owner = f"{SUBTREE}.{inner}.{apex}"\n',
        rule="4: a marker below the endpoint would hide wildcards",
        expected=("provider",),
        judges=_KIT,
        marked=True,
    ),
    Mutant(
        name="store takes any plan for the head",
        file=_STORE,
        old="    if state.head != request.expect or (",
        new="    if state.head is request or (",
        rule="planner: publishes by compare-and-set on head's exact value",
        expected=("store", "G4"),
        judges=("conformance", "simulation"),
    ),
    Mutant(
        name="store collects the head",
        file=_STORE,
        old="    protected = pinned | ({state.head.generation} if state.head else set())\n",
        new="    protected = pinned\n",
        rule="clean-up: not head",
        expected=("store", "G3"),
        judges=_KIT,
    ),
    Mutant(
        name="store collects what is pinned",
        file=_STORE,
        old="    protected = pinned | ({state.head.generation} if state.head else set())\n",
        new="    protected = {state.head.generation} if state.head else set()\n",
        rule="clean-up: not pinned",
        expected=("store", "G3"),
        judges=_KIT,
    ),
    Mutant(
        name="store takes a plan of older sources",
        file=_STORE,
        old="        if stored > revision:\n",
        new="        if stored < revision:\n",
        rule="planner: publishing asserts that the store holds no newer source",
        expected=("store",),
        judges=_KIT,
    ),
    Mutant(
        name="SQLite: head without compare-and-set",
        file=_SQLITE,
        old="        if head != request.expect or (head and request.plan.generation <= head.generation):\n",
        new="        if head and request.plan.generation <= head.generation:\n",
        rule="planner: publishes by compare-and-set on head's exact value",
        expected=("store",),
        judges=_KIT,
    ),
    Mutant(
        name="SQLite: collect takes the head",
        file=_SQLITE,
        old="        protected = {catalogue.generation, *read_pins(self._connection, catalogue)}\n",
        new="        protected = {*read_pins(self._connection, catalogue)}\n",
        rule="clean-up: not head",
        expected=("store",),
        judges=_KIT,
    ),
    Mutant(
        name="SQLite: collect takes shared shards",
        file="adapters/stores/shardkeeping.py",
        old="    return candidates - needed\n",
        new="    return candidates\n",
        rule="clean-up: nothing that a remaining plan uses",
        expected=("store",),
        judges=_KIT,
    ),
)
