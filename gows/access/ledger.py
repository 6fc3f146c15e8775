"""What there is once, kept in the memory of one process."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer

from gows.errors import TooMany
from gows.interfaces import Holder, ILedger

MAX_KEPT: Final = 100_000
MAX_SIZE: Final = 64 * 1024 * 1024
"""How many values of a kind may be kept at a time, and of how many bytes in all."""

_FEW: Final = 64
"""As many ends of values that are gone already need not be tidied up."""


class _Kept(NamedTuple):
    """A value, and when it is too old."""

    value: bytes
    end: float


class _Shelf:
    """
    Has the values of one kind: too many of them take no room from others.

    The reactor is asked for one call in all, which forgets the next that is too old.
    """

    def __init__(self, clock: IReactorTime) -> None:
        """Begin empty."""
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._size = 0
        self._ends: list[tuple[float, str]] = []  # a heap; some may be gone already
        self._call: IDelayedCall | None = None

    def look(self, name: str) -> bytes | None:
        """Look at a value."""
        kept = self._kept.get(name)
        return None if kept is None else kept.value

    def put(self, name: str, value: bytes, seconds: float) -> None:
        """
        Put a value for so long, in place of the one that there may be.

        @raise TooMany: if there is no room; the one that there may be stays
        """
        count = len(self._kept) + (name not in self._kept)
        size = self._size - len(self.look(name) or b"") + len(value)
        if count > MAX_KEPT or size > MAX_SIZE:
            raise TooMany(f"more than {MAX_KEPT} values, or {MAX_SIZE} bytes")
        end = self._clock.seconds() + seconds
        self._kept[name] = _Kept(value, end)
        self._size = size
        heappush(self._ends, (end, name))
        if len(self._ends) > 2 * count + _FEW:
            self._ends = [(kept.end, name) for name, kept in self._kept.items()]
            heapify(self._ends)
        self._waitForFirst()

    def take(self, name: str) -> bytes | None:
        """Take a value away; L{None}: there is none."""
        kept = self._kept.pop(name, None)
        if kept is None:
            return None
        self._size -= len(kept.value)
        if not self._kept:
            self._ends.clear()
            if self._call is not None:
                self._call.cancel()
                self._call = None
        return kept.value

    def _waitForFirst(self) -> None:
        end, _ = self._ends[0]
        wait = max(0.0, end - self._clock.seconds())
        if self._call is None:
            self._call = self._clock.callLater(wait, self._forget)
        elif end < self._call.getTime():
            self._call.reset(wait)

    def _forget(self) -> None:
        self._call = None
        now = self._clock.seconds()
        while self._ends:
            end, name = self._ends[0]
            kept = self._kept.get(name)
            isGone = kept is None or kept.end != end
            if end > now and not isGone:
                break
            heappop(self._ends)
            if not isGone:
                self.take(name)
        if self._ends:
            self._waitForFirst()


@implementer(ILedger)
class MemoryLedger:
    """A ledger for one process. Nothing in it ever waits."""

    def __init__(self, clock: IReactorTime) -> None:
        """
        Begin empty.

        @param clock: says when what is kept is too old
        """
        self._holders: dict[str, Holder] = {}
        self._counts: dict[str, int] = {}
        self._shelves: defaultdict[str, _Shelf]
        self._shelves = defaultdict(partial(_Shelf, clock))

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
        self._shelfOf(name).put(name, value, seconds)

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
