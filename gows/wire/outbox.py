"""The one place through which bytes leave for a connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import IPushProducer
from twisted.protocols.policies import ProtocolWrapper
from zope.interface import implementer

LIMIT: Final = 1024 * 1024
"""
How many bytes may wait for a reader, besides what the transport holds.

One message more than that may wait: a reader that has nothing waiting is sent
any message, however large.
"""


@implementer(IPushProducer)
class Outbox:
    """
    Passes bytes to the transport, and keeps them while that is full.

    What is kept are references: frames are shared by all who receive them. To the
    transport this is a producer: that is how Twisted says that its buffer is full,
    and when everything in it has been sent.
    """

    __slots__ = (
        "_backlog",
        "_isBounded",
        "_isStalled",
        "_onFull",
        "_transport",
        "_waiting",
    )

    def __init__(self, transport: Any, onFull: Callable[[], None]) -> None:
        """
        Send through a transport.

        @param onFull: called once, when more than L{LIMIT} waits
        """
        self._transport = transport
        self._onFull = onFull
        self._backlog: list[bytes] = []
        self._waiting = 0
        self._isStalled = False
        self._isBounded = True

    def write(self, data: bytes) -> None:
        """Send bytes, or have them wait; beyond the limit they are dropped."""
        if not self._isStalled:
            self._transport.write(data)
        elif self._isBounded and self._waiting > LIMIT:
            self._isBounded = False
            self._onFull()
        else:
            self._backlog.append(data)
            self._waiting += len(data)

    def lastWords(self) -> None:
        """Let a close frame pass, however much is waiting."""
        self._isBounded = False

    def flush(self) -> None:
        """Hand the transport all that waits, be it full or not."""
        backlog, self._backlog = self._backlog, []
        self._waiting = 0
        if backlog:
            self._transport.writeSequence(backlog)

    def pauseProducing(self) -> None:
        """Take note that the transport's buffer is full."""
        self._isStalled = True

    def resumeProducing(self) -> None:
        """Go on: everything that the transport had has been sent."""
        self._isStalled = False
        self.flush()

    def stopProducing(self) -> None:
        """Forget what waits: the transport is gone."""
        self._backlog.clear()


def widen(transport: object) -> None:
    """
    Let a transport send as much at a time as the kernel takes.

    Twisted sends 128 KiB a reactor turn, and reads 64 KiB a turn of each sender:
    with more than two busy ones every reader would fall behind, however fast.
    """
    while isinstance(transport, ProtocolWrapper):  # TLS, PROXY
        transport = transport.transport
    if isinstance(transport, FileDescriptor):
        transport.SEND_LIMIT = LIMIT
