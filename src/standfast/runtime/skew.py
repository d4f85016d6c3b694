"""Who runs by which configuration: processes that have not read the newest file, machines with other files. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .observing import at_work
from .overridden import Remark
from .phrases import listed

if TYPE_CHECKING:
    from .observing import Seen

_RELOAD = "systemctl reload standfast"


def skewed(seen: "Seen") -> Iterator[Remark]:
    """A sentence for each difference that somebody should know of. `seen.file` is the digest of the file at hand."""
    if not seen.file:
        return
    late = [one for one in seen.present if at_work(one) and one.facts.get("file", seen.file) != seen.file]
    if late:
        names = listed((f"{one.role} {one.who}" for one in late), 4)
        was = ", ".join(sorted({str(one.facts.get("file"))[:4] for one in late}))
        verb = "runs" if len(late) == 1 else "run"
        text = f"{names} {verb} by another configuration ({was}) than the file has now ({seen.file[:4]})."
        yield Remark("HANDLED", text, _RELOAD)
    force = seen.store.policy
    if force is not None and force.digest != seen.file and not late:
        text = (
            f"Planner {force.who} brought another configuration into force ({force.digest[:4]}) than this file "
            f"({seen.file[:4]}): give every machine the same file."
        )
        yield Remark("HANDLED", text, _RELOAD)
