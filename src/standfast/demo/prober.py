"""Asks the name server without pause and writes down every answer: an independent witness, a process of its own.

    python -m standfast.demo.prober --port 5300 --out answers.jsonl --parent-fd 5 www.demo.example.test:1 …

It shares no code with what it watches: sockets and bytes only. A question leaves at each tick whatever became of
those before it, so a server that is slow does not slow the asking down. One line an answer:

    [sent, received, number of the question, rcode, [addresses]]       received null: no answer within 2 s

Times are seconds of the system's monotonic clock. The file never blocks the asking; who reads it judges.
"""

import argparse
import contextlib
import os
import random
import select
import socket
import struct
import threading
import time
from collections import OrderedDict
from typing import Final, NamedTuple

PER_SECOND: Final = 250
WAIT_S: Final = 2.0
BEHIND_MAX_S: Final = 0.1
"""Ticks missed longer ago than this are not made up for."""
_HEADER: Final = struct.Struct("!6H")
_FAMILIES: Final = {1: socket.AF_INET, 28: socket.AF_INET6}


class Asked(NamedTuple):
    """A question under way."""

    number: int
    at: float


def question(name: str, rtype: int) -> bytes:
    """The question section for a name and a type (RFC 1035 §4.1.2)."""
    labels = b"".join(bytes((len(label),)) + label for label in name.encode("ascii").split(b"."))
    return labels + b"\0" + struct.pack("!2H", rtype, 1)


def answered(reply: bytes, asked: bytes) -> tuple[int, list[str]] | None:
    """Rcode and addresses of a reply to that question; None if it is no reply to it. Raises ValueError if cut off."""
    try:
        _, flags, questions, answers, _, _ = _HEADER.unpack_from(reply)
        behind = _HEADER.size + len(asked)
        if not flags & 0x8000 or questions != 1 or reply[_HEADER.size : behind].lower() != asked.lower():
            return None
        (rtype,) = struct.unpack("!H", asked[-4:-2])
        found: list[str] = []
        at = behind
        for _ in range(answers):
            while reply[at] and reply[at] < 0xC0:
                at += 1 + reply[at]
            at += 2 if reply[at] else 1
            kind, _, _, size = struct.unpack_from("!HHIH", reply, at)
            at += 10
            if kind == rtype:
                found.append(socket.inet_ntop(_FAMILIES[rtype], reply[at : at + size]))
            at += size
    except (struct.error, IndexError, OSError) as error:
        raise ValueError(f"a reply is malformed: {error}") from None
    return flags & 0xF, sorted(found)


class Prober:
    """One socket, and the questions under way."""

    def __init__(self, host: str, port: int, names: list[tuple[str, int]], out: int) -> None:
        self._questions = [question(*one) for one in names]
        self._out = out
        self._open: OrderedDict[int, Asked] = OrderedDict()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.connect((host, port))
        self._next = 0

    def run(self, stop: threading.Event, per_second: float = PER_SECOND) -> None:
        """Ask until `stop` is set."""
        period = 1.0 / per_second
        due = time.monotonic()
        while not stop.is_set():
            now = time.monotonic()
            while now >= due:
                self._ask()
                due = max(due + period, now - BEHIND_MAX_S)
                now = time.monotonic()
            if select.select([self._socket], [], [], max(0.0, due - now))[0]:
                self._hear()
            self._give_up()

    def _ask(self) -> None:
        number = self._next
        self._next = (number + 1) % len(self._questions)
        ident = random.getrandbits(16)
        while ident in self._open:
            ident = random.getrandbits(16)
        asked = Asked(number, time.monotonic())
        self._open[ident] = asked
        try:
            self._socket.send(_HEADER.pack(ident, 0, 1, 0, 0, 0) + self._questions[number])
        except OSError:
            return  # an earlier one was refused, or the queue is full: this one goes without an answer

    def _hear(self) -> None:
        while True:
            try:
                reply = self._socket.recv(65535)
            except OSError:
                return
            at = time.monotonic()
            asked = self._open.get(int.from_bytes(reply[:2]))
            if asked is None:
                continue
            try:
                said = answered(reply, self._questions[asked.number])
            except ValueError:
                said = (-1, [])
            if said is None:
                continue
            del self._open[int.from_bytes(reply[:2])]
            self._note(asked, f"{at:.6f}", *said)

    def _give_up(self) -> None:
        late = time.monotonic() - WAIT_S
        while self._open:
            ident, asked = next(iter(self._open.items()))
            if asked.at > late:
                return
            del self._open[ident]
            self._note(asked, "null", -1, [])

    def _note(self, asked: Asked, received: str, rcode: int, addresses: list[str]) -> None:
        some = ",".join(f'"{one}"' for one in addresses)
        os.write(self._out, f"[{asked.at:.6f},{received},{asked.number},{rcode},[{some}]]\n".encode())


def main() -> None:
    """Ask until SIGTERM, or until whoever started us is gone."""
    import signal

    from standfast.demo.backends import end_with_parent

    parser = argparse.ArgumentParser(prog="python -m standfast.demo.prober", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--out", required=True)
    parser.add_argument("--parent-fd", type=int)
    parser.add_argument("question", nargs="+", metavar="NAME:TYPE")
    given = parser.parse_args()
    names = [(name, int(rtype)) for name, _, rtype in (one.rpartition(":") for one in given.question)]
    if given.parent_fd is not None:
        end_with_parent(given.parent_fd)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread: the one interrupted may just hold the event's lock, for ever.
        signal.signal(number, lambda *_: threading.Thread(target=stop.set, daemon=True).start())
    with contextlib.suppress(OSError):  # only root may: a witness must not wait for those it watches
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    out = os.open(given.out, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    Prober(given.host, given.port, names, out).run(stop)


if __name__ == "__main__":
    main()
