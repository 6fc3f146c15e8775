"""Tests of L{gows.wire.shortcut}: Autobahn's parser alone is the measure."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from gows.chat.inbound import roomFor
from gows.wire import patient as patientModule
from gows.wire.patient import MAX_UNPARSED
from gows.wire.shortcut import takeTexts
from tests.memory import (
    BINARY,
    CLOSE,
    CONTINUATION,
    DEFLATE,
    PING,
    PONG,
    TEXT,
    Chat,
    MemoryTestCase,
    closeFrame,
    frame,
    framesOf,
)

PROPERTY = settings(
    max_examples=400,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

FAR = 70_000
LIMITS = (1000, FAR)
"""The largest message; what may be on the wire is a little more."""


class Wayward(Chat):
    """
    An application that does what a message tells it.

    @ivar waiting: what its callbacks wait for
    """

    def __init__(self, chat: Any) -> None:
        """Wait for nothing yet."""
        super().__init__(chat)
        self.waiting: list[Deferred[None]] = []

    def onMessage(self, connection: Any, message: Any) -> Any:
        """Do it."""
        payload, isBinary = message.payload, message.isBinary
        self.calls.append(("message", connection.context.specialKey, payload, isBinary))
        if payload == b"raise":
            raise RuntimeError("as told")
        if payload == b"close":
            connection.close(4000)
        elif payload == b"cut":
            connection.cut()
        elif payload == b"drop":
            connection.dropConnection(abort=True)
        elif payload == b"wait":
            self.waiting.append(Deferred())
            return self.waiting[-1]
        elif payload == b"ping":
            connection._sendAutoPing()
        else:
            connection.send(payload, isBinary)
        return None


class Record(NamedTuple):
    """
    What a run showed.

    @ivar calls: to the application
    @ivar sent: the frames that the peer was sent; of pings not the random payload
    @ivar received: how many messages the connection has counted
    """

    calls: list[Any]
    sent: list[tuple[int, bytes]]
    received: int
    isLost: bool
    wasAborted: bool
    isPaused: bool
    unparsed: bytes
    log: list[str]


def deflated(payload: bytes) -> bytes:
    """Compress a message."""
    deflater = zlib.compressobj(wbits=-12)
    body = deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return body.removesuffix(b"\x00\x00\xff\xff")


def longer(data: bytes) -> bytes:
    """Write a frame's length with more bytes than it takes."""
    length = data[1] & 0x7F
    if length >= 126:
        return data
    return (
        data[:1] + bytes([data[1] & 0x80 | 126]) + length.to_bytes(2, "big") + data[2:]
    )


SIZES = [0, 1, 3, 124, 125, 126, 127, 128, 65_535, 65_536]
for LIMIT in LIMITS:
    SIZES += [LIMIT, LIMIT + 1, roomFor(LIMIT), roomFor(LIMIT) + 1]

UNMASKING = b"\0\0\0\0"
EMPTY_INSIDE = b"\x80\x01\x02\x03"
"""Cut behind its first byte, a message of one byte with this mask is another one."""

MASKS = st.sampled_from(
    [b"\x11\x22\x33\x44", UNMASKING, b"\xff\0\x80\x01", EMPTY_INSIDE]
)
ORDERS = st.sampled_from(
    [b"raise", b"close", b"cut", b"drop", b"wait", b"wait", b"ping", b"ping"]
)
TEXTS = st.one_of(
    st.text(max_size=40).map(str.encode),
    st.sampled_from(["ä".encode() * 63, "\U0001f600".encode() * 40, b"x" * 200]),
)
BAD_TEXTS = st.sampled_from(
    [b"\xff", b"ab\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\x80"]
)
GOOD = st.builds(lambda text, mask: frame(TEXT, text, mask=mask), TEXTS, MASKS)
SIZED = st.builds(
    lambda size, mask: frame(TEXT, b"s" * size, mask=mask),
    st.sampled_from(SIZES),
    MASKS,
)
ANY = st.builds(
    lambda opcode, payload, fin, rsv, mask: frame(
        opcode, payload, fin=fin, rsv=rsv, mask=mask
    ),
    st.sampled_from([TEXT, TEXT, BINARY, CONTINUATION, 3, 7, CLOSE, PING, PONG, 11]),
    TEXTS | BAD_TEXTS,
    st.sampled_from([True, True, False]),
    st.sampled_from([0, 0, 0, 0, 1, 2, 4]),
    MASKS | MASKS | st.none(),
)
FAULTY = st.one_of(
    st.builds(lambda text, opcode: frame(opcode, text), TEXTS, st.integers(0, 15)),
    st.builds(lambda text, rsv: frame(TEXT, text, rsv=rsv), TEXTS, st.integers(1, 7)),
    st.builds(lambda text: frame(TEXT, text, fin=False), TEXTS),
    st.builds(lambda text: frame(TEXT, text, mask=None), TEXTS),
)
NESTED = st.builds(
    lambda opcode, inner: frame(opcode, inner, mask=UNMASKING),
    st.sampled_from([TEXT, BINARY, PING]),
    st.text("ab", max_size=100).map(lambda text: frame(TEXT, text.encode())),
)
"""Cut behind their heads, these begin as other frames."""

FRAGMENTED = st.builds(
    lambda opcode, first, between, last: (
        frame(opcode, first, fin=False) + between + frame(CONTINUATION, last)
    ),
    st.sampled_from([TEXT, BINARY]),
    TEXTS,
    st.sampled_from([b"", frame(PING, b"?"), frame(TEXT, b"no")]),
    TEXTS | BAD_TEXTS,
)
FRAMES = st.one_of(
    GOOD,
    GOOD,
    GOOD,
    ORDERS.map(lambda order: frame(TEXT, order)),
    SIZED,
    ANY,
    FAULTY,
    NESTED,
    FRAGMENTED,
    BAD_TEXTS.map(lambda text: frame(TEXT, text)),
    GOOD.map(longer),
    TEXTS.map(lambda text: frame(TEXT, deflated(text), rsv=4)),
    st.sampled_from([closeFrame(1000), closeFrame(), closeFrame(999), frame(PONG)]),
)
GREETING = frame(TEXT, b"hello")

STEPS = st.lists(
    st.lists(FRAMES, min_size=1, max_size=5).map(b"".join)
    | st.sampled_from(["pass", "done"]),
    min_size=1,
    max_size=6,
)
CUTS = st.lists(
    st.sampled_from([1, 6, 8]) | st.integers(0, 400) | st.integers(0, 200_000),
    max_size=4,
)


class ShortcutTests(MemoryTestCase):
    """With the short way everything is as without it."""

    def setUp(self) -> None:
        """Count what goes the short way."""
        super().setUp()
        self.short = 0

    def counting(self, connection: Any, data: bytes) -> int:
        """Take the short way, and count its messages."""
        before = connection.messagesIn
        taken = takeTexts(connection, data)
        self.short += connection.messagesIn - before
        return taken

    def taking(
        self,
        steps: Sequence[bytes | str],
        cuts: list[int],
        isShort: bool,
        isDeflating: bool = False,
        limit: int = FAR,
    ) -> Record:
        """Have a connection take all this."""
        way = self.counting if isShort else lambda connection, data: 0
        self.patch(patientModule, "takeTexts", way)
        self.events.clear()
        server = self.factory(
            Wayward,
            maxMessageSize=limit,
            binary="relay",
            pingInterval=4,
            pingTimeout=2,
        )
        changes = {"Sec_WebSocket_Extensions": DEFLATE} if isDeflating else {}
        client = self.opened(server, **changes)
        connection = client.server
        application: Any = server.application
        for step in steps:
            if step == "pass":
                self.clock.pump([0.5] * 5)
                client.flush()
            elif step == "done":
                for waiting in application.waiting:
                    if not waiting.called:
                        waiting.callback(None)
                client.flush()
            else:
                assert isinstance(step, bytes)
                ends = sorted({cut for cut in cuts if cut < len(step)})
                for begin, end in zip([0, *ends], [*ends, len(step)], strict=True):
                    if end > begin:
                        client.send(step[begin:end])
        sent = framesOf(client.protocol.received.partition(b"\r\n\r\n")[2])
        record = Record(
            [
                tuple(str(i.value) if isinstance(i, Failure) else i for i in call)
                for call in application.calls
            ],
            [(f.first, b"" if f.opcode == PING else f.payload) for f in sent],
            connection.messagesIn,
            client.protocol.isLost,
            client.transport.wasAborted,
            client.transport.isPaused,
            connection.data if connection.state == connection.STATE_OPEN else b"",
            self.logged(),
        )
        client.leave()
        self.flushLoggedErrors()
        return record

    @PROPERTY
    @given(STEPS, CUTS, st.booleans(), st.sampled_from(LIMITS))
    @example(
        [frame(TEXT, b"wait") + frame(TEXT, b"next"), "done"], [], False, LIMITS[-1]
    )
    @example(
        [frame(TEXT, b"wait") + frame(TEXT, b"s" * 65_000) * 2], [], False, LIMITS[-1]
    )
    @example([frame(TEXT, b"close") + frame(TEXT, b"next")], [], False, FAR)
    @example([frame(TEXT, b"raise") + frame(TEXT, b"next")], [], False, FAR)
    @example([frame(TEXT, b"drop") + frame(TEXT, b"next")], [], False, FAR)
    @example(
        [frame(TEXT, b"ping") + GREETING, "pass", "pass"],
        [],
        False,
        LIMITS[-1],
    )
    @example([frame(TEXT, b"a", fin=False), frame(TEXT, b"b")], [], False, FAR)
    @example([frame(TEXT, b"a"), frame(TEXT, b"b", mask=None)], [], False, FAR)
    @example([frame(TEXT, b"abc"), frame(TEXT, b"abc")], [4], False, FAR)
    @example(
        [frame(TEXT, b"plain"), frame(TEXT, deflated(b"x"), rsv=4)],
        [],
        True,
        LIMITS[-1],
    )
    @example([frame(TEXT, b"a"), frame(TEXT, b"b" * 9, mask=None)], [], False, 1000)
    @example([frame(TEXT, b"x", mask=EMPTY_INSIDE), GREETING], [1], False, 1000)
    @example([frame(PING, GREETING, mask=UNMASKING)], [6], False, 1000)
    @example([frame(TEXT, GREETING, mask=UNMASKING)], [6], False, 1000)
    @example([frame(TEXT, b"s" * (roomFor(1000) + 1))], [], False, 1000)
    @example([longer(frame(TEXT, b"abc"))], [], False, FAR)
    @example([frame(TEXT, b"\xff"), frame(TEXT, b"next")], [], False, FAR)
    @example([frame(BINARY, b"\xff"), frame(PING, b"?")], [], False, FAR)
    @example([frame(TEXT, b"s" * (roomFor(LIMIT) + 1))], [], False, FAR)
    def test_same(
        self,
        steps: list[bytes | str],
        cuts: list[int],
        isDeflating: bool,
        limit: int,
    ) -> None:
        """Callbacks, bytes sent, counts, ending: all are as of Autobahn alone."""
        long = self.taking(steps, cuts, False, isDeflating, limit)
        short = self.taking(steps, cuts, True, isDeflating, limit)
        for ours, theirs in zip(short, long, strict=True):
            self.assertEqual(ours, theirs)

    def compare(self, data: bytes, isDeflating: bool = False) -> None:
        """Assert that these bytes, and a message behind them, do the same."""
        steps = [data, GREETING]
        self.assertEqual(
            self.taking(steps, [], True, isDeflating),
            self.taking(steps, [], False, isDeflating),
            data,
        )

    def test_everyFirstByte(self) -> None:
        """That holds for all of FIN, reserved bits and opcodes."""
        behind = frame(TEXT, b"hello")[1:]
        for first in range(256):
            self.compare(bytes([first]) + behind, isDeflating=first % 2 > 0)

    def test_everyLength(self) -> None:
        """And for all lengths, written as they must be or longer."""
        for length in range(130):
            whole = frame(TEXT, b"s" * length)
            self.compare(whole)
            self.compare(longer(whole))

    def test_limit(self) -> None:
        """The longest that may come takes the short way, a longer one does not."""
        for size, short in ((roomFor(1000), 1), (roomFor(1000) + 1, 0)):
            self.short = 0
            self.taking([frame(TEXT, b"s" * size)], [], True, limit=1000)
            self.assertEqual(self.short, short)

    def test_taken(self) -> None:
        """Small whole texts do take the short way, several of one read as well."""
        for isDeflating in (False, True):
            self.short = 0
            texts = [b"", b"x", "ä".encode() * 63, b"x" * 126, b"x" * 65_535]
            sent = [frame(TEXT, text) for text in texts]
            record = self.taking([b"".join(sent), *sent], [], True, isDeflating)
            self.assertEqual(self.short, 2 * len(texts))
            self.assertEqual(record.received, 2 * len(texts))

    def test_notTaken(self) -> None:
        """What needs a state machine does not."""
        for step in (
            frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
            frame(TEXT, b"a")[:-1],
            frame(TEXT, b"a" * 9, mask=None),
            frame(TEXT, b"a", rsv=4),
            frame(TEXT, b"\xff"),
            longer(frame(TEXT, b"a")),
            frame(BINARY, b"a"),
            frame(TEXT, b"x" * 65_536),
        ):
            self.taking([step], [], True)
            self.assertEqual(self.short, 0, step[:10])

    def test_pause(self) -> None:
        """What waits behind a callback is bounded, as without the short way."""
        steps = [frame(TEXT, b"wait") + frame(TEXT, b"s" * 60_000) * 2]
        record = self.taking(steps, [], True)
        self.assertEqual(self.short, 1)
        self.assertTrue(record.isPaused)
        self.assertGreater(len(record.unparsed), MAX_UNPARSED)
        record = self.taking([*steps, "done"], [], True)
        self.assertFalse(record.isPaused)
        self.assertEqual(record.received, 3)
