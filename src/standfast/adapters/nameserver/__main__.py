"""`python -m standfast.adapters.nameserver`: serve one zone or several until told to stop.

Prints one line, `listening on ADDRESS:PORT`, when it is ready; ends with 0 on SIGTERM and SIGINT.
"""

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from standfast.adapters.nameserver import KeyFileError, Nameserver, ZoneFileError, ZoneStore, read_key_file


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m standfast.adapters.nameserver", description=__doc__)
    parser.add_argument("--zone", action="append", required=True, help="apex; may be given several times")
    parser.add_argument("--database", action="append", required=True, type=Path, help="file, one for each --zone")
    parser.add_argument("--key-file", required=True, type=Path, help="TSIG keys, as tsig-keygen writes them")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="UDP and TCP port (default: any free one)")
    parser.add_argument("--seed-file", type=Path, help="master-file text for zones that are created now")
    given = parser.parse_args(argv)
    if len(given.zone) != len(given.database):
        parser.error(f"{len(given.zone)} --zone but {len(given.database)} --database; give one for each")
    return given


async def _serve(given: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    seed = given.seed_file.read_text(encoding="utf-8") if given.seed_file else ""
    keys = read_key_file(given.key_file)
    with ExitStack() as opened:
        stores = {}
        for apex, database in zip(given.zone, given.database, strict=True):
            stores[apex] = ZoneStore.open(database, apex, seed=seed)
            opened.callback(stores[apex].close)
        nameserver = Nameserver(stores, keys, given.host, given.port)
        port = await nameserver.start()
        sys.stdout.write(f"listening on {given.host}:{port}\n")
        sys.stdout.flush()
        try:
            await stopped.wait()
        finally:
            await nameserver.stop()


def main(argv: Sequence[str] | None = None) -> int:
    """Run until stopped; the exit code."""
    given = _arguments(argv)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        asyncio.run(_serve(given))
    except (ZoneFileError, KeyFileError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"cannot serve: {error}; check --port, --host and --seed-file\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
