"""Frames that leave together."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate


class Batch:
    """
    Frames that leave one after the other; shared by all who receive them.

    @ivar data: the bytes of all frames; of one frame, that very object
    @ivar ends: where each message ends in C{data}; none: these are no messages but
        control frames or an HTTP answer, and not to be dropped
    @ivar holders: for how many readers it waits; L{gows.wire.backlog} counts
    """

    __slots__ = ("data", "ends", "holders")

    def __init__(self, frames: Sequence[bytes], areMessages: bool = True) -> None:
        """
        Join frames.

        @param frames: one or more
        @param areMessages: whether each is a message, which may be dropped
        """
        if len(frames) == 1:  # as it mostly is
            self.data = frames[0]
            self.ends: tuple[int, ...] = (len(self.data),) if areMessages else ()
        else:
            self.data = b"".join(frames)
            self.ends = tuple(accumulate(map(len, frames))) if areMessages else ()
        self.holders = 0

    def endAfter(self, offset: int) -> int:
        """Find where the message ends to which the byte at an offset belongs."""
        return (
            self.ends[bisect_right(self.ends, offset)] if self.ends else len(self.data)
        )

    def isMidway(self, offset: int) -> bool:
        """Tell whether an offset is inside of a message."""
        return offset > 0 and offset not in self.ends
