"""One message to many connections."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Protocol

from twisted.python.failure import Failure

from gows.chat.message import Message
from gows.wire.frames import Frames


class Receiver(Protocol):
    """What the fan-out asks of a connection."""

    def deliver(self, frames: Frames) -> None:
        """Send one message in this connection's wire form."""

    def sendingFailed(self, failure: Failure) -> None:
        """Take note that L{deliver} raised; must not raise itself."""


class FanOut:
    """
    Sends messages to everybody, one after the other.

    A message that comes while another is on its way (an application may answer
    an error with a broadcast) waits for that one: all receivers see one order.
    """

    def __init__(self, receivers: Iterable[Receiver]) -> None:
        """
        Send to these.

        @param receivers: who is here at the moment; asked anew for each message
        """
        self._receivers = receivers
        self._waiting: deque[Message] = deque()
        self._isDelivering = False

    def deliver(self, message: Message) -> None:
        """Send a message to all receivers; one that fails stops nobody else."""
        self._waiting.append(message)
        if self._isDelivering:
            return
        self._isDelivering = True
        try:
            while self._waiting:
                self._deliverNow(Frames(self._waiting.popleft()))
        finally:
            self._isDelivering = False

    def _deliverNow(self, frames: Frames) -> None:
        for receiver in tuple(self._receivers):
            try:
                receiver.deliver(frames)
            except Exception:
                receiver.sendingFailed(Failure())
