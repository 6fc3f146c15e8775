"""Tests of L{gows.wire.protocol}: what is said, and who reads it in which form."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from typing import Any

from gows.wire.factory import GowsFactory
from tests.memory import (
    BINARY,
    CONTINUATION,
    DEFLATE,
    PING,
    PONG,
    TEXT,
    Client,
    MemoryTestCase,
    closeFrame,
    frame,
)

LIMIT = 1000


def deflated(data: bytes, level: int = 9, bits: int = 15) -> bytes:
    """Compress as a client does for permessage-deflate."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, -bits)
    body = deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return body.removesuffix(b"\x00\x00\xff\xff")


def inflated(data: bytes, bits: int = 15) -> bytes:
    """Decompress as a client does whose window is so large, and not larger."""
    inflater = zlib.decompressobj(-bits)
    left, text = data + b"\x00\x00\xff\xff", b""
    while left:  # in small steps: zlib would look back into a large output as well
        text += inflater.decompress(left, 64)
        left = inflater.unconsumed_tail
    return text + inflater.flush()


class MessageTestCase(MemoryTestCase):
    """Tests with an alice who speaks bytes and a bob who listens."""

    def meet(self, **settings: Any) -> tuple[GowsFactory, Client, Client]:
        """Connect both."""
        server = self.factory(maxMessageSize=LIMIT, **settings)
        return (
            server,
            self.opened(server),
            self.opened(server, "specialKey=bob"),
        )

    def assertRefused(self, data: bytes, code: int, **settings: Any) -> None:
        """Check that what alice sends closes her connection, and nobody else's."""
        server, alice, bob = self.meet(**settings)
        alice.send(data)
        self.assertEqual(alice.protocol.closeCodes, [code], data[:50])
        self.assertFalse(alice.protocol.isLost, "the line was cut")
        bob.send(frame(TEXT, b"next"))
        alice.flush()
        self.assertEqual(bob.protocol.texts, ["next"])
        self.assertEqual([f.opcode for f in alice.protocol.frames], [8])
        self.assertEqual(server.lookUp("alice:0"), ())
        self.assertEqual(
            [call for call in self.calls(server) if call[0] == "message"],
            [("message", "bob", b"next")],
        )
        alice.send(closeFrame(code))
        self.assertTrue(alice.protocol.isLost)
        self.assertEqual(self.calls(server)[-1], ("close", "alice", True, code))
        self.assertEqual(self.flushLoggedErrors(), [])


class TextTests(MessageTestCase):
    """A text message goes to every open connection, the sender included."""

    def test_everyone(self) -> None:
        """Everyone reads it, its sender too."""
        server = self.factory()
        clients = [self.client(server, f"specialKey={name}") for name in "abc"]
        clients[0].protocol.sendMessage("Grüße 🐘".encode())
        for client in clients:
            client.flush()
            client.flush()
        for client in clients:
            self.assertEqual(client.protocol.texts, ["Grüße 🐘"])

    def test_oneOrder(self) -> None:
        """All read all messages in one order."""
        server = self.factory()
        clients = [self.client(server, f"specialKey={name}") for name in "abcd"]
        for number in range(12):
            client = clients[number % 3]
            client.protocol.sendMessage(b"%d" % number)
            client.flush()
        for client in clients:
            client.flush()
            self.assertEqual(client.protocol.texts, [str(n) for n in range(12)])

    def test_fragmented(self) -> None:
        """A message in fragments, a ping between them, is one message."""
        _, alice, bob = self.meet()
        alice.send(frame(TEXT, b"a\xc3", fin=False))
        alice.send(frame(PING, b"?"))
        alice.send(frame(CONTINUATION, b"\xa4b", fin=False) + frame(CONTINUATION, b"c"))
        bob.flush()
        self.assertEqual(bob.protocol.texts, ["aäbc"])
        self.assertEqual(alice.protocol.texts, ["aäbc"])
        self.assertEqual(alice.protocol.frames[0].payload, b"?")

    def test_empty(self) -> None:
        """An empty message is a message."""
        _, alice, bob = self.meet()
        alice.send(frame(TEXT))
        bob.flush()
        self.assertEqual(bob.protocol.texts, [""])

    def test_lengths(self) -> None:
        """Messages around the lengths where frames change their form arrive."""
        server = self.factory(maxMessageSize=70_000)
        alice = self.opened(server)
        for length in (1, 125, 126, 127, 65535, 65536, 70_000):
            alice.protocol.received = b"\r\n\r\n"
            alice.send(frame(TEXT, b"x" * length))
            self.assertEqual(alice.protocol.texts, ["x" * length])

    def test_textAndClose(self) -> None:
        """A text and a close frame in one segment: it is read, and echoed first."""
        _, alice, bob = self.meet()
        alice.send(frame(TEXT, b"bye") + closeFrame(1000))
        bob.flush()
        self.assertEqual([f.opcode for f in alice.protocol.frames], [1, 8])
        self.assertEqual(alice.protocol.texts, ["bye"])
        self.assertEqual(bob.protocol.texts, ["bye"])
        self.assertTrue(alice.protocol.isLost)
        self.assertFalse(alice.transport.wasAborted)

    def test_closeAndText(self) -> None:
        """What comes behind a close frame is no message any more."""
        server, alice, bob = self.meet()
        alice.send(closeFrame(1000) + frame(TEXT, b"too late"))
        bob.flush()
        self.assertEqual(bob.protocol.frames, [])
        self.assertEqual(len(server.registry), 1)

    def test_invalidUTF8(self) -> None:
        """Text that is not UTF-8 closes with 1007, at whatever place it breaks."""
        for bad in (b"cut \xc3", b"\xff", b"ok \xc0\xaf", b"\xed\xa0\x80"):
            self.assertRefused(frame(TEXT, bad), 1007)

    def test_reasons(self) -> None:
        """The reason is that of the table, not a library's words."""
        for data, code, reason in (
            (frame(TEXT, b"\xff"), 1007, b"invalid payload"),
            (frame(TEXT, b"x" * (2 * LIMIT)), 1009, b"message too big"),
            (frame(TEXT, b"x" * (LIMIT + 1)), 1009, b"message too big"),
            (frame(3, b""), 1002, b"protocol error"),
        ):
            _, alice, _ = self.meet()
            alice.send(data)
            [(_, payload)] = alice.protocol.frames
            self.assertEqual(payload, code.to_bytes(2, "big") + reason)

    def test_invalidUTF8InFragments(self) -> None:
        """So does a code point that the next fragment breaks off."""
        data = frame(TEXT, b"\xc3", fin=False) + frame(CONTINUATION, b"(")
        self.assertRefused(data, 1007)

    def test_atTheLimit(self) -> None:
        """A message of --max-message-size is read."""
        _, alice, bob = self.meet()
        alice.send(frame(TEXT, b"x" * LIMIT))
        alice.send(frame(TEXT, b"y" * 999, fin=False) + frame(CONTINUATION, b"y" * 1))
        bob.flush()
        self.assertEqual(bob.protocol.texts, ["x" * LIMIT, "y" * LIMIT])

    def test_tooBig(self) -> None:
        """One byte more closes with 1009, in one frame or in fragments."""
        self.assertRefused(frame(TEXT, b"x" * (LIMIT + 1)), 1009)
        self.assertRefused(frame(BINARY, b"x" * (LIMIT + 1)), 1009, binary="relay")
        half = b"x" * (LIMIT // 2)
        fragments = frame(TEXT, half, fin=False) + frame(CONTINUATION, half, fin=False)
        self.assertRefused(fragments + frame(CONTINUATION, b"x"), 1009)

    def test_announcedTooBig(self) -> None:
        """That is told from a frame's head, before its bytes have come."""
        for length in (LIMIT * 2, 1 << 40):
            _, alice, _ = self.meet()
            size = 126 if length < 1 << 16 else 127
            extended = length.to_bytes(2 if size == 126 else 8, "big")
            alice.send(bytes([0x81, 0x80 | size]) + extended + b"mask")
            self.assertEqual(alice.protocol.closeCodes, [1009])

    def test_bytewise(self) -> None:
        """Frames may come one byte at a time."""
        _, alice, bob = self.meet()
        for byte in frame(TEXT, b"slow") + frame(PING, b"?") + closeFrame(4000, b"x"):
            alice.send(bytes([byte]))
        bob.flush()
        self.assertEqual(bob.protocol.texts, ["slow"])
        self.assertEqual([f.opcode for f in alice.protocol.frames], [1, 0xA, 8])


class GzipTests(MessageTestCase):
    """Who asked for it reads text as gzip in binary frames, and all may send it."""

    def test_reader(self) -> None:
        """A gzip reader gets one whole gzip member that any decoder reads."""
        server, alice, _ = self.meet()
        reader = self.opened(server, "specialKey=r&support_gzip=1")
        alice.send(frame(TEXT, "Grüße".encode()))
        reader.flush()
        [(first, payload)] = reader.protocol.frames
        self.assertEqual(first, 0x82)
        self.assertEqual(gzip.decompress(payload).decode(), "Grüße")
        inflater = zlib.decompressobj(31)
        inflater.decompress(payload)
        self.assertTrue(inflater.eof)
        self.assertEqual(inflater.unused_data, b"")
        self.assertEqual(alice.protocol.texts, ["Grüße"])

    def test_readersOwn(self) -> None:
        """A gzip reader's own text comes back as gzip as well."""
        reader = self.opened(self.factory(), "specialKey=r&support_gzip=1")
        reader.send(frame(TEXT, b"mine"))
        [(first, payload)] = reader.protocol.frames
        self.assertEqual((first, gzip.decompress(payload)), (0x82, b"mine"))

    def test_sender(self) -> None:
        """Gzip in a binary frame is treated as the text it holds."""
        server, alice, bob = self.meet()
        reader = self.opened(server, "specialKey=r&support_gzip=1")
        alice.send(frame(BINARY, gzip.compress(b"packed")))
        for client in (bob, reader):
            client.flush()
        self.assertEqual(alice.protocol.texts, ["packed"])
        self.assertEqual(bob.protocol.texts, ["packed"])
        self.assertEqual(gzip.decompress(reader.protocol.frames[0].payload), b"packed")
        self.assertIn(("message", "alice", b"packed"), self.calls(server))

    def test_emptyText(self) -> None:
        """Gzip of nothing is an empty text."""
        _, alice, _ = self.meet()
        alice.send(frame(BINARY, gzip.compress(b"")))
        self.assertEqual(alice.protocol.texts, [""])

    def test_atTheLimit(self) -> None:
        """What holds just as much as is allowed is read."""
        _, alice, _ = self.meet()
        alice.send(frame(BINARY, gzip.compress(b"x" * LIMIT)))
        self.assertEqual(alice.protocol.texts, ["x" * LIMIT])

    def test_broken(self) -> None:
        """What is not one whole gzip member of UTF-8 text closes with 1007."""
        whole = gzip.compress(b"text")
        for payload in (
            b"",
            b"no gzip",
            b"\x1f\x8b",
            whole[:-1],
            whole[:-8],
            whole[:12],
            whole + b"\x00",
            whole + whole,
            whole[:-5] + b"\x00" + whole[-4:],
            zlib.compress(b"text"),
            deflated(b"text"),
            gzip.compress(b"\xff"),
            gzip.compress(b"cut \xc3"),
        ):
            self.assertRefused(frame(BINARY, payload), 1007)

    def test_tooBig(self) -> None:
        """What inflates to more than the limit closes with 1009."""
        payload = gzip.compress(b"x" * (LIMIT + 1))
        self.assertRefused(frame(BINARY, payload), 1009)

    def test_bomb(self) -> None:
        """A bomb closes with 1009, and is never held inflated."""
        deflater = zlib.compressobj(9, zlib.DEFLATED, 31)
        megabyte = bytes(1 << 20)
        bomb = b"".join(deflater.compress(megabyte) for _ in range(200))
        bomb += deflater.flush()
        server = self.factory(maxMessageSize=1 << 20)
        alice = self.opened(server)
        data = frame(BINARY, bomb)
        tracemalloc.start()
        try:
            alice.send(data)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertEqual(alice.protocol.closeCodes, [1009])
        self.assertLess(peak, 8 << 20)

    def test_refused(self) -> None:
        """Under --binary refuse every binary message closes with 1003."""
        for payload in (b"", b"\x00", gzip.compress(b"text")):
            self.assertRefused(frame(BINARY, payload), 1003, binary="refuse")

    def test_refuseReadsText(self) -> None:
        """Under --binary refuse text is read, and gzip readers get it as gzip."""
        server, alice, _ = self.meet(binary="refuse")
        reader = self.opened(server, "specialKey=r&support_gzip=1")
        alice.send(frame(TEXT, b"hi"))
        reader.flush()
        self.assertEqual(alice.protocol.texts, ["hi"])
        self.assertEqual(gzip.decompress(reader.protocol.frames[0].payload), b"hi")

    def test_relay(self) -> None:
        """Under --binary relay all get it verbatim, as binary, gzip readers too."""
        server, alice, bob = self.meet(binary="relay")
        reader = self.opened(server, "specialKey=r&support_gzip=1")
        for payload in (b"\x00\xff", b"", gzip.compress(b"x")):
            alice.send(frame(BINARY, payload))
        for client in (alice, bob, reader):
            client.flush()
            self.assertEqual(
                client.protocol.frames,
                [(0x82, b"\x00\xff"), (0x82, b""), (0x82, gzip.compress(b"x"))],
            )


class DeflateTests(MessageTestCase):
    """Who negotiated permessage-deflate reads, and may send, compressed frames."""

    TEXT = "a text that can be compressed, " * 20

    def test_clients(self) -> None:
        """A client with it and one without read each other."""
        from autobahn.websocket.compress import (
            PerMessageDeflateOffer,
            PerMessageDeflateResponse,
            PerMessageDeflateResponseAccept,
        )

        def accept(response: Any) -> Any:
            assert isinstance(response, PerMessageDeflateResponse)
            return PerMessageDeflateResponseAccept(response)

        server = self.factory()
        packs = self.client(
            server,
            perMessageCompressionOffers=[PerMessageDeflateOffer()],
            perMessageCompressionAccept=accept,
        )
        plain = self.client(server, "specialKey=bob")
        self.assertTrue(packs.protocol.websocket_extensions_in_use)
        for client in (packs, plain, packs):
            client.protocol.sendMessage(self.TEXT.encode())
            client.flush()
        for client in (packs, plain):
            client.flush()
            self.assertEqual(client.protocol.texts, [self.TEXT] * 3)

    def test_frames(self) -> None:
        """Each frame is compressed by itself, within the window agreed on."""
        server = self.factory(maxMessageSize=1 << 18)
        alice = self.opened(server)
        for bits in (9, 10, 11, 12, 13, 15):
            extension = f"{DEFLATE}; server_max_window_bits={bits}"
            reader = self.opened(
                server, "specialKey=r", Sec_WebSocket_Extensions=extension
            )
            # What repeats does so just outside of each window, up to the largest.
            block = random.Random(bits).randbytes(1 << (bits - 1)).hex()
            text = (self.TEXT + block) * 2
            for _ in range(2):
                alice.send(frame(TEXT, text.encode()))
            reader.flush()
            one, two = reader.protocol.frames
            self.assertEqual(one, two)
            self.assertEqual(one.first, 0xC1)
            self.assertLess(len(one.payload), len(text) * 3 / 4)
            self.assertEqual(inflated(one.payload, bits).decode(), text)

    def test_emptyText(self) -> None:
        """An empty text is an empty frame: nothing is made longer."""
        server, alice, _ = self.meet()
        reader = self.opened(server, "specialKey=r", Sec_WebSocket_Extensions=DEFLATE)
        alice.send(frame(TEXT))
        reader.flush()
        [(first, payload)] = reader.protocol.frames
        self.assertEqual((first, payload), (0x81, b""))

    def test_gzipReader(self) -> None:
        """For a gzip reader nothing is compressed a second time."""
        server, alice, _ = self.meet(binary="relay")
        reader = self.opened(
            server, "specialKey=r&support_gzip=1", Sec_WebSocket_Extensions=DEFLATE
        )
        alice.send(frame(TEXT, b"text") + frame(BINARY, b"bytes"))
        reader.flush()
        text, binary = reader.protocol.frames
        self.assertEqual(text.first, 0x82)
        self.assertEqual(gzip.decompress(text.payload), b"text")
        self.assertEqual(binary, (0x82, b"bytes"))

    def test_relayed(self) -> None:
        """Binary that is relayed is compressed for who negotiated that."""
        server, alice, _ = self.meet(binary="relay")
        reader = self.opened(server, "specialKey=r", Sec_WebSocket_Extensions=DEFLATE)
        alice.send(frame(BINARY, b"bytes" * 100))
        reader.flush()
        [(first, payload)] = reader.protocol.frames
        self.assertEqual((first, inflated(payload)), (0xC2, b"bytes" * 100))

    def test_small(self) -> None:
        """Messages below --compress-threshold are not compressed."""
        for threshold, first in ((256, 0x81), (5, 0xC1)):
            server, alice, _ = self.meet(compressThreshold=threshold)
            reader = self.opened(
                server, "specialKey=r", Sec_WebSocket_Extensions=DEFLATE
            )
            alice.send(frame(TEXT, b"a" * 100))
            reader.flush()
            self.assertEqual(reader.protocol.frames[0].first, first)

    def sender(self, **settings: Any) -> Client:
        """Connect a client that may send compressed frames."""
        server = self.factory(maxMessageSize=LIMIT, **settings)
        return self.opened(
            server, Sec_WebSocket_Extensions=f"{DEFLATE}; client_max_window_bits"
        )

    def said(self, client: Client) -> list[bytes]:
        """Answer the payloads that a client reads, decompressed."""
        return [
            inflated(f.payload) if f.first & 0x40 else f.payload
            for f in client.protocol.frames
            if f.opcode < 8
        ]

    def test_sender(self) -> None:
        """Compressed messages are read, in one frame or in fragments, and plain."""
        alice = self.sender()
        packed = deflated(b"hello", bits=12)
        alice.send(frame(TEXT, packed, rsv=4))
        alice.send(frame(TEXT, packed[:3], rsv=4, fin=False))
        alice.send(frame(CONTINUATION, packed[3:]))
        alice.send(frame(TEXT, b"hello"))
        self.assertEqual(self.said(alice), [b"hello"] * 3)

    def test_gzipInside(self) -> None:
        """A compressed frame may hold gzip."""
        alice = self.sender()
        alice.send(frame(BINARY, deflated(gzip.compress(b"twice")), rsv=4))
        self.assertEqual(self.said(alice), [b"twice"])

    def test_limits(self) -> None:
        """What counts is the size once it is decompressed."""
        for size in (LIMIT - 1, LIMIT):
            alice = self.sender()
            alice.send(frame(TEXT, deflated(b"x" * size), rsv=4))
            self.assertEqual(self.said(alice), [b"x" * size])

    def test_justTooBig(self) -> None:
        """A byte over the limit is never cut off: it closes with 1009."""
        for extra in (1, 2, 3, 10, 100, 257, 258, 259, 1000):
            for level in (1, 6, 9):
                alice = self.sender()
                packed = deflated(b"x" * (LIMIT + extra), level)
                alice.send(frame(TEXT, packed, rsv=4))
                self.assertEqual(self.said(alice), [], extra)
                self.assertEqual(alice.protocol.closeCodes, [1009], extra)

    def test_justTooBigInBits(self) -> None:
        """Not even the last byte, whose bits zlib has read but not yet made of it."""
        deflater = zlib.compressobj(6, zlib.DEFLATED, -12, 8, zlib.Z_HUFFMAN_ONLY)
        packed = deflater.compress(b"x" * (LIMIT + 1))
        packed += deflater.flush(zlib.Z_SYNC_FLUSH)
        alice = self.sender()
        alice.send(frame(TEXT, packed.removesuffix(b"\x00\x00\xff\xff"), rsv=4))
        self.assertEqual([len(text) for text in self.said(alice)], [])
        self.assertEqual(alice.protocol.closeCodes, [1009])

    def test_bomb(self) -> None:
        """A bomb closes with 1009, in one frame or in fragments, held nowhere."""
        bomb = deflated(bytes(100 << 20))
        middle = len(bomb) // 2
        for data in (
            frame(TEXT, bomb, rsv=4),
            frame(TEXT, bomb[:middle], rsv=4, fin=False)
            + frame(CONTINUATION, bomb[middle:]),
        ):
            server = self.factory(maxMessageSize=1 << 20)
            alice = self.opened(server, Sec_WebSocket_Extensions=DEFLATE)
            tracemalloc.start()
            try:
                alice.send(data)
                _, peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            self.assertEqual(alice.protocol.closeCodes, [1009])
            self.assertLess(peak, 8 << 20)

    def test_refusedAndAnswered(self) -> None:
        """Who answers the close frame after that is closed cleanly, as always."""
        for payload, code in ((deflated(bytes(1 << 20)), 1009), (b"\xff\xff", 1007)):
            for separate in (False, True):
                server = self.factory(maxMessageSize=LIMIT)
                alice = self.opened(server, Sec_WebSocket_Extensions=DEFLATE)
                data = frame(TEXT, payload, rsv=4)
                if separate:
                    alice.send(data)
                    data = b""
                alice.send(data + closeFrame(code))
                self.assertEqual(alice.protocol.closeCodes, [code])
                self.assertTrue(alice.protocol.isLost)
                self.assertEqual(self.calls(server)[-1], ("close", "alice", True, code))

    def test_doesNotCompress(self) -> None:
        """A message of the limit is taken though compression makes it longer."""
        for length, code in ((LIMIT, []), (LIMIT + 1, [1009])):
            payload = random.Random(1).randbytes(length)
            server = self.factory(maxMessageSize=LIMIT, binary="relay")
            alice = self.opened(server, Sec_WebSocket_Extensions=DEFLATE)
            alice.send(frame(BINARY, deflated(payload), rsv=4))
            self.assertEqual(alice.protocol.closeCodes, code)
            self.assertEqual(len(self.calls(server)) > 1, not code)

    def test_broken(self) -> None:
        """What does not decompress, or not to UTF-8, closes with 1007."""
        for payload in (b"\xff\xff\xff", deflated(b"\xff"), deflated(b"cut \xc3")):
            alice = self.sender()
            alice.send(frame(TEXT, payload, rsv=4))
            self.assertEqual(alice.protocol.closeCodes, [1007], payload)
            self.assertEqual(self.said(alice), [])

    def test_notNegotiated(self) -> None:
        """A compressed frame without an agreement closes with 1002."""
        self.assertRefused(frame(TEXT, deflated(b"hello"), rsv=4), 1002)

    def test_compressedControl(self) -> None:
        """Control frames cannot be compressed: 1002."""
        alice = self.sender()
        alice.send(frame(PING, b"", rsv=4))
        self.assertEqual(alice.protocol.closeCodes, [1002])


class PingTests(MessageTestCase):
    """A ping is answered with a pong."""

    def test_pong(self) -> None:
        """The pong has the ping's payload, and goes to who pinged alone."""
        _, alice, bob = self.meet()
        for payload in (b"", b"?", b"x" * 125):
            alice.send(frame(PING, payload))
        bob.flush()
        self.assertEqual(
            alice.protocol.frames,
            [(0x80 | PONG, b""), (0x80 | PONG, b"?"), (0x80 | PONG, b"x" * 125)],
        )
        self.assertEqual(bob.protocol.frames, [])

    def test_unasked(self) -> None:
        """A pong that nobody asked for is ignored."""
        _, alice, _ = self.meet()
        alice.send(frame(PONG, b"!") + frame(TEXT, b"on"))
        self.assertEqual(alice.protocol.texts, ["on"])


class ProtocolErrorTests(MessageTestCase):
    """Who breaks RFC 6455 is told so with 1002, and nobody else notices."""

    def test_broken(self) -> None:
        """Each way to break it closes with 1002."""
        for data in (
            frame(TEXT, b"hi", mask=None),
            frame(TEXT, b"hi", rsv=1),
            frame(TEXT, b"hi", rsv=2),
            frame(TEXT, b"hi", rsv=4),
            frame(3, b"hi"),
            frame(7, b"hi"),
            frame(0xB, b"hi"),
            frame(0xF, b"hi"),
            frame(CONTINUATION, b"hi"),
            frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"),
            frame(PING, b"x" * 126),
            frame(PING, b"x", fin=False),
            bytes([0x81, 0xFE, 0, 5]) + b"mask" + b"hello",
            bytes([0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0, 5]) + b"mask" + b"hello",
        ):
            self.assertRefused(data, 1002)

    def test_secondFault(self) -> None:
        """Who does it again before it has answered may answer nevertheless."""
        self.assertRefused(frame(3) + frame(4, b"x") + frame(TEXT, b"\xff"), 1002)

    def test_badCloseCodes(self) -> None:
        """A close code that must not be sent is answered with 1002."""
        for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535):
            _, alice, _ = self.meet()
            alice.send(closeFrame(code))
            self.assertEqual(alice.protocol.closeCodes, [1002], code)
            self.assertTrue(alice.protocol.isLost)

    def test_badCloseFrame(self) -> None:
        """A close frame of one byte is answered with 1002, and ends the line."""
        _, alice, _ = self.meet()
        alice.send(frame(8, b"x"))
        self.assertEqual(alice.protocol.closeCodes, [1002])
        self.assertTrue(alice.protocol.isLost)

    def test_badCloseReason(self) -> None:
        """A close reason that is not UTF-8 is answered with 1007."""
        _, alice, _ = self.meet()
        alice.send(closeFrame(1000, b"\xff"))
        self.assertEqual(alice.protocol.closeCodes, [1007])
        self.assertTrue(alice.protocol.isLost)

    def test_reasonsRepeatNothing(self) -> None:
        """What a close frame says never repeats what the peer sent."""
        for data in (frame(TEXT, b"KILROY\xff"), frame(BINARY, b"KILROY")):
            _, alice, _ = self.meet()
            alice.send(data)
            self.assertNotIn(b"KILROY", alice.protocol.received)
