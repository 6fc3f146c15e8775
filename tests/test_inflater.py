"""Tests of L{gows.wire.inflater}."""

from __future__ import annotations

import zlib

from autobahn.websocket.compress import PerMessageDeflate
from twisted.trial.unittest import SynchronousTestCase

from gows.wire.inflater import FrugalDeflate
from tests.memory import CONTINUATION, DEFLATE, TEXT, MemoryTestCase, frame


def deflated(text: bytes, deflater: zlib._Compress | None = None) -> bytes:
    """Compress a message as clients do."""
    deflater = deflater or zlib.compressobj(wbits=-12)
    body = deflater.compress(text) + deflater.flush(zlib.Z_SYNC_FLUSH)
    return body.removesuffix(b"\x00\x00\xff\xff")


def inflated(extension: PerMessageDeflate, body: bytes) -> bytes:
    """Decompress a message as Autobahn does."""
    extension.start_decompress_message()
    text: bytes = extension.decompress_message_data(body)
    extension.end_decompress_message()
    return text


class FrugalTests(SynchronousTestCase):
    """Between messages there is no inflater."""

    def test_upstream(self) -> None:
        """Autobahn's own keeps one, under this name."""
        extension = PerMessageDeflate(True, True, True, 12, 12, 8)
        self.assertEqual(inflated(extension, deflated(b"abc")), b"abc")
        self.assertIsNotNone(extension._decompressor)

    def test_letsGo(self) -> None:
        """Ours lets it go, and the next message has its own."""
        extension = FrugalDeflate(True, True, True, 12, 12, 8)
        for text in (b"abc", b"", b"def" * 1000):
            self.assertEqual(inflated(extension, deflated(text)), text)
            self.assertIsNone(extension._decompressor)

    def test_takeover(self) -> None:
        """Where messages build on those before, it is kept."""
        extension = FrugalDeflate(True, True, False, 12, 12, 8)
        deflater = zlib.compressobj(wbits=-12)
        for text in (b"the same again", b"the same again"):
            self.assertEqual(inflated(extension, deflated(text, deflater)), text)


class ConnectionTests(MemoryTestCase):
    """Connections use it."""

    def test_used(self) -> None:
        """A message in parts has an inflater until it is whole."""
        client = self.opened(self.factory(), Sec_WebSocket_Extensions=DEFLATE)
        body = deflated(b"in two parts")
        client.send(frame(TEXT, body[:3], fin=False, rsv=4))
        self.assertIsNotNone(client.server._perMessageCompress._decompressor)
        client.send(frame(CONTINUATION, body[3:]))
        self.assertIsNone(client.server._perMessageCompress._decompressor)
        [call] = [c for c in self.calls(client.server.factory) if c[0] == "message"]
        self.assertEqual(call, ("message", "alice", b"in two parts"))
