"""The markers' chains: for each endpoint the order of all its writes, whatever the clocks say; G2, and G5 and G8 along
them."""

from collections.abc import Mapping
from typing import Final

from .findings import Findings
from .floors import TWICE, TWINS_REMEDY, Floors, Moment
from .lines import Place
from .payloads import BARE
from .record import FAILED, Key, Link, Record
from .setbacks import SetBacks

_REPORT: Final = "Report this with both journals: no enactor may do that."
_FROZEN: Final = frozenset({"frozen", "placeholder"})


def judge_chains(
    record: Record, floors: Floors, ends: Mapping[Key, str], set_backs: SetBacks, findings: Findings
) -> int:
    """Every step of every chain; how many endpoints have one."""
    contents = _Contents(record, findings)
    chains = 0
    for key, links in record.links.items():
        contents.begin()
        for link in links.values():
            _settled(key, link, findings)
            contents.judge(key, link)
            _over(record, key, link, findings)
        followers = _followers(links)
        roots = followers.pop("", [])
        chains += bool(roots or followers)
        _twins(record, key, followers, set_backs, findings)
        _ring(key, links, followers, findings)
        if len(roots) > 1:
            _roots(key, links, floors, findings)
        _end(key, links, followers, ends.get(key), set_backs, findings)
    return chains


def _followers(links: Mapping[str, Link]) -> dict[str, list[Link]]:
    """What landed over each marker; under the empty nonce what landed where no marker could be read."""
    found: dict[str, list[Link]] = {}
    for link in links.values():
        if link.change.landed and link.act != "refill":
            found.setdefault(link.over, []).append(link)
    return found


def _over(record: Record, key: Key, link: Link, findings: Findings) -> None:
    """The marker that it replaces, if a journal has it."""
    if not link.over or link.act == "refill":
        return
    before = record.links[key].get(link.over)
    if before is not None and before.makes_marker:
        _step(key, before, link, findings)
    else:
        _hole(record, key, link, findings)


def _twins(
    record: Record, key: Key, followers: Mapping[str, list[Link]], set_backs: SetBacks, findings: Findings
) -> None:
    """A marker is replaced once, each time it stands."""
    for over, some in followers.items():
        if len(some) > 1 and set_backs.explain(key, over, (link.change for link in some)):
            continue
        first, *others = some
        for other in others:
            if over in record.links[key] and record.may_stand_twice(over):
                findings.doubted("G2", TWICE, _place(other))
                continue
            text = f"{key[2]}: two changes replaced the marker {over}"
            findings.violated("G2", text, _place(first), _place(other), remedy=TWINS_REMEDY)


def _place(link: Link) -> Place:
    return link.change.place


def _step(key: Key, before: Link, link: Link, findings: Findings) -> None:
    """From one marker to the next."""
    name, places = key[2], (_place(before), _place(link))
    findings.checked("G2")
    if link.before is not None and link.before != before.since:
        text = f"{name}: the marker {link.over} was put with since {before.since} and found with {link.before}"
        findings.violated("G2", text, *places, remedy=_REPORT)
    if link.makes_marker and link.since < before.since:
        text = f"{name}: since {link.since} is written over {before.since}"
        findings.violated("G2", text, *places, remedy=_REPORT)
    if before.state in _FROZEN and link.act != "mark":
        findings.violated("G8", f"{name}: a {link.act} over a frozen marker", *places, remedy=_REPORT)
    if before.state == "retired" and link.kind != "retired" and link.act != "leave":
        findings.violated("G8", f"{name}: a {link.act} over a tombstone", *places, remedy=_REPORT)
    (generation, plan), mine = before.names, link.change
    if link.act not in BARE and generation == mine.generation and plan != mine.plan:
        text = f"{name}: plan {mine.plan[:8]} is written over plan {plan[:8]}, and both are g{generation}"
        findings.violated("G5", text, *places, remedy="Two plans of one number: nobody may write before a newer one.")


def _hole(record: Record, key: Key, link: Link, findings: Findings) -> None:
    if link.act == "take":
        return  # what it replaces is another stream's, and in that stream's chain
    other = record.changes.get(link.over)
    if other is None and link.change.recalled:
        return  # files tell of it that are not given, and this one is judged from a later moment on
    if other is None:
        why = "a marker put by a change that is in no journal given here (or by hand)"
        findings.doubted("G2", why, _place(link))
        return
    if other.recalled:
        findings.doubted("G2", "a marker of which a checkpoint tells no more, as others stood over it", _place(link))
        return
    text = f"{key[2]}: its marker carries nonce {link.over}, whose intent puts no marker there"
    findings.violated("G10", text, other.place, _place(link), remedy="Report this: intents precede writes.")


def _settled(key: Key, link: Link, findings: Findings) -> None:
    """What is known of its outcome, from its sender and from the chain."""
    if link.change.landed and link.told in FAILED:
        text = f"{key[2]}: told as {link.told}, and a later change was made over it"
        findings.violated("G10", text, _place(link), remedy="Look at the provider: it refused and wrote.")
    elif not link.change.landed and link.told in ("", "unknown"):
        why = "writes of which nobody knows whether they landed: no outcome, and nothing was made over them"
        findings.doubted("G10", why, _place(link))


def _ring(key: Key, links: Mapping[str, Link], followers: Mapping[str, list[Link]], findings: Findings) -> None:
    """A chain has an end: a marker that nobody replaced."""
    landed = [one for one in links.values() if one.change.landed and one.act != "refill"]
    if landed and all(one.change.nonce in followers for one in landed):
        text = f"{key[2]}: every marker was replaced by another, so some marker stood twice"
        findings.violated("G2", text, _place(landed[0]), _place(landed[-1]), remedy=TWINS_REMEDY)


def _roots(key: Key, links: Mapping[str, Link], floors: Floors, findings: Findings) -> None:
    """Chains that begin anew, since a marker was gone or unreadable: the floors order them, where none was lost."""
    placed: dict[int, list[tuple[int, bool, Link]]] = {}
    for link in links.values():
        if not link.change.landed or link.act in BARE or not link.makes_marker:
            continue
        moment: Moment | None = floors.moment(link.change)
        if moment is None:
            findings.doubted("G2", "a marker was gone, and no floor tells what was before it", _place(link))
            continue
        placed.setdefault(moment[0], []).append((moment[1], not link.over, link))
    for some in placed.values():
        highest: Link | None = None
        for _, is_root, link in sorted(some, key=lambda one: one[0]):
            if is_root and highest is not None:
                findings.checked("G2")
                if link.since < highest.since:
                    text = f"{key[2]}: its marker was gone, and since {link.since} is written after {highest.since}"
                    findings.violated("G2", text, _place(highest), _place(link), remedy=_REPORT)
            if highest is None or link.since > highest.since:
                highest = link


def _end(
    key: Key,
    links: Mapping[str, Link],
    followers: Mapping[str, list[Link]],
    nonce: str | None,
    set_backs: SetBacks,
    findings: Findings,
) -> None:
    """The marker that stands now must be the end of a chain."""
    if nonce is None:
        return
    last = links.get(nonce)
    if last is None or not last.makes_marker:
        findings.doubted("G2", f"{key[2]} stands under nonce {nonce}, which no journal given here has")
        return
    findings.checked("G2")
    later = followers.get(nonce)
    if later and not set_backs.stands_again(key, nonce, (link.change for link in later)):
        text = f"{key[2]}: the marker {nonce} stands, and a change was written over it"
        findings.violated("G2", text, _place(last), _place(later[0]), remedy=TWINS_REMEDY)


class _Contents:
    """G5: whoever writes an endpoint with one since puts the same contents, unless two plans have one number."""

    def __init__(self, record: Record, findings: Findings) -> None:
        self._known: dict[int, Link] = {}
        self._findings = findings
        self._forked: dict[str, list[int]] = {}
        for (stream, generation), place in record.forks.items():
            self._forked.setdefault(stream, []).append(generation)
            why = "two plans have one generation (a fork): writes may be of either until a newer one"
            for guarantee in ("G4", "G5"):
                findings.doubted(guarantee, why, place)

    def begin(self) -> None:
        """On to another endpoint."""
        self._known.clear()

    def judge(self, key: Key, link: Link) -> None:
        """Against the first that wrote this since."""
        if link.act != "write" or not link.contents:
            if link.act == "write":
                self._findings.doubted("G5", "intents of version 1 don't tell their contents", _place(link))
            return
        first = self._known.setdefault(link.since, link)
        self._findings.checked("G5")
        if first.contents == link.contents:
            return
        if any(generation <= max(first.change.generation, link.change.generation) for generation in self._forks(key)):
            self._findings.doubted("G5", "one since with two contents, after a fork", _place(link))
            return
        text = f"{key[2]}: since {link.since} is written with two contents"
        self._findings.violated("G5", text, _place(first), _place(link), remedy=_REPORT)

    def _forks(self, key: Key) -> list[int]:
        return self._forked.get(key[0], [])
