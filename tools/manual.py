"""The manual pages, one a command, from the commands themselves: `python -m tools.manual FOLDER`."""

import sys
import warnings
from pathlib import Path

import click
from click_man.core import write_man_pages  # type: ignore[import-untyped]

from standfast import __version__
from standfast.cli import commands


def write(folder: Path, date: str = "") -> list[Path]:
    """Write standfast.1 and standfast-COMMAND.1, dated `date` (for a package that is the same whenever it is built)."""
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # click-man 0.6 still asks what Click 9 will not answer
        write_man_pages("standfast", _eager(), version=__version__, target_dir=str(folder), date=date)
    return sorted(folder.glob("standfast*.1"))


def _eager() -> click.Group:
    """The same commands, all imported: ours come one by one when they are asked for, which its walk does not see."""
    context = click.Context(commands, info_name="standfast")
    found = {name: commands.get_command(context, name) for name in commands.list_commands(context)}
    known = {name: command for name, command in found.items() if command is not None}
    return click.Group("standfast", known, help=commands.help, params=commands.params)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
