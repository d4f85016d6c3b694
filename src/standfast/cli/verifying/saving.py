"""Where stories are saved: looked at before the work, so that hours of it are not lost to a wrong name."""

from pathlib import Path

from standfast.errors import StandfastError


def writable_folder(folder: Path) -> None:
    """Make it if it is missing. Raises StandfastError where that can't be done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StandfastError(f"--save {folder}: {error.strerror}.", "Name a directory, or one to be made.") from None
