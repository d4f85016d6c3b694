"""Files that a command was told to write."""

from pathlib import Path

import click

from standfast.errors import StandfastError


def write_text(name: str, text: str) -> None:
    """Write it and say so on standard error. Raises StandfastError with the remedy if the place is none."""
    path = Path(name)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StandfastError(
            f"{name} can't be written: {error.strerror}.", "Name a file in an existing directory."
        ) from None
    click.echo(f"Wrote {path} ({len(text.encode()):,} octets).", err=True)
