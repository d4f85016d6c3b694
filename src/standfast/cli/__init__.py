"""The commands: thin, with exit codes 0 fine, 2 differs, 3 refused, 1 error. Nothing imports this package."""

import errno
import importlib
import sys
from typing import Final

import click

from standfast import __version__
from standfast.errors import StandfastError

_GROUPS: Final = (
    ("Every day", ("check", "plan", "run", "status", "explain", "drain", "history")),
    ("Leases", ("agent", "lease")),
    (
        "At three in the morning",
        ("override", "evacuate", "rollback", "hold", "resume", "freeze", "thaw", "emergency"),
    ),
    ("Now and then", ("accept-shrink", "adopt", "retire", "leave", "pin", "unpin", "audit", "notify", "iam-policy")),
    ("Laboratory", ("demo", "verify", "simulate", "replay")),
)
"""What is used most comes first."""
_ALL: Final = tuple(name for _, names in _GROUPS for name in names)
_MODULES: Final = {
    **dict.fromkeys(("rollback", "hold", "resume"), "operate"),
    "accept-shrink": "acceptshrink",
    "evacuate": "drain",
    "iam-policy": "iampolicy",
    "thaw": "freeze",
    "unpin": "pin",
}


class _Commands(click.Group):
    """Imports a command only when it is asked for, so that each starts quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_ALL)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _ALL:
            return None
        module = importlib.import_module(f"standfast.cli.{_MODULES.get(cmd_name, cmd_name)}")
        command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        if not isinstance(command, click.Command):
            raise TypeError(f"standfast.cli.{cmd_name} has no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in _GROUPS:
            rows = [
                (name, command.get_short_help_str(90)) for name in names if (command := self.get_command(ctx, name))
            ]
            with formatter.section(title):
                formatter.write_dl(rows)


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="standfast")
def commands() -> None:
    """Keeps your DNS names pointing at load balancers that work, and never at nothing.

    Begin with `standfast demo`, or with `standfast check` beside your standfast.yaml.
    """


def main() -> None:
    """Run a command; every foreseeable error is a message and an exit code, usage errors included (1)."""
    try:
        code = commands.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        click.echo("Stopped; nothing more was done.", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(1)
    except StandfastError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        click.echo(_denied(error), err=True)
        sys.exit(1)


def _denied(error: OSError) -> str:
    """What the operating system did not let us do; the remedy is to be somebody else, or to make room."""
    what = f"{error.filename}: " if error.filename else ""
    remedy = {
        errno.EACCES: " Run this as the user who runs Standfast, or let this user read it.",
        errno.EPERM: " Run this as the user who runs Standfast.",
        errno.EROFS: " Set `state:` to a directory that can be written.",
        errno.ENOSPC: " Make room there.",
        errno.EDQUOT: " Make room there.",
    }.get(error.errno or 0, "")
    return f"{what}{error.strerror or error}.{remedy}"
