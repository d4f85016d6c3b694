"""Everything that runs: starts it, hurts it, and stops it, each process by its own id and whatever happens.

All processes inherit the end of a pipe and stop when it closes, so none outlives the demo, not even if that is killed.
They have sessions of their own, so that Ctrl-C reaches the demo alone, which then stops them in order.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

from standfast import config as configuration
from standfast.errors import StandfastError
from standfast.laboratory.proxy import UpdateProxy
from standfast.runtime.place import Place
from standfast.runtime.presence import read_presence
from standfast.runtime.supervision import PARENT_FD

from .backends import listening
from .hand import Hand
from .setting import ADDRESSES, ENACTORS, HELD_ENACTOR, LOAD_BALANCERS, SWEEP_S, config_text, fleet_text, rrsets

State: TypeAlias = Literal["runs", "killed", "stopped"]
START_S: Final = 30.0
_GRACE_S: Final = 5.0
_PORTS: Final = (10_000, 19_999)
"""Below the kernel's ephemeral ports, so that no outgoing connection sits on one while its server is down."""
_ATTEMPTS: Final = 20


class Process:
    """One process of the demo, under the name people know it by."""

    def __init__(self, name: str, command: Sequence[str], parent: int, log: Path) -> None:
        self.name, self.state = name, "runs"
        self._command, self._parent, self._log = tuple(command), parent, log
        self.popen = self._started()

    @property
    def pid(self) -> int:
        """Its present process id."""
        return self.popen.pid

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self.state = "killed"
        self.popen.kill()
        self.popen.wait()

    def restart(self) -> None:
        """Begin anew after `kill`."""
        self.popen = self._started()
        self.state = "runs"

    def pause(self) -> None:
        """Put it to sleep in the midst of whatever it does (SIGSTOP)."""
        self.state = "stopped"
        self.popen.send_signal(signal.SIGSTOP)

    def proceed(self) -> None:
        """Wake it (SIGCONT)."""
        self.popen.send_signal(signal.SIGCONT)
        self.state = "runs"

    def end(self) -> None:
        """Ask it to stop; `gone` waits for that."""
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGCONT)
            self.popen.terminate()

    def gone(self, deadline: float) -> None:
        """Wait until it has stopped; kill it at the deadline (monotonic seconds)."""
        try:
            self.popen.wait(max(0.05, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def last_words(self) -> str:
        """The end of what it said on its terminal."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-2000:].strip()

    def _started(self) -> "subprocess.Popen[bytes]":
        environment = {**os.environ, PARENT_FD: str(self._parent)}
        with self._log.open("ab") as log:
            return subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self._parent,),
                env=environment,
                cwd=self._log.parent,
                start_new_session=True,
            )


class Stage:
    """The whole cast in `root`; a context manager. Raises StandfastError if something can't be started."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.port = self.health_port = 0
        self.ipv6 = _has_ipv6()
        self.drained: frozenset[str] = frozenset()
        self.processes: dict[str, Process] = {}
        self._held, self._passed = os.pipe()
        self._stopping = threading.Lock()

    @property
    def config_file(self) -> Path:
        """The configuration of all but the enactor behind the proxy."""
        return self.root / "standfast.yaml"

    @property
    def answers_file(self) -> Path:
        """Where the prober writes."""
        return self.root / "answers.jsonl"

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def start(self, stop: threading.Event) -> None:
        """Start all but the prober, and wait until the name server answers."""
        (self.root / "logs").mkdir()
        self.health_port = _free_port([one.ipv4 for one in LOAD_BALANCERS])
        self.drain(())
        for one in LOAD_BALANCERS:
            addresses = (one.ipv4, one.ipv6) if one.ipv6 and self.ipv6 else (one.ipv4,)
            self._add(one.id, _module("backends", "--name", one.id, "--port", self.health_port, *addresses))
        self.port = _free_port(["127.0.0.1"])
        self.config_file.write_text(config_text(self.port, self.health_port), encoding="utf-8")
        self.config = configuration.load(self.config_file)
        self.place = Place(self.config)
        self.place.prepare()
        self.hand = Hand(self.port, self.place.key(self.config.zones[0]))
        self.proxy = UpdateProxy(("127.0.0.1", self.port)).start()
        proxied = self.root / "enactor-c.yaml"
        proxied.write_text(config_text(self.proxy.port, self.health_port), encoding="utf-8")
        self._add("name server", self._run("--role", "nameserver"))
        self._await_server(stop)
        self._add("planner", self._run("--role", "planner", "--name", "demo"))
        for name in ENACTORS:
            file = proxied if name == HELD_ENACTOR else self.config_file
            self._add(f"enactor {name}", self._run("--role", "enactor", "--name", name, file=file))
        self._add("cleaner", self._run("--role", "cleaner", "--name", "demo", "--every", SWEEP_S))

    def start_prober(self) -> None:
        """Begin to ask."""
        names = [f"{name}:{rtype}" for name, rtype in rrsets(self.ipv6)]
        self._add("prober", _module("prober", "--port", self.port, "--out", self.answers_file, *names))

    def drain(self, some: Iterable[str]) -> float:
        """Write the fleet file with exactly these load balancers drained. Gives the moment (monotonic)."""
        self.drained = frozenset(some)
        draft = self.root / "fleet.yaml.new"
        draft.write_text(fleet_text(self.drained, self.ipv6), encoding="utf-8")
        at = time.monotonic()
        os.replace(draft, self.root / "fleet.yaml")
        return at

    def holds(self, who: str) -> tuple[int, int]:
        """The generation that this enactor says it holds, and the process id under which it says so."""
        for one in read_presence(self.place.presence):
            if (one.role, one.who) == ("enactor", who):
                return int(one.facts.get("generation", 0)), one.pid
        return 0, 0

    def command(self, *arguments: str) -> Process:
        """Run one of our commands as an operator would."""
        name = f"standfast {arguments[0]}"
        self._add(name, [sys.executable, "-m", "standfast", *arguments, "--config", str(self.config_file)])
        return self.processes[name]

    def fallen(self) -> str:
        """What died without our doing, with its last words; empty if all is well."""
        for one in list(self.processes.values()):
            if one.state == "runs" and not one.name.startswith("standfast ") and one.popen.poll() is not None:
                return f"{one.name} ended with {one.popen.returncode}: {one.last_words() or 'it said nothing'}"
        return ""

    def close(self) -> None:
        """Stop everything in three waves, so that nobody asks a server that is leaving."""
        with self._stopping:
            processes, self.processes = self.processes, {}
            last = {"name server", *ADDRESSES}
            _end([one for name, one in processes.items() if name == "prober"])
            _end([one for name, one in processes.items() if name not in last])
            _end([one for name, one in processes.items() if name in last])
            if hasattr(self, "proxy"):
                self.proxy.stop()
            if self._held >= 0:
                os.close(self._held)
                os.close(self._passed)
                self._held = self._passed = -1

    def _add(self, name: str, command: Sequence[str]) -> None:
        parent = ("--parent-fd", str(self._held)) if "standfast.demo." in command[2] else ()
        log = self.root / "logs" / f"{name.replace(' ', '-')}.log"
        self.processes[name] = Process(name, (*command[:3], *parent, *command[3:]), self._held, log)

    def _run(self, *arguments: object, file: Path | None = None) -> list[str]:
        some = [str(one) for one in arguments]
        config = str(file or self.config_file)
        return [sys.executable, "-m", "standfast", "run", *some, "--quiet", "--config", config]

    def _await_server(self, stop: threading.Event) -> None:
        deadline = time.monotonic() + START_S
        while not self.hand.serves():
            if stop.wait(0.02):
                return
            if fallen := self.fallen():
                raise StandfastError(f"{fallen}.", "Try once more; another program may have taken the port.")
            if time.monotonic() > deadline:
                raise StandfastError(f"The name server does not answer after {START_S:g} s.", "Is the machine busy?")


def _end(some: Sequence[Process]) -> None:
    """Stop these together."""
    deadline = time.monotonic() + _GRACE_S
    for one in some:
        one.end()
    for one in some:
        one.gone(deadline)


def _module(name: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", f"standfast.demo.{name}", *(str(one) for one in arguments)]


def _free_port(hosts: Sequence[str]) -> int:
    """A port that is free on all these addresses, UDP and TCP."""
    for _ in range(_ATTEMPTS):
        port = random.randint(*_PORTS)
        taken: list[socket.socket] = []
        try:
            for host in hosts:
                taken.append(listening(host, port))
                udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                taken.append(udp)
                udp.bind((host, port))
            return port
        except OSError as error:
            why = error.strerror
        finally:
            for one in taken:
                one.close()
    message = f"No port is free on {', '.join(hosts)}: {why}."
    raise StandfastError(message, "The demo needs the loopback network 127.0.0.0/8, as Linux has it.")


def _has_ipv6() -> bool:
    try:
        listening("::1", 0).close()
    except OSError:
        return False
    return True
