"""What there is once, kept in the memory of one process."""

from __future__ import annotations

from typing import Final

from twisted.internet.interfaces import IReactorTime
from zope.interface import implementer

from gows.errors import TooMany
from gows.interfaces import Holder, ILedger

MAX_KEPT: Final = 100_000
"""How many values may be kept at a time."""


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
        self._kept: dict[str, tuple[bytes, float]] = {}

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
        if name not in self._kept and len(self._kept) >= MAX_KEPT:
            raise TooMany(f"more than {MAX_KEPT} values are kept")
        self._kept[name] = value, self._clock.seconds() + seconds
        self._clock.callLater(seconds, self._forget, name)

    async def keepNew(self, name: str, value: bytes, seconds: float) -> bytes | None:
        """See L{ILedger.keepNew}."""
        before = await self.look(name)
        if before is None:
            await self.keep(name, value, seconds)
        return before

    async def look(self, name: str) -> bytes | None:
        """See L{ILedger.look}."""
        self._forget(name)
        value, _ = self._kept.get(name, (None, 0.0))
        return value

    async def take(self, name: str) -> bytes | None:
        """See L{ILedger.take}."""
        self._forget(name)
        value, _ = self._kept.pop(name, (None, 0.0))
        return value

    def _forget(self, name: str) -> None:
        kept = self._kept.get(name)
        if kept is not None and kept[1] <= self._clock.seconds():
            del self._kept[name]
