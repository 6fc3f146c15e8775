"""The one place through which bytes leave for a connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.internet.interfaces import IPushProducer, ITransport
from zope.interface import implementer

LIMIT: Final = 1024 * 1024
"""
How many bytes may wait for a reader, on top of what the transport holds anyway.

One message more than that may wait: a reader that has nothing waiting is sent
any message, however large.
"""


@implementer(IPushProducer)
class Outbox:
    """
    Passes bytes to the transport, and notices when they are not taken.

    To the transport it is a producer: that is how Twisted says that its buffer
    is full, and when it has been emptied.
    """

    def __init__(self, transport: ITransport, onFull: Callable[[], None]) -> None:
        """
        Send through a transport.

        @param onFull: called once, when more than L{LIMIT} waits
        """
        self._transport = transport
        self._onFull = onFull
        self._isStalled = False
        self._isBounded = True
        self._waiting = 0

    def write(self, data: bytes) -> None:
        """Send bytes, or have them wait; beyond the limit they are dropped."""
        if self._isStalled:
            if self._isBounded and self._waiting > LIMIT:
                self._isBounded = False
                self._onFull()
                return
            self._waiting += len(data)
        self._transport.write(data)

    def lastWords(self) -> None:
        """Let a close frame pass, however much is waiting."""
        self._isBounded = False

    def pauseProducing(self) -> None:
        """Take note that the transport's buffer is full."""
        self._isStalled = True

    def resumeProducing(self) -> None:
        """Take note that everything has been sent."""
        self._isStalled = False
        self._waiting = 0

    def stopProducing(self) -> None:
        """Take note that the transport is gone: nothing to do."""
