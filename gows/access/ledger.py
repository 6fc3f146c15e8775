"""What there is once, kept in the memory of one process."""

from __future__ import annotations

from collections import defaultdict
from typing import Final, NamedTuple

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from gows.errors import TooMany
from gows.interfaces import Holder, ILedger

MAX_KEPT: Final = 100_000
MAX_SIZE: Final = 64 * 1024 * 1024
"""How many values of a kind may be kept at a time, and of how many bytes in all."""


class _Kept(NamedTuple):
    """A value, and the call that forgets it."""

    value: bytes
    end: IDelayedCall


class _Shelf:
    """Has the values of one kind: too many of them take no room from others."""

    def __init__(self) -> None:
        """Begin empty."""
        self._kept: dict[str, _Kept] = {}
        self._size = 0

    def look(self, name: str) -> bytes | None:
        """Look at a value."""
        kept = self._kept.get(name)
        return None if kept is None else kept.value

    def checkRoom(self, name: str, value: bytes) -> None:
        """
        Check that there is room for a value, in place of the one that there may be.

        @raise TooMany: if not
        """
        count = len(self._kept) + (name not in self._kept)
        size = self._size - len(self.look(name) or b"") + len(value)
        if count > MAX_KEPT or size > MAX_SIZE:
            raise TooMany(f"more than {MAX_KEPT} values, or {MAX_SIZE} bytes")

    def put(self, name: str, kept: _Kept) -> None:
        """Put a value where none of its name is."""
        self._kept[name] = kept
        self._size += len(kept.value)

    def take(self, name: str) -> bytes | None:
        """Take a value away; L{None}: there is none."""
        kept = self._kept.pop(name, None)
        if kept is None:
            return None
        self._size -= len(kept.value)
        if kept.end.active():
            kept.end.cancel()
        return kept.value


@implementer(ILedger)
class MemoryLedger:
    """A ledger for one process. Nothing in it ever waits."""

    def __init__(self, clock: IReactorTime) -> None:
        """
        Begin empty.

        @param clock: says when what is kept is too old
        """
        self._clock = clock
        self._holders: dict[str, Holder] = {}
        self._counts: dict[str, int] = {}
        self._shelves: defaultdict[str, _Shelf] = defaultdict(_Shelf)

    async def hold(self, key: str, holder: Holder, mayReplace: bool) -> bool:
        """See L{ILedger.hold}."""
        before = self._holders.get(key)
        if before is not None and not mayReplace:
            return False
        self._holders[key] = holder
        if before is not None and before is not holder:
            before.beReplaced()
        return True

    async def release(self, key: str, holder: Holder) -> None:
        """See L{ILedger.release}."""
        if self._holders.get(key) is holder:
            del self._holders[key]

    async def isHeld(self, key: str) -> bool:
        """See L{ILedger.isHeld}."""
        return key in self._holders

    async def enter(self, name: str, limit: int) -> bool:
        """See L{ILedger.enter}."""
        count = self._counts.get(name, 0)
        if count >= limit:
            return False
        self._counts[name] = count + 1
        return True

    async def leave(self, name: str) -> None:
        """See L{ILedger.leave}."""
        count = self._counts.pop(name, 0) - 1
        if count > 0:
            self._counts[name] = count

    async def count(self, name: str) -> int:
        """See L{ILedger.count}."""
        return self._counts.get(name, 0)

    async def keep(self, name: str, value: bytes, seconds: float) -> None:
        """See L{ILedger.keep}."""
        shelf = self._shelfOf(name)
        shelf.checkRoom(name, value)
        shelf.take(name)
        shelf.put(name, _Kept(value, self._clock.callLater(seconds, shelf.take, name)))

    async def keepNew(self, name: str, value: bytes, seconds: float) -> bytes | None:
        """See L{ILedger.keepNew}."""
        before = await self.look(name)
        if before is None:
            await self.keep(name, value, seconds)
        return before

    async def look(self, name: str) -> bytes | None:
        """See L{ILedger.look}."""
        return self._shelfOf(name).look(name)

    async def take(self, name: str) -> bytes | None:
        """See L{ILedger.take}."""
        return self._shelfOf(name).take(name)

    def _shelfOf(self, name: str) -> _Shelf:
        return self._shelves[name.partition(":")[0]]
