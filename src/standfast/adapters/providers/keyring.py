"""The keys that may sign for one zone: several while they are rotated. The one that worked last signs first.

A server that does not know a key, or has another secret for it, refuses what it signed: nothing was changed, and the
next key may try. So the two ends of a rotation need no common moment.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from .tsig import TsigKey

NEWS_MAX: Final = 20
NO_WRITE: Final = "nothing can be written there, and nothing repaired"
Keys: TypeAlias = tuple[TsigKey, ...]


class KeyRing:
    """`read` gives the keys in the order of preference, as they are now; without any, requests are unsigned.

    `news` are sentences about keys that were refused, or could not be read, for whoever tells people.
    """

    def __init__(self, read: Callable[[], Keys]) -> None:
        self._read = read
        self._used: TsigKey | None = None
        self._refused: dict[TsigKey, str] = {}
        self.news: deque[str] = deque(maxlen=NEWS_MAX)

    @classmethod
    def of(cls, *keys: TsigKey) -> "KeyRing":
        """These keys, for ever."""
        return cls(lambda: keys)

    def in_order(self) -> Keys | tuple[None]:
        """Each to be tried in this order; one None if there is none."""
        keys = self._read()
        if self._used in keys:
            keys = (self._used, *(key for key in keys if key != self._used))
        return keys or (None,)

    def proven(self, key: TsigKey | None) -> bool:
        """Whether the server took what it signed last."""
        return key == self._used

    @property
    def standing(self) -> str:
        """What people should know of the keys now; empty if the preferred one is used, or none was needed yet."""
        others = self._others()
        if not others or self._used is None or self.locked:
            return ""
        return f"{'; '.join(others)}; key {self._used.name} is used"

    @property
    def locked(self) -> str:
        """Which keys are refused, if the server takes none of them any more; empty: it takes one, or none was tried."""
        if not self._refused:
            return ""  # which is nearly always so, and asked at each write
        keys = self._read()
        if not keys or any(key not in self._refused for key in keys):
            return ""
        return "; ".join(self._others())

    def _others(self) -> list[str]:
        keys = self._read()
        return [f"key {key.name} is refused ({why})" for key, why in self._refused.items() if key in keys]

    def worked(self, key: TsigKey | None) -> None:
        """The server took it."""
        moved, locked = key != self._used, self.locked
        self._used = key
        if key is not None:
            self._refused.pop(key, None)
        if moved and (told := self.standing):
            self.news.append(told)
        elif locked and key is not None:
            self.news.append(f"key {key.name} is taken again")

    def refused(self, key: TsigKey | None, why: str) -> None:
        """The server would not take what it signed; `why` begins with the server's own word."""
        if key is not None:
            keys, was_locked = self._read(), self.locked
            self._refused = {one: was for one, was in self._refused.items() if one in keys}
            self._refused[key] = why.partition(":")[0]
            if not was_locked and (locked := self.locked):
                self.news.append(f"{locked}; there is no other: {NO_WRITE}")
