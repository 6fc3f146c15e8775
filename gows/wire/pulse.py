"""Whether a peer that has not answered a ping may not have got it yet."""

from __future__ import annotations

from typing import NamedTuple


class Progress(NamedTuple):
    """
    How far the bytes for a peer have come.

    @ivar arrived: how many have arrived at its side in all; L{None}: unknown
    @ivar queued: how many the kernel holds
    @ivar waiting: how many wait in the outbox
    @ivar moved: how many have gone from there to the kernel in all
    """

    arrived: int | None
    queued: int
    waiting: int
    moved: int


class Pulse:
    """
    Compares how far bytes have come with how far they had when a ping was sent.

    As long as what is before the ping moves, however slowly, the peer is alive. Once
    the ping has arrived, only its pong will do.
    """

    __slots__ = ("_pingAt", "_seen")

    def __init__(self, progress: Progress) -> None:
        """
        Take note that a ping is sent now, behind all that is on its way.
        """
        self._seen = progress
        # What waits becomes longer over TLS, by a fifth at the most.
        ahead = progress.queued + progress.waiting + progress.waiting // 4
        self._pingAt = (progress.arrived or 0) + ahead

    def isProgressing(self, progress: Progress) -> bool:
        """Tell whether what is before the ping has moved since this was asked last."""
        seen, self._seen = self._seen, progress
        if seen.arrived is not None and progress.arrived is not None:
            return seen.arrived < self._pingAt and seen.arrived < progress.arrived
        if not (progress.queued or progress.waiting):
            return False
        return seen.moved != progress.moved or progress.queued < seen.queued
