"""The Route 53 that both runs are staged at: its door, what its name server says, and who was started there."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from msgspec import Struct

from e2e.prober import Question, read_answers
from e2e.roles import Process, until
from harness.route53 import Route53, running

T = TypeVar("T")
HERE: Final = Path(__file__).parent
CHANGE: Final = "ChangeResourceRecordSets"
PATIENCE_S: Final = 240.0
"""For whatever is waited for; on a quiet machine it comes within a second."""
PACE_S: Final = 0.02
"""Between two questions of the prober: fifty a second leave two cores to those who are staged."""
NEGATIVE_TTL_S: Final = 1
"""Of the SOA, in place of Route 53's 900: that long resolvers keep an empty answer, and a cleaner keeps a tree."""
_HEADER: Final = re.compile(r"status: (\w+),.*?ANSWER: (\d+)", re.DOTALL)


def whole_lines(path: Path) -> list[dict[str, Any]]:
    """Lines of JSON in a file that somebody is still writing: what has no end yet is left for the next time."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


class Dug(Struct, frozen=True):
    """What `dig` said: status and addresses."""

    status: str
    addresses: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """A good answer without addresses: what October 2025 looked like."""
        return self.status == "NOERROR" and not self.addresses

    def __str__(self) -> str:
        return f"{self.status}, ANSWER: {len(self.addresses)}{''.join(f' {one}' for one in self.addresses)}"


class Step(Struct, frozen=True):
    """One step of a run. `key` is the row in which it stands beside the other run's; `at` seconds after the run's first
    step; `refused` what the provider said no to, in its words, `wrong` what went wrong."""

    key: str
    at: float
    actor: str
    text: str
    dug: Dug
    refused: str = ""
    wrong: str = ""


class Asked(Struct, frozen=True):
    """What an independent prober was answered, all the time through: how often, and how often without addresses."""

    queries: int
    empty: int
    first_empty: Dug | None = None


class Staged(Struct, frozen=True):
    """A run: its steps, what the prober saw, and the outcome."""

    title: str
    steps: tuple[Step, ...]
    asked: Asked
    emptied: bool
    wedged: bool
    outcome: str


class Voice:
    """Who is told of a run: its steps, and what it is at between two of them. This one keeps it to itself."""

    def say(self, step: Step) -> None:
        """A step."""

    def note(self, text: str) -> None:
        """What it is at, until the next step or note."""


class Account:
    """One stand-in, its processes, and a prober that never stops asking. `name` is the endpoint of the story."""

    def __init__(self, service: Route53, folder: Path, name: str, voice: Voice) -> None:
        self.service, self.folder, self.name, self.voice = service, folder, name, voice
        self.processes: list[Process] = []
        self.steps: list[Step] = []
        self.question: Question = (name, "A")
        self._began = time.monotonic()
        self._prober: Process | None = None

    def zone(self, apex: str) -> str:
        """A new hosted zone, whose empty answers are kept for a second."""
        client, zone = self.service.client(), self.service.zone(apex)
        raws = client.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
        soa = next(raw for raw in raws if raw["Type"] == "SOA")
        fields = soa["ResourceRecords"][0]["Value"].split()
        soa["ResourceRecords"][0]["Value"] = " ".join([*fields[:-1], str(NEGATIVE_TTL_S)])
        soa["TTL"] = NEGATIVE_TTL_S
        changes = [{"Action": "UPSERT", "ResourceRecordSet": soa}]
        client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
        return zone

    # -- processes -----------------------------------------------------------------------------------------------

    def start(self, arguments: list[str], log: str, key: str) -> Process:
        """A process that reaches the stand-in with that access key."""
        process = Process(arguments, self.folder / log, self.service.environment(key))
        self.processes.append(process)
        return process

    def close(self) -> None:
        """End what was started."""
        for process in reversed(self.processes):
            if process.code is None:
                process.kill()

    def logs(self) -> str:
        """The ends of what processes printed."""
        paths = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}" for path in paths)

    def until(self, wanted: Callable[[], T], what: str) -> T:
        """Wait for it, as long as all that was started lives."""
        began = [one for one in self.processes if one.code is None]

        def looked() -> T:
            gone = [one for one in began if one.code not in (None, 0)]
            assert not gone, f"{gone[0].arguments} ended with {gone[0].code}\n{self.logs()}"
            time.sleep(0.1)
            return wanted()

        return until(looked, what, PATIENCE_S)

    # -- the door ------------------------------------------------------------------------------------------------

    def hold(self, key: str, mention: str) -> None:
        """The next change of that access key that mentions this waits at the provider's door."""
        self.service.order("hold", operation=CHANGE, access_key=key, mention=mention)

    def held(self, key: str) -> Mapping[str, Any] | None:
        """What of that access key stands there."""
        return next((one for one in self.service.order("held") if one["access_key"] == key), None)

    def wait_held(self, key: str) -> Mapping[str, Any]:
        """Wait until something of that access key does."""
        found = self.until(lambda: self.held(key), f"a change of {key} is at the door")
        assert found is not None
        return found

    def let_in(self, held: Mapping[str, Any]) -> None:
        """Now it happens, or is refused."""
        self.service.order("release", number=held["number"])
        self.until(lambda: held["number"] not in [one["number"] for one in self.service.order("held")], "it is let in")

    def refusals(self) -> int:
        """How many batches were refused so far."""
        return int(self.service.order("counts")["refusals"].get("InvalidChangeBatch", 0))

    # -- what is told --------------------------------------------------------------------------------------------

    def dig(self) -> Dug:
        """Ask the stand-in's name server, by the real `dig`."""
        host, port = self.service.dns[0]
        command = ["dig", f"@{host}", "-p", str(port), "+time=5", "+noall", "+comments", "+answer", self.name, "A"]
        text = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True).stdout
        found = _HEADER.search(text)
        assert found, text
        lines = [line.split() for line in text.splitlines() if line and not line.startswith(";")]
        return Dug(found[1], tuple(sorted(line[4] for line in lines if line[3] == "A")))

    def tell(self, key: str, actor: str, text: str, *, refused: str = "", wrong: str = "") -> Dug:
        """The next step, with what `dig` says now."""
        dug, now = self.dig(), time.monotonic()
        if not self.steps:
            self._began = now
        step = Step(key, now - self._began, actor, text, dug, refused, wrong)
        self.steps.append(step)
        self.voice.say(step)
        return dug

    def probe(self) -> None:
        """From now on an independent prober asks without pause."""
        host, port = self.service.dns[0]
        arguments = [str(HERE.parent / "prober.py"), "--server", f"{host}:{port}", "--out", str(self._answers)]
        arguments += ["--pace", str(PACE_S)]
        self._prober = self.start([*arguments, "/".join(self.question)], "prober.log", "")

    def probed(self) -> Asked:
        """It ends; what it was answered."""
        assert self._prober is not None
        self._prober.terminate()
        answers = [one for one in read_answers(self._answers, [self.question]) if one.rcode]
        empty = [one for one in answers if not one.values]
        first = Dug(empty[0].rcode, ()) if empty else None
        return Asked(len(answers), len(empty), first)

    @property
    def _answers(self) -> Path:
        return self.folder / "answers.txt"


@contextmanager
def account(folder: Path, name: str, voice: Voice) -> Iterator[Account]:
    """A stand-in for the length of a `with`."""
    folder.mkdir(parents=True)
    with running() as service:
        one = Account(service, folder, name, voice)
        try:
            yield one
        finally:
            one.close()
