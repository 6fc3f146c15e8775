"""
Autobahn's protocol, without what it makes for each connection and few ever need.

Autobahn sets some ninety attributes on each connection: options, flags, statistics,
Deferreds, the request. Here they are on the class, where one serves all until it
changes, and the handshake is not Autobahn's: opening takes a third of the time and an
idle connection a third of the memory.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflate
from autobahn.websocket.protocol import TrafficStats
from autobahn.websocket.utf8validator import Utf8Validator
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from gows.wire.handshake import Accept

VERSION: Final = 13
"""The version of the protocol: RFC 6455's."""

T = TypeVar("T")
P = TypeVar("P", bound=WebSocketServerProtocol)


class _Lazy:
    """An attribute that is made for a connection when it is first asked for."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        if instance is None:
            return self
        made = self._make()
        setattr(instance, self._name, made)
        return made


class _Unheard:
    """In the place of a Deferred that nobody waits for."""

    def callback(self, result: object) -> None:
        """Tell nobody."""


class LeanProtocol(WebSocketServerProtocol):
    """
    A server's end of a WebSocket whose handshake is done by others.

    All attributes are Autobahn's, with the values that it begins with.
    C{tests/test_lean.py} compares.
    """

    transport: Any
    autoPingInterval: float
    autoPingSize: int
    maxMessagePayloadSize: int
    openHandshakeTimeout: float
    tcpNoDelay: bool
    perMessageCompressionAccept: Accept
    openHandshakeTimeoutCall: Any = None
    autoPingPendingCall: Any = None
    autoPingTimeoutCall: Any = None
    closeHandshakeTimeoutCall: Any = None

    _transport_details: Any = None
    is_open = is_closed = _Unheard()
    utf8validator = _Lazy(Utf8Validator)
    trackedTimings: Any = None
    send_state = WebSocketServerProtocol.SEND_STATE_GROUND
    send_queue: Any = ()
    triggered = False

    state = WebSocketServerProtocol.STATE_CONNECTING
    data = b""
    inside_message = False
    current_frame: Any = None
    autoPingPending = None
    autoPingPendingSeq = 0
    autoPingPendingSent = None

    wasMaxFramePayloadSizeExceeded = False
    wasMaxMessagePayloadSizeExceeded = False
    wasServerConnectionDropTimeout = False
    wasOpenHandshakeTimeout = False
    wasCloseHandshakeTimeout = False
    wasServingFlashSocketPolicyFile = False
    closedByMe = False
    failedByMe = False
    droppedByMe = False
    wasClean = False
    wasNotCleanReason: Any = None
    localCloseCode = None
    localCloseReason = None
    remoteCloseCode = None
    remoteCloseReason = None

    websocket_version = VERSION
    websocket_protocol_in_use: str | None = None
    websocket_extensions_in_use: Any = ()
    _perMessageCompress: Any = None

    def __init__(self) -> None:
        """Make nothing: Autobahn would make two Deferreds, two dicts and a list."""

    def connectionMade(self) -> None:
        """Begin to wait for the opening."""
        with suppress(AttributeError, OSError):  # a Unix socket has no such thing
            self.transport.setTcpNoDelay(self.tcpNoDelay)
        self.factory.countConnections += 1
        if self.openHandshakeTimeout > 0:
            self.openHandshakeTimeoutCall = self.factory._batched_timer.call_later(
                self.openHandshakeTimeout, self.onOpenHandshakeTimeout
            )

    def becomeOpen(self, compression: PerMessageDeflate | None) -> None:
        """
        Go on as after a handshake whose answer has been sent.

        @param compression: what it said of permessage-deflate
        """
        if compression is not None:
            self._perMessageCompress = compression
            self.websocket_extensions_in_use = (compression,)
        self.state = self.STATE_OPEN
        if self.openHandshakeTimeoutCall is not None:
            self.openHandshakeTimeoutCall.cancel()
            self.openHandshakeTimeoutCall = None
        if self.autoPingInterval:
            self.autoPingPendingCall = self.factory._batched_timer.call_later(
                self.autoPingInterval, self._sendAutoPing
            )

    def dataReceived(self, data: bytes) -> None:
        """Parse bytes from the peer."""
        self.data += data
        self.consumeData()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Take note that the transport is gone."""
        self._connectionLost(reason)  # type: ignore[arg-type]  # Autobahn's passes one


def withOptions(protocol: type[P], factory: WebSocketServerFactory) -> type[P]:
    """
    Make a class of connections with a factory's options, as they are now.

    Autobahn copies them to each connection. One may still have its own value.
    """
    options: dict[str, object] = {
        name: getattr(factory, name) for name in protocol.CONFIG_ATTRS
    }
    accept = factory.perMessageCompressionAccept
    options["perMessageCompressionAccept"] = staticmethod(accept)
    options["trafficStats"] = TrafficStats()  # counted by Autobahn, read by nobody
    return type(protocol.__name__, (protocol,), {**options, "CONFIG_ATTRS": ()})
