"""Tests for L{gows.web.feed}: server-sent events for the console."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Site

from gows.web.feed import MAX_MISSED, MAX_READERS, PAUSE, Feed


class Reader(NamedTuple):
    """A connection on which the feed is read."""

    channel: Any
    transport: StringTransport

    def leave(self) -> None:
        """Be gone."""
        self.channel.connectionLost(Failure(ConnectionDone()))


class FeedTests(SynchronousTestCase):
    """
    A feed, and readers in memory.

    @ivar kept: the warnings of the log
    @ivar isLetIn: whether who reads may go on
    """

    def setUp(self) -> None:
        """Begin with no readers."""
        self.kept: list[dict[str, Any]] = []
        self.isLetIn = True
        self.feed = Feed(
            lambda: {"name": "gows"}, lambda: self.kept, lambda _: self.isLetIn
        )
        self.site = Site(self.feed)

    def read(self, method: str = "GET") -> Reader:
        """Begin to read."""
        channel: Any = self.site.buildProtocol(None)
        transport = StringTransport()
        channel.makeConnection(transport)
        channel.dataReceived(f"{method} / HTTP/1.0\r\n\r\n".encode())
        return Reader(channel, transport)

    def events(self, reader: Reader) -> list[tuple[str, Any]]:
        """Answer what a reader has got since this was asked last."""
        raw = reader.transport.value().decode()
        reader.transport.clear()
        body = raw.partition("\r\n\r\n")[2] if raw.startswith("HTTP/") else raw
        events = []
        for block in body.split("\n\n")[:-1]:
            name, data = block.split("\n")
            self.assertTrue(name.startswith("event: ") and data.startswith("data: "))
            events.append((name[7:], json.loads(data[6:])))
        return events

    def test_hello(self) -> None:
        """First comes what there is."""
        self.kept.append({"text": "old"})
        reader = self.read()
        self.assertIn(b"Content-Type: text/event-stream\r\n", reader.transport.value())
        self.assertIn(b"Cache-Control: no-store\r\n", reader.transport.value())
        self.assertEqual(
            self.events(reader),
            [("hello", {"name": "gows"}), ("warnings", {"warnings": self.kept})],
        )

    def test_samples(self) -> None:
        """Then each sample, to all who read."""
        readers = [self.read() for _ in range(3)]
        for reader in readers:
            self.events(reader)
        self.feed.sampled({"n": 1})
        for reader in readers:
            self.assertEqual(self.events(reader), [("sample", {"n": 1})])

    def test_warnings(self) -> None:
        """New warnings come with the next sample, however many there are."""
        reader = self.read()
        self.events(reader)
        for _ in range(100):
            self.feed.warned()
        self.assertEqual(self.events(reader), [])
        self.feed.sampled({})
        self.assertEqual(
            [name for name, _ in self.events(reader)], ["sample", "warnings"]
        )
        self.feed.sampled({})
        self.assertEqual([name for name, _ in self.events(reader)], ["sample"])

    def test_notLetIn(self) -> None:
        """Who may read no more is told nothing more."""
        reader = self.read()
        self.events(reader)
        self.isLetIn = False
        self.feed.sampled({})
        self.assertEqual(self.events(reader), [])
        self.assertTrue(reader.transport.disconnecting)
        self.isLetIn = True
        self.feed.sampled({})
        self.assertEqual(self.events(reader), [])

    def test_leaves(self) -> None:
        """Who leaves is told nothing any more, and costs nothing."""
        reader = self.read()
        reader.leave()
        self.feed.sampled({})
        self.assertEqual(self.feed._readers, {})

    def test_slow(self) -> None:
        """Who does not read misses samples, and gets those that come later."""
        reader = self.read()
        self.events(reader)
        producer: Any = reader.transport.producer
        producer.pauseProducing()
        self.feed.sampled({"n": 1})
        self.assertEqual(self.events(reader), [])
        producer.resumeProducing()
        self.feed.sampled({"n": 2})
        self.assertEqual(self.events(reader), [("sample", {"n": 2})])

    def test_stuck(self) -> None:
        """Who has read nothing for a minute leaves its place to others."""
        reader = self.read()
        producer: Any = reader.transport.producer
        for _ in range(2):
            producer.pauseProducing()
            for _ in range(MAX_MISSED):
                self.feed.sampled({})
            self.assertEqual(len(self.feed._readers), 1)
            producer.resumeProducing()
        producer.pauseProducing()
        for _ in range(MAX_MISSED + 1):
            self.feed.sampled({})
        self.assertEqual(self.feed._readers, {})
        self.assertTrue(reader.transport.disconnecting)

    def test_tooMany(self) -> None:
        """Where all places are taken, who came first makes room, and is told so."""
        readers = [self.read() for _ in range(MAX_READERS)]
        for reader in readers:
            reader.transport.clear()
        for early in readers[:2]:
            late = self.read()
            self.assertEqual(self.events(late)[0][0], "hello")
            last = b"retry: %d\n\n" % PAUSE
            self.assertEqual(early.transport.value(), last)
            self.assertTrue(early.transport.disconnecting)
        self.assertEqual(len(self.feed._readers), MAX_READERS)
        readers[2].leave()
        self.read()
        self.feed.sampled({"n": 1})
        for reader in readers[3:]:
            self.assertEqual(self.events(reader), [("sample", {"n": 1})])

    def test_stuckFirst(self) -> None:
        """Who has missed something goes before all others."""
        readers = [self.read() for _ in range(MAX_READERS)]
        stuck: Any = readers[50].transport
        stuck.producer.pauseProducing()
        self.feed.sampled({})
        stuck.clear()
        self.read()
        self.assertTrue(stuck.disconnecting)
        self.assertEqual(
            [one for one in readers if one.transport.disconnecting], [readers[50]]
        )

    def test_method(self) -> None:
        """It is read, and nothing else."""
        self.assertIn(b" 405 ", self.read("POST").transport.value())
