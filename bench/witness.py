"""When does the primary first answer with the change? A bare UDP query every millisecond; no library in the way."""

import os
import socket
import struct
import time
from collections.abc import Callable, Mapping
from typing import Final

POLL_S: Final = 0.001


def query_octets(name: str, rtype: int = 1) -> bytes:
    """A query without recursion (RFC 1035 §4.1)."""
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    return os.urandom(2) + struct.pack("!HHHHH", 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", rtype, 1)


class Witness:
    """Asks one server."""

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((host, port))
        self.socket.settimeout(0.5)

    def ask(self, name: str, rtype: int = 1) -> bytes:
        """The answer's octets; none if none came."""
        question = query_octets(name, rtype)
        try:
            self.socket.send(question)
            while True:
                answer = self.socket.recv(4096)
                if answer[:2] == question[:2]:
                    return answer
        except OSError:
            return b""

    def until_all(self, wanted: Mapping[str, bytes], timeout_s: float = 120.0) -> float:
        """The moment (perf_counter seconds) at which the last of these names answered with its octets.

        Raises TimeoutError.
        """
        return self._until(dict(wanted), lambda answer, octets: octets in answer, timeout_s)

    def until_gone(self, name: str, octets: bytes, timeout_s: float = 120.0) -> float:
        """The moment at which an answer that is not empty no longer has these octets. Raises TimeoutError."""
        return self._until({name: octets}, lambda answer, gone: not is_empty(answer) and gone not in answer, timeout_s)

    def _until(self, waiting: dict[str, bytes], holds: Callable[[bytes, bytes], bool], timeout_s: float) -> float:
        deadline = time.perf_counter() + timeout_s
        last = time.perf_counter()
        while waiting:
            for name in list(waiting):
                answer = self.ask(name)
                if answer and holds(answer, waiting[name]):
                    last = time.perf_counter()
                    del waiting[name]
            if last > deadline or (waiting and time.perf_counter() > deadline):
                raise TimeoutError(f"{len(waiting)} names did not change within {timeout_s:g} s, {min(waiting)} first")
            time.sleep(POLL_S)
        return last

    def close(self) -> None:
        """Done."""
        self.socket.close()


def is_empty(answer: bytes) -> bool:
    """No record in the answer section."""
    return len(answer) >= 8 and answer[6:8] == b"\0\0"
