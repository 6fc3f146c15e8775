"""
What a server counts of itself: plain numbers, added to as it runs, read when asked.

Nothing is counted for each delivery, only for each message, sending, or connection.
L{gows.web.metrics} shows the numbers to Prometheus.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate, product
from math import inf
from typing import Final

from gows.chat.audience import TO_EVERYONE, Audience

Kind = tuple[str, str]
"""What a connection speaks, and in which form messages go out to it."""

DIALECTS: Final = ("raw", "gows.v1")
FORMS: Final = ("plain", "gzip", "deflate")
KINDS: Final[tuple[Kind, ...]] = tuple(product(DIALECTS, FORMS))

SPOKEN_TO: Final = ("everyone", "room", "key")
"""Whom a client may address."""

AUDIENCES: Final = (*SPOKEN_TO, "presence")
"""Whom the server sends to: C{presence} are those told who comes and goes."""

FRAMES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Bounds for how many frames leave with one send."""

SIZES: Final = tuple(4**power for power in range(3, 13))
"""Bounds for how many bytes leave with one send: 64 bytes to 16 MiB."""

SENDING: Final = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005),
    *(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
)
"""Bounds for how long a sending to all groups takes, in seconds."""

OPENING: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
"""Bounds for how long an opening takes, in seconds."""


class Bins:
    """
    A histogram: how many values there were up to each of some bounds.

    @ivar sum: of all values
    """

    __slots__ = ("_bounds", "_counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """
        Begin empty.

        @param bounds: ascending; each is the largest value of its bin, and one more
            bin has what is larger than all
        """
        self.sum = 0.0
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)

    def add(self, value: float) -> None:
        """Count a value that is not negative."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self._counts)

    def upTo(self) -> Iterator[tuple[float, int]]:
        """Iterate over the bounds, infinity last, with how many values are within."""
        return zip((*self._bounds, inf), accumulate(self._counts), strict=True)


class Flow:
    """
    Messages one way.

    @ivar messages: how many, each once
    @ivar deliveries: how many, once for each who is to get it
    @ivar size: in bytes; one way in of payloads, the other way of frames, once for
        each who is to get it
    """

    __slots__ = ("deliveries", "messages", "size")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.messages = 0
        self.deliveries = 0
        self.size = 0


class Counts:
    """
    What happened since the start.

    @ivar here: how many connections of each kind are in the registry
    @ivar opened: how many of each kind have been
    @ivar closed: how many are gone, by close code as
        L{gows.wire.closing.labelOf} writes it
    @ivar openings: how long they took, in seconds, from connection to answer
    @ivar refused: how many openings and plain requests, by HTTP status
    @ivar abandoned: how many openings that were not completed in time
    @ivar received: messages from clients, by audience
    @ivar sent: messages to clients, by audience
    @ivar tooFast: how many messages from clients came faster than the rates allow
    @ivar frames: how many left with one send
    @ivar sizes: how many bytes did
    @ivar sendings: how long sending to all groups took, in seconds
    """

    __slots__ = (
        "abandoned",
        "closed",
        "frames",
        "here",
        "opened",
        "openings",
        "received",
        "refused",
        "sendings",
        "sent",
        "sizes",
        "tooFast",
    )

    def __init__(self) -> None:
        """Begin with nothing."""
        self.here = dict.fromkeys(KINDS, 0)
        self.opened = dict.fromkeys(KINDS, 0)
        self.closed: dict[str, int] = {}
        self.openings = Bins(OPENING)
        self.refused: dict[int, int] = {}
        self.abandoned = 0
        self.received = {name: Flow() for name in SPOKEN_TO}
        self.sent = {name: Flow() for name in AUDIENCES}
        self.tooFast = 0
        self.frames = Bins(FRAMES)
        self.sizes = Bins(SIZES)
        self.sendings = Bins(SENDING)

    # Connections.

    def came(self, kind: Kind) -> None:
        """Count a connection that has opened."""
        self.here[kind] += 1
        self.opened[kind] += 1

    def left(self, kind: Kind) -> None:
        """Count a connection that is in the registry no more."""
        self.here[kind] -= 1

    def gone(self, code: str) -> None:
        """Count a connection whose transport is gone."""
        self.closed[code] = self.closed.get(code, 0) + 1

    def answered(self, seconds: float) -> None:
        """Count an opening that succeeded, so long after its connection was made."""
        self.openings.add(max(0.0, seconds))

    def refusal(self, status: int) -> None:
        """Count an opening, or a plain request, that was refused."""
        self.refused[status] = self.refused.get(status, 0) + 1

    def neverOpened(self) -> None:
        """Count an opening that was not completed in time."""
        self.abandoned += 1

    # Messages.

    def heard(self, audience: Audience, size: int) -> None:
        """Count a message from a client."""
        flow = self.received["everyone" if audience == TO_EVERYONE else audience.kind]
        flow.messages += 1
        flow.size += size

    def said(self, audience: Audience, deliveries: int, size: int) -> None:
        """
        Count a message to clients.

        @param deliveries: to how many it goes
        @param size: of the frames for all of them together, in bytes
        """
        flow = self.sent["everyone" if audience == TO_EVERYONE else audience.kind]
        flow.messages += 1
        flow.deliveries += deliveries
        flow.size += size

    def ignored(self) -> None:
        """Count a message from a client that came too fast."""
        self.tooFast += 1

    # Sending.

    def joined(self, frames: int, size: int) -> None:
        """Count frames that leave with one send to each member of a group."""
        self.frames.add(frames)
        self.sizes.add(size)

    def fannedOut(self, seconds: float) -> None:
        """Count a sending to all groups that have something to send."""
        self.sendings.add(max(0.0, seconds))


class Uncounted(Counts):
    """Counts nothing: for what is tried, or measured, without."""

    __slots__ = ()

    def came(self, kind: Kind) -> None:
        """Do nothing."""

    def left(self, kind: Kind) -> None:
        """Do nothing."""

    def gone(self, code: str) -> None:
        """Do nothing."""

    def answered(self, seconds: float) -> None:
        """Do nothing."""

    def refusal(self, status: int) -> None:
        """Do nothing."""

    def neverOpened(self) -> None:
        """Do nothing."""

    def heard(self, audience: Audience, size: int) -> None:
        """Do nothing."""

    def said(self, audience: Audience, deliveries: int, size: int) -> None:
        """Do nothing."""

    def ignored(self) -> None:
        """Do nothing."""

    def joined(self, frames: int, size: int) -> None:
        """Do nothing."""

    def fannedOut(self, seconds: float) -> None:
        """Do nothing."""
