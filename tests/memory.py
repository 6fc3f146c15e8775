"""A server in memory: real protocols on both ends, no sockets, time by a Clock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import txaio
from autobahn.twisted.websocket import (
    WebSocketClientFactory,
    WebSocketClientProtocol,
)
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableDescriptor,
    IPushProducer,
    ITransport,
)
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, IOPump, connect
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from gows.chat.application import BroadcastChat
from gows.chat.message import Message
from gows.interfaces import IApplication, IChat, IConnection
from gows.journal import Journal
from gows.settings import Settings
from gows.web.site import PublicSite
from gows.wire.factory import GowsFactory
from gows.wire.protocol import GowsProtocol
from tests.support import recorder

PEER = IPv4Address("TCP", "203.0.113.7", 40000)

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

OPENING: Final[Mapping[str, str]] = {
    "Host": "127.0.0.1:8888",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}
"""The headers of a valid opening."""

DEFLATE: Final = "permessage-deflate"

BROKEN: Final = OSError("this transport is broken")

MADE_UP: Final = frozenset(("time", "session"))
"""Fields of gows.v1 that differ each time; a message's C{id} does as well."""

Headers = Mapping[str, str | Sequence[str] | None]


def request(
    method: str = "GET",
    target: str = "/",
    headers: Headers | None = None,
    version: str = "1.1",
) -> bytes:
    """
    Write the head of a request.

    @param headers: what they are given as; a list: given so often; L{None}: absent
    """
    lines = [f"{method} {target} HTTP/{version}"]
    for name, value in (headers or {}).items():
        values = [value] if isinstance(value, str) else value or ()
        lines += [f"{name}: {one}" for one in values]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def opening(
    query: str = "specialKey=alice", **changes: str | list[str] | None
) -> bytes:
    """
    Write the head of an opening.

    @param changes: headers that are not as usual, with C{_} for C{-}
    """
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    return request(target=f"/?{query}", headers={**OPENING, **named})


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = b"\x11\x22\x33\x44",
) -> bytes:
    """Write a frame as clients do, and as they must not."""
    masked = 0x80 if mask else 0
    first = bytes([fin << 7 | rsv << 4 | opcode])
    length = len(payload)
    if length < 126:
        head = first + bytes([masked | length])
    elif length < 1 << 16:
        head = first + bytes([masked | 126]) + length.to_bytes(2, "big")
    else:
        head = first + bytes([masked | 127]) + length.to_bytes(8, "big")
    if not mask:
        return head + payload
    key = (mask * (length // 4 + 1))[:length]
    xored = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return head + mask + xored.to_bytes(length, "big")


def closeFrame(code: int | None = None, reason: bytes = b"") -> bytes:
    """Write a client's close frame."""
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


class Frame(NamedTuple):
    """
    A frame that a server sent.

    @ivar first: FIN, the reserved bits and the opcode
    """

    first: int
    payload: bytes

    @property
    def opcode(self) -> int:
        """What kind it is."""
        return self.first & 0x0F


def framesOf(data: bytes) -> list[Frame]:
    """
    Read the frames of a server.

    @raise AssertionError: if they are not whole, or masked
    """
    frames: list[Frame] = []
    while data:
        assert len(data) >= 2, "a frame is cut off"
        first, length, size = data[0], data[1], 2
        assert length < 0x80, "servers do not mask"
        if length >= 126:
            size = 4 if length == 126 else 10
            length = int.from_bytes(data[2:size], "big")
        assert len(data) >= size + length, "a frame is cut off"
        frames.append(Frame(first, data[size : size + length]))
        data = data[size + length :]
    return frames


class Answer(NamedTuple):
    """
    A complete HTTP answer.

    @ivar headers: by their names in lower case
    """

    status: int
    phrase: str
    headers: dict[str, str]
    body: bytes


def answerOf(data: bytes, isHead: bool = False) -> Answer:
    """
    Read an HTTP answer, strictly.

    @param isHead: whether it answers a HEAD request
    @raise AssertionError: if it is not one complete answer and nothing else
    """
    head, end, body = data.partition(b"\r\n\r\n")
    assert end, f"not a whole answer: {data!r}"
    status, *lines = head.decode("ascii").split("\r\n")
    version, number, phrase = status.split(" ", 2)
    assert version in ("HTTP/1.0", "HTTP/1.1"), status
    fields = [line.split(": ", 1) for line in lines]
    headers = {name.lower(): value for name, value in fields}
    assert len(headers) == len(fields), f"a header is given twice: {lines}"
    length = 0 if isHead else int(headers["content-length"])
    assert len(body) == length, f"the body is not as long as it says: {data!r}"
    return Answer(int(number), phrase, headers, body)


class WebSocket(WebSocketClientProtocol):
    """A client that remembers what happens to it."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        super().__init__()
        self.isOpen = False
        self.messages: list[tuple[bytes, bool]] = []
        self.pongs: list[bytes] = []
        self.closed: tuple[bool, int, str] | None = None

    def onOpen(self) -> None:
        """Remember the opening."""
        self.isOpen = True

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Remember a message."""
        self.messages.append((payload, isBinary))

    def onPong(self, payload: bytes) -> None:
        """Remember a pong."""
        self.pongs.append(payload)

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        """Remember how it ended."""
        self.closed = (wasClean, code, reason)

    @property
    def texts(self) -> list[str]:
        """The text messages received."""
        return [data.decode() for data, isBinary in self.messages if not isBinary]


class Wire(Protocol):
    """A client that speaks bytes."""

    transport: ITransport

    def __init__(self) -> None:
        """Remember nothing yet."""
        self.received = b""
        self.isLost = False

    def dataReceived(self, data: bytes) -> None:
        """Remember bytes."""
        self.received += data

    def connectionLost(self, reason: Failure | None = None) -> None:
        """Remember the end."""
        self.isLost = True

    @property
    def frames(self) -> list[Frame]:
        """What came behind the answer to the opening."""
        return framesOf(self.received.partition(b"\r\n\r\n")[2])

    @property
    def texts(self) -> list[str]:
        """The text messages received."""
        return [f.payload.decode() for f in self.frames if f.opcode == TEXT]

    @property
    def closeCodes(self) -> list[int]:
        """The codes of the close frames received; one at most, if all is well."""
        closes = [f.payload for f in self.frames if f.opcode == CLOSE]
        return [int.from_bytes(payload[:2], "big") for payload in closes]


class Turns(Clock):
    """A clock that, as reactors do, leaves for the next turn what comes in this one."""

    def advance(self, amount: float) -> None:
        """Let time pass, and a turn with it."""
        self.rightNow += amount
        for call in [c for c in self.calls if c.getTime() <= self.seconds()]:
            self.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)

    def callLater(self, delay: float, *arguments: Any, **named: Any) -> IDelayedCall:
        """Schedule a call; reactors do not take a delay below zero."""
        assert delay >= 0, delay
        return super().callLater(delay, *arguments, **named)


@implementer(IPushProducer)
class ServerTransport(FakeTransport):
    """
    A server's end of a connection, with what TCP has besides.

    Its peer may stop to read: then nothing arrives, and the producer is told when
    the buffer is full, as Twisted's own transports do. The server may stop to
    read as well.

    @ivar peerReads: set to false to have the peer read nothing
    @ivar isPaused: whether the server reads nothing
    @ivar wasAborted: whether the line was cut
    @ivar breaks: set to an exception to have writing raise it
    @ivar waiting: how many bytes have been written and not been taken
    """

    bufferSize = 1 << 16
    disconnectReason: Exception  # type: ignore[assignment]  # iosim sets other kinds

    def __init__(self, protocol: Any, peer: IAddress) -> None:
        """Connect to a peer that reads."""
        super().__init__(protocol, isServer=True, peerAddress=peer)
        self.peerReads = True
        self.isPaused = False
        self.wasAborted = False
        self.breaks: Exception | None = None
        self.waiting = 0
        self._isEnding = False
        self._isFull = False
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Take bytes; tell the producer when these are too many."""
        if self.breaks is not None:
            raise self.breaks
        if self._isEnding:
            return
        super().write(data)
        self.waiting += 0 if self.disconnecting else len(data)
        if self.producer and self.streamingProducer and self.waiting > self.bufferSize:
            self._isFull = True
            self.producer.pauseProducing()

    def getOutBuffer(self) -> bytes | None:
        """Answer what arrives; tell the producer that there is room again."""
        if not self.peerReads:
            return None
        data: bytes | None = super().getOutBuffer()
        self.waiting = 0
        if self._isFull:
            self._isFull = False
            if self.producer:
                self.producer.resumeProducing()
        self.disconnecting = self.disconnecting or self._isEnding
        return data

    def loseConnection(self) -> None:
        """End once everything has been read."""
        self._isEnding = True
        if not self.stream:
            self.disconnecting = True

    def abortConnection(self) -> None:
        """End now."""
        if not self.disconnected:
            self.wasAborted = True
            self.stream = []
            self.waiting = 0
            self.disconnectReason = ConnectionAborted()
            self.disconnecting = True

    def pauseProducing(self) -> None:
        """Read nothing."""
        self.isPaused = True

    def resumeProducing(self) -> None:
        """Read again."""
        self.isPaused = False

    def bufferReceived(self, buf: bytes) -> None:
        """Read, or have it wait."""
        if self.isPaused:
            self._held.append(buf)
        else:
            super().bufferReceived(buf)

    def readHeld(self) -> bool:
        """Read what had to wait, if there is anything and it need not any more."""
        if self.isPaused or not self._held:
            return False
        super().bufferReceived(self._held.pop(0))
        return True


@implementer(IHalfCloseableDescriptor)
class HalfCloseable(ServerTransport):
    """
    A server's end whose sending side can be closed alone, as TCP's can.

    @ivar isHalfClosed: whether it has been
    """

    isHalfClosed = False

    def loseWriteConnection(self) -> None:
        """Close it."""
        self.isHalfClosed = True

    def writeConnectionLost(self, reason: Failure) -> None:
        """Never called here: the interface has it."""

    def readConnectionLost(self, reason: Failure) -> None:
        """Never called here: the interface has it."""


class Chat(BroadcastChat):
    """The default application, with a record of its callbacks."""

    def __init__(self, chat: IChat) -> None:
        """Remember nothing yet."""
        super().__init__(chat)
        self.calls: list[tuple[Any, ...]] = []

    def onOpen(self, connection: IConnection) -> Any:
        """Remember it."""
        self.calls.append(("open", connection.context.specialKey))
        return super().onOpen(connection)

    def onMessage(self, connection: IConnection, message: Message) -> Any:
        """Remember it."""
        self.calls.append(("message", connection.context.specialKey, message.payload))
        return super().onMessage(connection, message)

    def onError(self, connection: IConnection, failure: Failure) -> Any:
        """Remember it."""
        self.calls.append(("error", connection.context.specialKey, failure))
        return super().onError(connection, failure)

    def onClose(
        self, connection: IConnection, wasClean: bool, code: int, reason: str
    ) -> Any:
        """Remember it."""
        self.calls.append(("close", connection.context.specialKey, wasClean, code))
        return super().onClose(connection, wasClean, code, reason)


class Client:
    """
    One end of a connection in memory, and the pump that moves its bytes.

    @ivar protocol: the client's
    @ivar server: the server's
    @ivar transport: the server's transport
    """

    def __init__(
        self,
        server: GowsProtocol,
        protocol: Any,
        peer: IAddress,
        transport: type[ServerTransport] = ServerTransport,
    ) -> None:
        """Connect the two."""
        self.protocol = protocol
        self.server = server
        self.transport = transport(server, peer)
        clientTransport = FakeTransport(protocol, isServer=False, hostAddress=peer)
        self.pump: IOPump = connect(
            server,
            self.transport,
            protocol,
            clientTransport,
            clock=server.factory.reactor,
        )

    def flush(self) -> None:
        """Move bytes until there are none left."""
        self.pump.flush()
        while self.transport.readHeld():
            self.pump.flush()

    def send(self, data: bytes) -> None:
        """Send bytes, and move all until there are none left."""
        self.protocol.transport.write(data)
        self.flush()

    def leave(self, reason: Exception | None = None) -> None:
        """
        End the peer's side of the transport.

        @param reason: what the server's transport says of it, if not
            C{ConnectionDone}
        """
        if reason is not None:
            self.transport.disconnectReason = reason
        self.protocol.transport.loseConnection()
        self.flush()


def _withoutMadeUp(envelope: dict[str, Any]) -> dict[str, Any]:
    madeUp = {*MADE_UP, "id"} if envelope["type"] == "message" else MADE_UP
    return {name: value for name, value in envelope.items() if name not in madeUp}


class Talker:
    """
    Somebody who speaks gows.v1.

    @ivar client: the connection
    """

    def __init__(self, client: Client) -> None:
        """Speak on a connection that has opened."""
        self.client = client
        self._read = 0

    def say(self, **fields: Any) -> None:
        """Send a request; C{from_} and the like lose their underscore."""
        named = {name.rstrip("_"): value for name, value in fields.items()}
        self.client.send(frame(TEXT, json.dumps(named).encode()))

    def heard(self) -> list[dict[str, Any]]:
        """Answer what came since this was asked last; not what ids are made up."""
        self.client.flush()
        texts = self.client.protocol.texts
        new, self._read = texts[self._read :], len(texts)
        return [_withoutMadeUp(json.loads(text)) for text in new]

    def ask(self, **fields: Any) -> dict[str, Any]:
        """Send a request, and answer the one thing that comes."""
        self.heard()
        self.say(**fields)
        [answer] = self.heard()
        return answer


class MemoryTestCase(SynchronousTestCase):
    """
    Tests against a factory with clients in memory.

    @cvar makeClock: makes the clock
    @ivar clock: the time; nothing else moves it
    @ivar events: what was logged
    """

    makeClock: type[Clock] = Clock

    def setUp(self) -> None:
        """Put Autobahn's timers on our clock."""
        self.clock = self.makeClock()
        self.patch(txaio.config, "loop", self.clock)
        self.events, self._observe = recorder()

    def factory(
        self,
        makeApplication: Any = Chat,
        logLevel: str = "debug",
        verify: Any = None,
        **settings: Any,
    ) -> GowsFactory:
        """
        Make a server with these settings (fields of L{Settings}).

        @param verify: what reads tokens
        """
        journal = Journal(logLevel, self.clock, self._observe)
        return GowsFactory(
            Settings(**settings),
            makeApplication,
            partial(PublicSite, journal=journal, reactor=self.clock),
            journal,
            self.clock,
            verify=verify,
        )

    def calls(self, factory: GowsFactory) -> list[tuple[Any, ...]]:
        """Answer the callbacks that L{Chat} has had."""
        application: IApplication = factory.application
        assert isinstance(application, Chat)
        return application.calls

    def wire(
        self,
        factory: GowsFactory,
        peer: IAddress = PEER,
        transport: type[ServerTransport] = ServerTransport,
    ) -> Client:
        """Connect a client that speaks bytes."""
        return self._connect(factory, Wire(), peer, transport)

    def ask(self, factory: GowsFactory, head: bytes, peer: IAddress = PEER) -> Answer:
        """Send one request and read the answer, behind which the line ends."""
        client = self.wire(factory, peer)
        client.send(head)
        self.assertTrue(client.protocol.isLost, "the connection goes on")
        return answerOf(client.protocol.received, head.startswith(b"HEAD "))

    def opened(
        self,
        factory: GowsFactory,
        query: str = "specialKey=alice",
        **changes: str | list[str] | None,
    ) -> Client:
        """
        Connect a WebSocket whose client speaks bytes.

        @param changes: see L{opening}
        """
        client = self.wire(factory)
        client.send(opening(query, **changes))
        self.assertTrue(
            client.protocol.received.startswith(b"HTTP/1.1 101 "),
            client.protocol.received,
        )
        return client

    def talker(
        self,
        factory: GowsFactory,
        query: str = "specialKey=alice",
        **changes: str | list[str] | None,
    ) -> Talker:
        """Connect somebody who speaks gows.v1, and has been welcomed."""
        changes = {"Sec_WebSocket_Protocol": "gows.v1", **changes}
        talker = Talker(self.opened(factory, query, **changes))
        self.assertEqual(talker.heard()[0]["type"], "welcome")
        return talker

    def client(
        self,
        factory: GowsFactory,
        query: str = "specialKey=alice",
        *,
        headers: dict[str, str] | None = None,
        peer: IAddress = PEER,
        **options: Any,
    ) -> Client:
        """
        Connect a WebSocket client, as far as the server lets it.

        @param options: for Autobahn's client (C{setProtocolOptions})
        """
        clients = WebSocketClientFactory(
            f"ws://127.0.0.1:8888/?{query}", headers=headers, reactor=self.clock
        )
        clients.protocol = WebSocket
        if options:
            clients.setProtocolOptions(**options)
        connected = self._connect(factory, clients.buildProtocol(None), peer)
        connected.flush()
        return connected

    def _connect(
        self,
        factory: GowsFactory,
        protocol: Any,
        peer: IAddress,
        transport: type[ServerTransport] = ServerTransport,
    ) -> Client:
        server = factory.buildProtocol(peer)
        assert isinstance(server, GowsProtocol)
        return Client(server, protocol, peer, transport)

    def advance(self, seconds: float) -> None:
        """Let time pass, in small steps, as it does."""
        for _ in range(int(seconds * 10)):
            self.clock.advance(0.1)

    def logged(self) -> list[str]:
        """Answer the log's lines, without their time."""
        from twisted.logger import formatEvent

        return [formatEvent(event) for event in self.events]
