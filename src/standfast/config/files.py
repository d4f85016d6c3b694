"""Reading a text file that somebody else writes: bounded in size, never waiting, with the reason in words."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path


class Unreadable(Exception):
    """The file gives no text; the argument says why, as the end of a sentence.

    `missing` if it is not there, `denied` if this user may not read it.
    """

    def __init__(self, why: str, missing: bool = False, denied: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.missing = missing
        self.denied = denied


@dataclass(frozen=True, slots=True)
class TextFile:
    """The text and the permission bits of the file it came from."""

    text: str = field(repr=False)
    mode: int


def read_text(path: Path, bytes_max: int) -> TextFile:
    """The UTF-8 text of a regular file of at most `bytes_max` bytes. Raises Unreadable."""
    try:
        # Without O_NONBLOCK a pipe that nobody writes to would hang the reader.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", closefd=True) as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise Unreadable("is not a regular file")
            content = stream.read(bytes_max + 1)
        if len(content) > bytes_max:
            raise Unreadable(f"is larger than {bytes_max} bytes")
        return TextFile(content.decode("utf-8"), stat.S_IMODE(mode))
    except FileNotFoundError:
        raise Unreadable("does not exist", missing=True) from None
    except IsADirectoryError:
        raise Unreadable("is a directory") from None
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8 text (byte {error.start})") from None
    except OSError as error:
        why = f"cannot be read ({error.strerror or type(error).__name__})"
        raise Unreadable(why, denied=isinstance(error, PermissionError)) from None
    except ValueError:
        raise Unreadable("has a name that no file can have") from None


def shown_path(path: Path) -> str:
    """The path for a message, printable on one line."""
    return str(path) if str(path).isprintable() else ascii(str(path))
