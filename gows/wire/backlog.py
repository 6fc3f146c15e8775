"""What waits in a process for readers that do not keep up."""

from __future__ import annotations

from itertools import islice
from typing import Final, Protocol

from gows.wire.batch import Batch

_AT_ONCE: Final = 8
"""How many are told in a turn that they are too slow: for a millisecond or two."""


class SlowReader(Protocol):
    """What the backlog asks of somebody for whom bytes wait."""

    @property
    def waiting(self) -> int:
        """How many bytes wait for it."""

    def overflow(self) -> None:
        """Drop what waits, and close the connection as too slow."""


class Backlog:
    """
    Counts the bytes that wait for anybody, and bounds them.

    Bytes that wait for several readers are there once, and count once.

    @ivar size: how many distinct bytes wait
    @ivar dropped: how many messages have been dropped because their reader was slow,
        each counted for each such reader
    """

    def __init__(self, limit: int) -> None:
        """
        Begin with nobody waiting.

        @param limit: of L{size}; it is held by L{relieve}
        """
        self.size = 0
        self.dropped = 0
        self._limit = limit
        self._readers: dict[SlowReader, None] = {}
        self._tooSlow: dict[SlowReader, None] = {}

    def enter(self, reader: SlowReader) -> None:
        """Take note that bytes wait for a reader."""
        self._readers[reader] = None

    def leave(self, reader: SlowReader) -> None:
        """Take note that none do any more."""
        self._readers.pop(reader, None)

    def tooSlow(self, reader: SlowReader) -> None:
        """Have a reader go with one of the next L{relieve}s."""
        self._tooSlow[reader] = None

    def hold(self, batch: Batch) -> None:
        """Take note that a batch waits for one reader more."""
        if not batch.holders:
            self.size += len(batch.data)
        batch.holders += 1

    def release(self, batch: Batch) -> None:
        """Take note that a batch waits for one reader less."""
        batch.holders -= 1
        if not batch.holders:
            self.size -= len(batch.data)

    def relieve(self) -> bool:
        """
        Have readers go: those that are too slow, and, until the limit is kept, those
        for whom the most waits.

        Of the former only some at a time: many that stall at once are told so one
        after the other, while the others are served.

        @return: whether there are more of them
        """
        for reader in tuple(islice(self._tooSlow, _AT_ONCE)):
            del self._tooSlow[reader]
            reader.overflow()
        if self.size > self._limit:
            self._relieveAll()
        return bool(self._tooSlow)

    def _relieveAll(self) -> None:
        largestFirst = sorted(self._readers, key=lambda r: r.waiting, reverse=True)
        for reader in largestFirst:
            if self.size <= self._limit:
                break
            if reader.waiting:
                reader.overflow()
