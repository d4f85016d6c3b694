"""An independent prober: a process that asks the server without pause and writes down every answer; and its judge.

    python tests/e2e/prober.py --server 127.0.0.1:5300 --out answers www.lb.example.com/A www.lb.example.com/AAAA

One line an answer: when it was asked and when it came in monotonic seconds (one clock for all processes of a machine),
number of the question, rcode (`-` if none came), values. Questions follow one another, so the answers' order is the
order in which the server gave them. Nothing of the product is in the process.
"""

from __future__ import annotations

import argparse
import random
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

PACE_S = 0.003
PATIENCE_S = 0.25
RATE_MIN = 100.0
"""Answers a second that a judge wants to have seen, of those that the machine gave."""
QUERIES_MORE = 10
"""So many are waited for where it matters that somebody asked."""
Question = tuple[str, str]
Values = frozenset[str]


@dataclass(frozen=True)
class Answer:
    """One answer; `rcode` is empty if none came."""

    asked: float
    came: float
    question: Question
    rcode: str
    values: Values


@dataclass(frozen=True)
class Damage:
    """People's hands at one name, from `began` (before the hand moved) until `healed` (seen whole again)."""

    name: str
    began: float
    healed: float


@dataclass(frozen=True)
class Seen:
    """The test itself saw that the name stands as of `since`: what is asked later must not be older."""

    at: float
    name: str
    since: int


History = Sequence[tuple[int, Values]]
"""The contents of one question: since which generation, which values, in this order; contents may come again."""


@dataclass(frozen=True)
class Verdict:
    """What the answers say. `seconds` is without those spent waiting for answers that never came, and without those in
    which the machine did not let it ask; `damaged` counts the answers of damaged names before their first whole one."""

    queries: int
    silent: int
    seconds: float
    bad: tuple[str, ...]
    damaged: int

    @property
    def rate(self) -> float:
        """Questions a second."""
        return self.queries / self.seconds if self.seconds else 0.0


def read_answers(out: Path, questions: Sequence[Question]) -> Iterator[Answer]:
    """What the process wrote down."""
    for line in out.read_text(encoding="ascii").splitlines():
        asked, came, number, rcode, *values = line.split(" ")
        yield Answer(float(asked), float(came), questions[int(number)], rcode.replace("-", ""), frozenset(values))


def judge(
    answers: Sequence[Answer],
    histories: Mapping[Question, History],
    damages: Sequence[Damage],
    sights: Sequence[Seen] = (),
) -> Verdict:
    """Is any answer empty, in no plan (mixed), or older than one already seen?

    An answer is taken for the earliest contents it can be, so that only what cannot be explained is bad.
    """
    waiting = {question: [one for one in sights if one.name == question[0]] for question in histories}
    reached = dict.fromkeys(histories, 0)
    hurt: set[tuple[Question, Damage]] = set()
    over: set[tuple[Question, Damage]] = set()
    bad: Counter[str] = Counter()
    silent = damaged = 0
    waited = 0.0
    ready = answers[0].asked if answers else 0.0
    for answer in answers:
        waited, ready = waited + max(0.0, answer.asked - ready), answer.came + PACE_S
        if answer.rcode not in ("NOERROR", "NXDOMAIN"):
            silent += 1
            waited += answer.came - answer.asked
            continue
        if answer.came - answer.asked > PATIENCE_S:  # it had come by then, and was not taken
            waited += answer.came - answer.asked
        question, history = answer.question, histories[answer.question]
        while waiting[question] and waiting[question][0].at < answer.asked:
            since = waiting[question].pop(0).since
            begun = [place for place, (begins, _) in enumerate(history) if begins <= since]
            reached[question] = max([reached[question], *begun[-1:]])
        windows = [
            (question, one)
            for one in damages
            if one.name == question[0]
            and one.began <= answer.came
            and answer.asked <= one.healed
            and (question, one) not in over
        ]
        later = range(reached[question], len(history))
        place = next((at for at in later if history[at][1] == answer.values), None)
        if place is not None:
            reached[question] = place
            over.update(window for window in windows if window in hurt)
        elif windows:
            hurt.update(windows)
            damaged += 1
        else:
            bad[_complaint(answer, history, reached[question])] += 1
    seconds = answers[-1].came - answers[0].asked - waited if answers else 0.0
    complaints = tuple(f"{count} times {what}" for what, count in bad.items())
    return Verdict(len(answers), silent, seconds, complaints, damaged)


def _complaint(answer: Answer, history: History, reached: int) -> str:
    name, rtype = answer.question
    shown = f"{name} {rtype} {answer.rcode} {sorted(answer.values)}"
    if not answer.values:
        return f"empty: {shown}"
    if answer.values in [values for _, values in history]:
        return f"older: {shown} after {sorted(history[reached][1])}"
    return f"mixed: {shown} is in no plan"


class _Asking:
    """One socket and the questions as bytes."""

    def __init__(self, server: tuple[str, int], questions: Sequence[Question]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect(server)
        self._bodies = [dns.message.make_query(name, rtype).to_wire()[2:] for name, rtype in questions]
        self._types = [dns.rdatatype.from_text(rtype) for _, rtype in questions]

    def ask(self, number: int) -> str:
        """The rcode and the values, or `-`."""
        key = random.randbytes(2)
        deadline = time.monotonic() + PATIENCE_S
        try:
            self._socket.send(key + self._bodies[number])
            while (left := deadline - time.monotonic()) > 0:
                self._socket.settimeout(left)
                data = self._socket.recv(65_535)
                if data[:2] == key:
                    return self._shown(data, number)
        except (OSError, dns.exception.DNSException):
            pass
        return "-"

    def _shown(self, data: bytes, number: int) -> str:
        reply = dns.message.from_wire(data)
        values = [rdata.to_text() for rrset in reply.answer if rrset.rdtype == self._types[number] for rdata in rrset]
        return " ".join([dns.rcode.to_text(reply.rcode()), *sorted(values)])


_over: list[int] = []


def _end(number: int, frame: object) -> None:
    _over.append(number)


def main() -> None:
    """Ask until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pace", type=float, default=PACE_S, help="seconds between two questions at least")
    parser.add_argument("questions", nargs="+")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    host, _, port = given.server.rpartition(":")
    asking = _Asking((host, int(port)), [(name, kind) for name, _, kind in (q.partition("/") for q in given.questions)])
    number, due = 0, time.monotonic()
    with given.out.open("w", encoding="ascii", buffering=1) as out:
        while not _over:
            asked = time.monotonic()
            answer = asking.ask(number)
            out.write(f"{asked:.6f} {time.monotonic():.6f} {number} {answer}\n")
            number = (number + 1) % len(given.questions)
            due = max(due + given.pace, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
