"""How a server is doing, second by second."""

from __future__ import annotations

import os
import resource
from collections import deque
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from time import process_time
from typing import Final, NamedTuple

from twisted.application.service import Service
from twisted.internet.task import LoopingCall

from gows.counts import Bins
from gows.lag import ReactorLag
from gows.wire.factory import GowsFactory

EVERY: Final = 1.0
"""Seconds between two samples."""

KEPT: Final = 900
"""How many samples are kept: those of 15 minutes."""

_STATM: Final = Path("/proc/self/statm")


class Sample(NamedTuple):
    """
    A second of a server's life. What is counted is per second.

    @ivar time: its end, in milliseconds since 1970
    @ivar messages_in: from clients
    @ivar messages_out: each once, for however many readers
    @ivar deliveries: each once for each reader
    @ivar fanout_p50: in seconds, how long sending to all groups took; L{None}: nothing
        was sent
    @ivar lag: how late the reactor was at most, in seconds
    @ivar waiting: bytes that wait for slow readers
    @ivar cpu: of one core
    @ivar memory: the resident set, in bytes
    @ivar dropped: messages, because their readers were too slow
    @ivar refused: openings and requests
    """

    # The names are those of the feed.
    time: int
    connections: int
    people: int
    rooms: int
    messages_in: float
    messages_out: float
    deliveries: float
    fanout_p50: float | None
    fanout_p99: float | None
    lag: float
    waiting: int
    cpu: float
    memory: int
    dropped: float
    refused: float


class _Totals(NamedTuple):
    """What is counted from the start on, at a moment."""

    seconds: float
    cpu: float
    messagesIn: int
    messagesOut: int
    deliveries: int
    dropped: int
    refused: int
    sendings: tuple[int, ...]


class Sampler(Service):
    """
    Takes a sample each second.

    @ivar samples: those of the last minutes, the oldest first
    """

    def __init__(
        self,
        factory: GowsFactory,
        lag: ReactorLag,
        *,
        cpuTime: Callable[[], float] = process_time,
        memory: Callable[[], int] | None = None,
    ) -> None:
        """
        Look at a server; samples begin with the service's start.

        @param cpuTime: the process's, in seconds
        @param memory: its resident set, in bytes
        """
        self.samples: deque[Sample] = deque(maxlen=KEPT)
        self._factory = factory
        self._lag = lag
        self._cpuTime = cpuTime
        self._memory = residentSet if memory is None else memory
        self._before = self._totals()
        self._listeners: list[Callable[[Sample], object]] = []
        self._loop = LoopingCall(self._take)
        self._loop.clock = factory.reactor

    def startService(self) -> None:
        """Begin."""
        super().startService()
        self._before = self._totals()
        self._loop.start(EVERY, now=False)

    def stopService(self) -> None:
        """Take no more."""
        super().stopService()
        if self._loop.running:
            self._loop.stop()

    def listen(self, listener: Callable[[Sample], object]) -> None:
        """Have somebody told of each sample."""
        self._listeners.append(listener)

    def _totals(self) -> _Totals:
        counts, backlog = self._factory.counts, self._factory.terms.backlog
        return _Totals(
            self._factory.reactor.seconds(),
            self._cpuTime(),
            sum(flow.messages for flow in counts.received.values()),
            sum(flow.messages for flow in counts.sent.values()),
            sum(flow.deliveries for flow in counts.sent.values()),
            backlog.dropped,
            sum(counts.refused.values()),
            tuple(count for _, count in counts.sendings.upTo()),
        )

    def _take(self) -> None:
        before, now = self._before, self._totals()
        self._before = now
        elapsed = max(now.seconds - before.seconds, 0.001)  # the clock may be set

        def rate(which: str) -> float:
            passed: float = getattr(now, which) - getattr(before, which)
            return round(passed / elapsed, 2)

        sendings = [
            late - early
            for late, early in zip(now.sendings, before.sendings, strict=True)
        ]
        bins, hall = self._factory.counts.sendings, self._factory.hall
        sample = Sample(
            time=int(now.seconds * 1000),
            connections=len(self._factory.registry),
            people=hall.registry.people,
            rooms=hall.rooms,
            messages_in=rate("messagesIn"),
            messages_out=rate("messagesOut"),
            deliveries=rate("deliveries"),
            fanout_p50=quantile(bins, sendings, 0.5),
            fanout_p99=quantile(bins, sendings, 0.99),
            lag=self._largestLag(before.seconds),
            waiting=self._factory.terms.backlog.size,
            cpu=round((now.cpu - before.cpu) / elapsed, 4),
            memory=self._memory(),
            dropped=rate("dropped"),
            refused=rate("refused"),
        )
        self.samples.append(sample)
        for listener in self._listeners:
            listener(sample)

    def _largestLag(self, since: float) -> float:
        largest = 0.0
        for look in reversed(self._lag.history):
            if look.time < since:
                break
            largest = max(largest, look.lag)
        return round(largest, 6)


def quantile(bins: Bins, upTo: Sequence[int], part: float) -> float | None:
    """
    Estimate a quantile, as if values were spread evenly within each bin.

    @param bins: whose bounds count
    @param upTo: how many values there were up to each bound, infinity last
    @return: the last bound, if it is beyond that; L{None}: there were no values
    """
    wanted = part * upTo[-1]
    if not upTo[-1]:
        return None
    bounds = [0.0, *(bound for bound, _ in bins.upTo())]
    for (low, high), (below, within) in zip(
        pairwise(bounds), pairwise((0, *upTo)), strict=True
    ):
        if within >= wanted and within > below:
            if high == float("inf"):
                return low
            return low + (high - low) * (wanted - below) / (within - below)
    return bounds[-2]


def residentSet() -> int:
    """Read how much memory this process has, in bytes."""
    try:
        pages = int(_STATM.read_text("ascii").split()[1])
    except OSError:  # not Linux: the largest that it has been, in KiB
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")
