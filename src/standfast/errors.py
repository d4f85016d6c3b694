"""The errors Standfast raises on purpose: each says what is wrong, what to do, and how the process ends.

    StandfastError              1   anything below, and errors that need no kind of their own
    ├── ConfigError             1   the configuration: all its problems at once, with file and line
    ├── SecretError             1   a secret that cannot be read or understood (never shows it)
    ├── StoreError              1   the plan store failed or holds what it should not (StoreAbsent: there is none)
    ├── ProviderError           1   the DNS server failed or answered what it should not
    ├── JournalError            1   the journal cannot be written
    ├── Differs                 2   nothing is wrong, but what is served is not what is wanted
    └── Refusal                 3   a guard said no, or consent is missing

The number is the exit code; 0 means fine or in sync. Where several apply, 3 wins over 2.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

EXIT_FINE: Final = 0
EXIT_ERROR: Final = 1
EXIT_DIFFERS: Final = 2
EXIT_REFUSED: Final = 3


class StandfastError(Exception):
    """Something the user should read: `message` says what is wrong, `remedy` what to do about it.

    Both are whole sentences.
    """

    exit_code: ClassVar[int] = EXIT_ERROR

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong (or worth a note) in a file: where, what, and what to do.

    `line` and `column` count from 1; 0 means the file as a whole. `path` is the place in the file's own
    terms, such as `endpoints.www.ttl`, empty for the document. `message` and `remedy` are whole sentences.
    """

    file: str
    line: int
    column: int
    path: str
    message: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        where = f"{self.path}: " if self.path else ""
        return f"{place}: {where}{self.message} {self.remedy}".rstrip()


class ConfigError(StandfastError):
    """The configuration cannot be used. `problems` has every one of them, in the order of the file."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        count = f"{len(problems)} problem{'' if len(problems) == 1 else 's'} in the configuration."
        super().__init__(count, "Nothing was started.")
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class SecretError(StandfastError):
    """A secret cannot be read or understood. The text never contains any part of the secret.

    `absent`: there is none here, or none that this user may read; another role or machine may well have it.
    """

    def __init__(self, message: str, remedy: str = "", *, absent: bool = False) -> None:
        super().__init__(message, remedy)
        self.absent = absent


class StoreError(StandfastError):
    """The plan store failed, or holds what it should not."""


class StoreAbsent(StoreError):
    """There is no plan store there, and none was to be made."""


class ProviderError(StandfastError):
    """The DNS server or its interface failed, or answered what it should not."""


class JournalError(StandfastError):
    """The journal cannot be written; without it nothing but refills is."""


class Differs(StandfastError):
    """What is served is not what is wanted. Not a failure: a plan would change something."""

    exit_code: ClassVar[int] = EXIT_DIFFERS


class Refusal(StandfastError):
    """A guard said no, or consent is missing. Nothing was changed."""

    exit_code: ClassVar[int] = EXIT_REFUSED
