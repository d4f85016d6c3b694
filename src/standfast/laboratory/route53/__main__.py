"""Run the stand-in until SIGTERM or SIGINT; the first line it prints is JSON with where it listens.

    python -m standfast.laboratory.route53 --listen 127.0.0.1:0 --dns 127.0.0.1:0

prints `{"endpoint": "http://127.0.0.1:PORT", "dns": ["127.0.0.1:PORT"], "orders": "http://…", "pid": …}`. An SDK is
pointed at it with AWS_ENDPOINT_URL. It listens on loopback addresses only.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec

from standfast.laboratory.route53.account import Account
from standfast.laboratory.route53.batch import Rules
from standfast.laboratory.route53.http import Server
from standfast.laboratory.route53.nameserver import NameServer, Resolver
from standfast.laboratory.route53.service import Service
from standfast.laboratory.route53.settings import Settings

POLL_SECONDS = 0.05
"""How often a server looks whether it is to end."""


def loopback(text: str) -> tuple[str, int]:
    """`HOST:PORT` of an address that only this machine reaches."""
    host, _, port = text.rpartition(":")
    try:
        if ipaddress.ip_address(host.strip("[]")).is_loopback and 0 <= int(port) <= 65535:
            return host.strip("[]"), int(port)
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is no loopback address and port, such as 127.0.0.1:0")


def _seconds(text: str) -> tuple[float, ...]:
    return tuple(float(one) for one in text.split(","))


def _pair(text: str) -> tuple[str, str]:
    checked, _, real = text.partition("=")
    loopback(real)
    return checked, real


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m standfast.laboratory.route53",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--listen", type=loopback, default=("127.0.0.1", 0), metavar="HOST:PORT")
    parser.add_argument(
        "--dns", type=loopback, action="append", default=[], metavar="HOST:PORT", help="a DNS server; repeatable"
    )
    parser.add_argument("--propagation", type=_seconds, metavar="SECONDS[,…]", help="delay of each DNS server")
    for name in ("rate", "processing", "stale-listing", "hurry"):
        parser.add_argument(f"--{name}", type=float, metavar="NUMBER")
    parser.add_argument("--via", type=_pair, action="append", metavar="ADDRESS:PORT=ADDRESS:PORT", default=None)
    parser.add_argument("--deleted-check", choices=("healthy", "unhealthy"))
    for name in ("burst", "seed", "checkers"):
        parser.add_argument(f"--{name}", type=int, metavar="NUMBER")
    parser.add_argument("--account", metavar="DIGITS")
    for name in ("data", "rights", "services"):
        parser.add_argument(f"--{name}", type=Path, metavar="FILE")
    for name, hint in get_type_hints(Rules).items():
        parser.add_argument(f"--{name.replace('_', '-')}", choices=get_args(hint))
    return parser


def settings_of(given: dict[str, object]) -> Settings:
    """The settings that the command line asks for; what it does not name keeps its default."""
    chosen = {name: value for name, value in given.items() if value is not None}
    rules = {name: chosen[name] for name in Rules.__struct_fields__ if name in chosen}
    other = {name: chosen[name] for name in Settings.__struct_fields__ if name in chosen}
    return msgspec.convert({**other, "rules": rules}, Settings)


def main(arguments: list[str] | None = None) -> int:
    """Run one stand-in."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    try:
        account = Account(settings_of(given), max(1, len(given["dns"])))
        service = Service(account)
        server = Server(given["listen"], service)
        resolvers = [Resolver(account, number, service.checking.verdict) for number in range(len(given["dns"]))]
        dns = [NameServer(address, one) for address, one in zip(given["dns"], resolvers, strict=True)]
    except (ValueError, OSError) as wrong:
        parser.error(str(wrong))
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # In a thread: the one interrupted may just hold the event's lock, in `wait`, for ever.
        signal.signal(number, lambda *_: threading.Thread(target=over.set, daemon=True).start())
    service.prober.start()
    for one in dns:
        one.start()
    threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), name="http", daemon=True).start()
    where = {
        "endpoint": server.url,
        "dns": [one.address for one in dns],
        "orders": server.orders_url,
        "pid": os.getpid(),
    }
    sys.stdout.write(json.dumps(where) + "\n")
    sys.stdout.flush()
    over.wait()
    server.shutdown()
    account.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
