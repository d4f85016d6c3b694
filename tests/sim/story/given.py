"""Stories by hand: the smallest in which each thing a reader must see happens."""

from standfast.sim.story.story import Answer, Moment, Record, Scene, Story

ZONE = "lb.example.com"
WWW = f"www.{ZONE}"


def alias(owner: str, target: str) -> Record:
    return Record(f"{owner}.{ZONE}", "alias", (), f"{target}.{ZONE}")


def tree(generation: int) -> tuple[Record, ...]:
    """A weighted set of two leaves."""
    name = f"plan-{generation}.{ZONE}"
    leaves = tuple(f"lb-{number}.plan-{generation}.{ZONE}" for number in (1, 2))
    rows = tuple(Record(leaf, "leaf", (f"192.0.2.{generation}{place}",)) for place, leaf in enumerate(leaves))
    return (Record(name, "weighted set", leaves), *rows)


def scene(*records: Record, root: int | None = None, lock: str = "", **beliefs: str) -> Scene:
    """`root` is the generation that the answer comes from; None: nothing."""
    addresses = tuple(f"192.0.2.{root}{place}" for place in (0, 1)) if root is not None else ()
    locks = (Record(f"lock.{ZONE}", "lock", (lock,)),) if lock else ()
    answer = Answer(WWW, "NOERROR", addresses, below_minimum=not addresses)
    return Scene((*records, *locks), (answer,), ("latest: plan 2",), tuple(beliefs.items()))


def dangling() -> Story:
    """An alias is turned back, and what it then refers to is deleted."""
    whole = scene(alias("www", "plan-2"), *tree(1), *tree(2), root=2, slow="holds 1", quick="holds 2")
    back = scene(alias("www", "plan-1"), *tree(1), *tree(2), root=1, lock="slow", slow="wrote 1", quick="holds 2")
    gone = scene(alias("www", "plan-1"), *tree(2), slow="wrote 1", quick="wrote 2")
    return Story(
        "An alias left dangling",
        ("slow", "quick"),
        whole,
        (
            Moment("quick", "reads plan 2", whole, to="store", caption="It is the latest.", waiting=("slow",)),
            Moment("slow", "points www at plan 1", back, to="zone", source="TALK", certainty="published"),
            Moment(
                "quick",
                "deletes plan 1",
                gone,
                to="zone",
                violation="G1: www answers nothing",
                prevented_by=("fence", "safe clean-up"),
                certainty="inferred",
                source="AWS",
            ),
            Moment(
                "slow", "tries plan 2", gone, to="zone", refused="marker: expected since 1, found since 2; floor: no"
            ),
        ),
        "www stays empty.",
        "standfast replay dangling.json",
    )


HOSTILE = "<script>alert('x')</script>&\"'\x1b[31m</style>]]>"


def hostile() -> Story:
    """Every text of it tries to be markup."""
    bad = HOSTILE
    where = Scene((Record(bad, bad, (bad,), bad),), (Answer(bad, bad, (bad,)),), (bad,), ((bad, bad),), (bad,))
    moment = Moment(bad, bad, where, bad, bad, bad, bad, bad, "ours", (bad,), (bad,))
    return Story(bad, (bad,), where, (moment,), bad, bad)
