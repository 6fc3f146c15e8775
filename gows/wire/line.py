"""The ways from an outbox to the peer: to a socket, or through another transport."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from OpenSSL import SSL
from twisted.internet.interfaces import IPullProducer, IPushProducer
from twisted.internet.tcp import Connection
from zope.interface import implementer

from gows.wire.tcpinfo import Traffic, acknowledged, queued, trafficOf

Part = bytes | memoryview
Send = Callable[[Part], int]

GONE: Final = (OSError, SSL.Error)
"""What sending raises when the peer is gone: no fault of ours."""

_AT_ONCE: Final = 256 * 1024
_MAX_PARTS: Final = 1024  # of one sendmsg: Linux's IOV_MAX


class Owner(Protocol):
    """What a line asks of its outbox."""

    def drain(self) -> None:
        """Send what waits: there may be room again."""


class Line(Protocol):
    """
    One way to the peer.

    @ivar atOnce: how many bytes are best offered at a time
    @ivar direct: for those who send to many in a loop; see L{send}
    """

    atOnce: int

    @property
    def direct(self) -> Send | None:
        """The bare way to send, if there is one."""

    def send(self, data: Part) -> int:
        """
        Send at once what there is room for.

        @return: how many bytes were taken
        @raise BlockingIOError: for none, perhaps
        @raise OSError: if the peer is gone; L{SSL.Error} over TLS
        """

    def sendParts(self, parts: Sequence[Part]) -> int:
        """Send bytes from several places, one after the other; see L{send}."""

    def begin(self, sendBuffer: int) -> None:
        """
        Take note that the connection is open, and that nobody else writes.

        @param sendBuffer: bytes that the kernel may hold for a peer that does not
            read (C{SO_SNDBUF}); 0: its own choice, which grows to about 4 MB
        """

    def wait(self) -> None:
        """Have the outbox drained as soon as there may be room."""

    def stop(self) -> None:
        """Have it drained no more: nothing waits."""

    def end(self) -> None:
        """Let go of the transport, which is about to be closed."""

    def underway(self) -> tuple[int | None, int]:
        """
        Tell how far what was sent has come.

        @return: how many bytes have arrived at the peer's side in all, L{None} if
            that is unknown; and how many the kernel holds
        """

    def traffic(self) -> Traffic | None:
        """Count the bytes that have passed, both ways; L{None}: that is unknown."""


@implementer(IPullProducer)
class SocketLine:
    """
    Straight to a socket.

    Twisted's own buffer stays empty. While bytes wait in the outbox this is a pull
    producer of the transport: that is how Twisted tells that there is room again,
    and why it does not close on what waits.
    """

    __slots__ = ("_isWaiting", "_owner", "_transport")

    atOnce = _AT_ONCE

    def __init__(self, transport: Connection, owner: Owner) -> None:
        """Send to this transport's socket."""
        self._transport = transport
        self._owner = owner
        self._isWaiting = False

    @property
    def direct(self) -> Send | None:
        """See L{Line}."""
        return self._transport.getHandle().send

    def send(self, data: Part) -> int:
        """See L{Line.send}."""
        return self._transport.getHandle().send(data)

    def sendParts(self, parts: Sequence[Part]) -> int:
        """See L{Line.sendParts}."""
        if len(parts) > _MAX_PARTS:
            return self.send(b"".join(parts))
        return self._transport.getHandle().sendmsg(parts)

    def begin(self, sendBuffer: int) -> None:
        """See L{Line.begin}."""
        if sendBuffer:
            self._transport.getHandle().setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDBUF, sendBuffer
            )

    def wait(self) -> None:
        """See L{Line.wait}."""
        if not self._isWaiting:
            self._transport.registerProducer(self, False)  # resumes at once
            self._isWaiting = True
        self._transport.startWriting()

    def stop(self) -> None:
        """See L{Line.stop}."""
        if self._isWaiting:
            self._isWaiting = False
            self._transport.unregisterProducer()

    def end(self) -> None:
        """See L{Line.end}."""
        self.stop()

    def resumeProducing(self) -> None:
        """Go on: the socket is writable, and Twisted has nothing for it."""
        if self._isWaiting:
            self._owner.drain()

    def stopProducing(self) -> None:
        """Take note that the transport is gone; the protocol is told, too."""
        self._isWaiting = False

    def underway(self) -> tuple[int | None, int]:
        """See L{Line.underway}."""
        connection = self._transport.getHandle()
        return acknowledged(connection), queued(connection)

    def traffic(self) -> Traffic | None:
        """See L{Line.traffic}: over TLS its own bytes count as well."""
        return trafficOf(self._transport.getHandle())


@implementer(IPushProducer)
class TransportLine:
    """
    Through whatever else is a transport: it is written to, and says when it is full.

    It is a producer of the transport from when the connection is open.
    """

    __slots__ = ("_isFull", "_isProducer", "_owner", "_transport")

    atOnce = _AT_ONCE

    def __init__(self, transport: Any, owner: Owner) -> None:
        """Write to this transport."""
        self._transport = transport
        self._owner = owner
        self._isFull = False
        self._isProducer = False

    @property
    def direct(self) -> Send | None:
        """See L{Line}."""
        return None

    def send(self, data: Part) -> int:
        """See L{Line.send}."""
        if self._isFull:
            return 0
        self._transport.write(bytes(data))
        return len(data)

    def sendParts(self, parts: Sequence[Part]) -> int:
        """See L{Line.sendParts}."""
        return self.send(b"".join(parts))

    def begin(self, sendBuffer: int) -> None:
        """See L{Line.begin}."""
        self._isProducer = True
        self._transport.registerProducer(self, True)

    def wait(self) -> None:
        """See L{Line.wait}: the transport tells in any case."""

    def stop(self) -> None:
        """See L{Line.stop}: it would tell if it was full."""

    def end(self) -> None:
        """See L{Line.end}."""
        if self._isProducer:
            self._isProducer = False
            self._transport.unregisterProducer()

    def pauseProducing(self) -> None:
        """Take note that the transport's buffer is full."""
        self._isFull = True

    def resumeProducing(self) -> None:
        """Go on: everything that the transport had has been sent."""
        self._isFull = False
        self._owner.drain()

    def stopProducing(self) -> None:
        """Take note that the transport is gone; the protocol is told, too."""

    def underway(self) -> tuple[int | None, int]:
        """See L{Line.underway}."""
        return None, 0

    def traffic(self) -> Traffic | None:
        """See L{Line.traffic}."""
        return None
