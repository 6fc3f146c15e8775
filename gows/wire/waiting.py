"""What waits for one reader that does not keep up."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from itertools import islice

from gows.wire.backlog import Backlog
from gows.wire.batch import Batch

_MAX_PARTS = 512
"""Buffers in one C{sendmsg}; the kernel takes 1024 (C{IOV_MAX})."""


class Waiting:
    """
    Batches in their order, by reference; whole messages can be dropped.

    A message of which the peer has a part is never dropped, nor are control frames:
    the stream of frames stays whole.

    @ivar size: how many bytes wait
    """

    __slots__ = ("_backlog", "_batches", "_head", "_newest", "_offset", "size")

    def __init__(self, backlog: Backlog) -> None:
        """
        Begin empty.

        @param backlog: what waits here counts there
        """
        self.size = 0
        self._backlog = backlog
        self._batches: deque[Batch] = deque()
        self._offset = 0  # of the first batch, so much is gone
        # What goes before the batches: of a batch, from here to there.
        self._head: deque[tuple[Batch, int, int]] = deque()
        self._newest: Batch | None = None

    def append(self, batch: Batch) -> None:
        """Have a batch wait behind the others."""
        self._backlog.hold(batch)
        self._batches.append(batch)
        self.size += len(batch.data)
        if batch.ends:
            self._newest = batch

    def putFirst(self, batch: Batch) -> None:
        """Have a batch go next, behind the rest of a message that has begun."""
        self._keepBegun()
        self._keep(batch, 0, len(batch.data))
        self.size += len(batch.data)

    def parts(self, atMost: int) -> list[bytes | memoryview]:
        """
        Answer what goes next.

        @param atMost: bytes; of the first part there may be more
        """
        parts: list[bytes | memoryview] = []
        for part in islice(self._inOrder(), _MAX_PARTS):
            atMost -= len(part)
            if parts and atMost < 0:
                break
            parts.append(part)
        return parts

    def _inOrder(self) -> Iterator[bytes | memoryview]:
        for batch, start, end in self._head:
            yield memoryview(batch.data)[start:end]
        offset = self._offset
        for batch in self._batches:
            yield memoryview(batch.data)[offset:] if offset else batch.data
            offset = 0

    def took(self, count: int) -> None:
        """Take note that so many bytes of L{parts} have left."""
        self.size -= count
        while count and self._head:
            batch, start, end = self._head[0]
            if count < end - start:
                self._head[0] = batch, start + count, end
                return
            count -= end - start
            self._backlog.release(self._head.popleft()[0])
        while count:
            left = len(self._batches[0].data) - self._offset
            if count < left:
                self._offset += count
                return
            count -= left
            self._releaseFirst()

    def drop(self, spare: int) -> int:
        """
        Drop the oldest messages until no more than C{spare} bytes wait.

        The newest message stays, however large.

        @return: how many were dropped
        """
        if self.size <= spare:
            return 0
        dropped = 0
        self._keepBegun()
        while self.size > spare and self._batches:
            batch = self._batches[0]
            if not batch.ends:
                self._keep(batch, 0, len(batch.data))
                self._releaseFirst()
                continue
            end = batch.endAfter(self._offset)
            if batch is self._newest and end == len(batch.data):
                break
            self.size -= end - self._offset
            self._offset = end
            dropped += 1
            if end == len(batch.data):
                self._releaseFirst()
        return dropped

    def isMore(self, limit: int) -> bool:
        """Tell whether more bytes wait than may, whatever messages are dropped."""
        newest = 0 if self._newest is None else len(self._newest.data)
        return self.size - newest > limit

    def dropAll(self) -> int:
        """Drop all messages, the newest as well, and answer how many these were."""
        dropped = 0
        self._keepBegun()
        while self._batches:
            batch = self._batches[0]
            if batch.ends:
                dropped += len(batch.ends) - bisect_right(batch.ends, self._offset)
            else:
                self._keep(batch, 0, len(batch.data))
            self._releaseFirst()
        self.size = sum(end - start for _, start, end in self._head)
        return dropped

    def clear(self) -> None:
        """Forget everything."""
        while self._head:
            self._backlog.release(self._head.popleft()[0])
        while self._batches:
            self._releaseFirst()
        self.size = 0

    def _keepBegun(self) -> None:
        """Have what must go next, the rest of a message that has begun, go first."""
        if not self._batches or not self._batches[0].isMidway(self._offset):
            return
        batch = self._batches[0]
        end = batch.endAfter(self._offset)
        self._keep(batch, self._offset, end)
        self._offset = end
        if end == len(batch.data):
            self._releaseFirst()

    def _keep(self, batch: Batch, start: int, end: int) -> None:
        self._backlog.hold(batch)
        self._head.append((batch, start, end))

    def _releaseFirst(self) -> None:
        batch = self._batches.popleft()
        if batch is self._newest:
            self._newest = None
        self._backlog.release(batch)
        self._offset = 0
