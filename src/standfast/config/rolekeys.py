"""Which TSIG keys each role signs with: one for all, several at once while keys are rotated, or each role its own.

A role without a key of its own takes that of the next in its line. Where roles have keys of their own, a machine or a
user needs only those of the roles that run there: what can't be read is a note here and an error where it is needed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from standfast.config import keys, secrets
from standfast.config.document import Mapping as MappingNode
from standfast.config.document import Mark
from standfast.config.section import Section
from standfast.errors import SecretError

KeyRole: TypeAlias = Literal["enactor", "planner", "cleaner", "prober"]
IN_LINE: Final[Mapping[KeyRole, tuple[KeyRole, ...]]] = {
    "enactor": ("enactor",),
    "planner": ("planner", "enactor"),
    "cleaner": ("cleaner", "planner", "enactor"),
    "prober": ("prober", "planner", "enactor"),
}
AT_ONCE_MAX: Final = 4


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a key stands, and the key as it was when the configuration was read; None: `why` says what is wrong."""

    reference: str
    base: Path
    key: secrets.TsigKey | None
    why: str = ""

    def read(self) -> tuple[secrets.TsigKey, str]:
        """The key as it is now, and what is wrong with its place. Raises SecretError."""
        secret = secrets.read_secret(self.reference, self.base)
        return secrets.tsig_key(secret.text), " ".join(sentence for sentence, _ in secret.notes)

    @property
    def path(self) -> Path | None:
        """The file, if it is one."""
        kind, _, rest = self.reference.partition(":")
        return self.base / rest if kind == "file" else None

    @property
    def shown(self) -> str:
        """For people: a path, or an environment variable's name."""
        kind, _, rest = self.reference.partition(":")
        return rest if kind == "file" else f"${rest}"


@dataclass(frozen=True, slots=True)
class RoleKeys:
    """The keys of one zone, in the order in which they are tried."""

    places: tuple[tuple[KeyRole, tuple[KeyPlace, ...]], ...] = ()

    def of(self, role: KeyRole) -> tuple[KeyPlace, ...]:
        """Those that a role signs with."""
        known = dict(self.places)
        return next((known[one] for one in IN_LINE[role] if one in known), ())

    def variables_of_others(self, role: KeyRole) -> frozenset[str]:
        """Environment variables with keys that the role does not sign with."""
        return self._variables(one for _, some in self.places for one in some) - self._variables(self.of(role))

    @staticmethod
    def _variables(places: Iterable[KeyPlace]) -> frozenset[str]:
        return frozenset(one.reference.partition(":")[2] for one in places if one.path is None)

    def has_own(self, role: KeyRole) -> bool:
        """Whether the role signs with other keys than the enactor."""
        return self.of(role) != self.of("enactor")


def bind_keys(zone: Section, base: Path) -> RoleKeys:
    """What stands under `tsig:`, with every problem."""
    node = zone.get("tsig")
    if not isinstance(node, MappingNode):
        found = _places(zone, "tsig", base, apart=False)
        return RoleKeys((("enactor", found),)) if found else RoleKeys()
    section = zone.section("tsig", keys.TSIG)
    if section is None:
        return RoleKeys()
    if section.get("enactor") is None:
        section.missing("enactor", "Name the key that may write: enactor: file:enactor.key.")
    roles = ((role, _places(section, role, base, apart=True)) for role in IN_LINE if section.get(role) is not None)
    return RoleKeys(tuple((role, some) for role, some in roles if some))


def _places(section: Section, key: str, base: Path, *, apart: bool) -> tuple[KeyPlace, ...]:
    references = section.read_list(key, str)
    if references is not None and len(references) > AT_ONCE_MAX:
        section.problem(key, f"There are {len(references)} keys.", f"Give at most {AT_ONCE_MAX}: two are a rotation.")
    several = len(references or ()) > 1
    found = []
    for number, (reference, mark) in enumerate((references or ())[:AT_ONCE_MAX]):
        path = f"{section.below(key)}[{number}]" if several else section.below(key)
        found.append(_place(section, path, reference, mark, base, apart))
    return tuple(one for one in found if one is not None)


def _place(section: Section, path: str, reference: str, mark: Mark, base: Path, apart: bool) -> KeyPlace | None:
    findings = section.findings
    try:
        secret = secrets.read_secret(reference, base)
        key = secrets.tsig_key(secret.text)
    except SecretError as error:
        if apart and error.absent:
            findings.note(mark, path, error.message, "It is needed only where that role runs.")
            return KeyPlace(reference, base, None, str(error))
        findings.problem(mark, path, error.message, error.remedy)
        return None
    for sentence, remedy in secret.notes:
        findings.problem(mark, path, sentence, remedy)
    if weak := secrets.weakness(key):
        findings.note(mark, path, *weak)
    return KeyPlace(reference, base, key)
