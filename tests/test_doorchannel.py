"""Tests for L{gows.web.doorchannel}: who may stay, how long, and whose turn it is."""

from __future__ import annotations

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.web.http import HTTPChannel
from zope.interface.verify import verifyObject

from gows.sampling import EVERY
from gows.web.doorchannel import (
    ANSWERED_WITHIN,
    IDLE,
    MAX_CHANNELS,
    WHOLE_WITHIN,
    Channels,
    DoorChannel,
)
from gows.web.feed import MAX_MISSED
from tests.doors import Asker, DoorTestCase, bearer, written
from tests.memory import Turns, answerOf

HEALTH = written("GET", "/healthz")
INFO = written("GET", "/api/info", headers=bearer())
PUBLISH = {"to": "everyone", "data": "x"}
LONG = written("GET", "/openapi.json", headers=bearer())
LAST = written("GET", "/openapi.json", headers={**bearer(), "Connection": "close"})
FEED = written("GET", "/feed", headers=bearer())


class TimeTests(DoorTestCase):
    """How long a connection may say nothing, or go on saying little."""

    def assertEndsIn(self, seconds: float, asker: Asker) -> None:
        """Check that a connection is cut then, and not a second before."""
        self.clock.advance(seconds - 1)
        asker.pump.flush()
        self.assertFalse(asker.wire.isLost)
        self.clock.advance(1)
        asker.pump.flush()
        self.assertTrue(asker.wire.isLost)

    def test_idle(self) -> None:
        """Who says nothing goes after a minute."""
        self.assertEndsIn(IDLE, self.connected())

    def test_begun(self) -> None:
        """Who stops amid a request goes sooner, and gets no answer."""
        for begun in (
            b"\r\n",
            b"POST /api/publish HTTP/1.1\r\n",
            written("POST", "/x", b"12345", {"Content-Length": "9"}),
            written("POST", "/x", b"12345", {**bearer(), "Content-Length": "9"}),
        ):
            asker = self.connected()
            asker.send(begun)
            self.assertEndsIn(WHOLE_WITHIN, asker)
            self.assertEqual(asker.wire.received, b"")

    def test_firstLine(self) -> None:
        """Nor does the first line come for ever."""
        asker = self.connected()
        for byte in HEALTH[:10]:
            asker.send(bytes([byte]))
            self.clock.advance(IDLE / 12)
        self.assertEndsIn(IDLE / 6, asker)

    def test_trickled(self) -> None:
        """A byte now and then does not make the time longer, in head or body."""
        whole = written("POST", "/api/publish", PUBLISH, bearer())
        for start in (whole.index(b"Host"), len(whole) - 18):
            asker = self.connected()
            asker.send(whole[:start])
            for byte in whole[start : start + 9]:
                self.clock.advance(2)
                asker.send(bytes([byte]))
            self.assertEndsIn(WHOLE_WITHIN - 18, asker)
            self.assertEqual(asker.wire.received, b"")

    def test_inTime(self) -> None:
        """A request that comes slowly, but in time, is answered; so is the next."""
        asker = self.connected()
        for _ in range(3):
            asker.wire.received = b""
            for part in (INFO[:40], INFO[40:50], INFO[50:-1]):
                asker.send(part)
                self.clock.advance(WHOLE_WITHIN / 3 - 0.1)
            asker.send(INFO[-1:])
            self.assertEqual(answerOf(asker.wire.received).status, 200)
            self.clock.advance(IDLE - 1)
            asker.pump.flush()
        self.assertEndsIn(1.5, asker)

    def test_pipelined(self) -> None:
        """The time of a request that came with the one before begins at once."""
        asker = self.connected()
        asker.send(HEALTH + HEALTH + HEALTH[:-1])
        self.assertEqual(asker.wire.received.count(b"200 OK"), 2)
        self.assertEndsIn(WHOLE_WITHIN, asker)

    def test_answering(self) -> None:
        """An answer that takes its time, as a feed does, is not cut."""
        asker = self.connected()
        asker.send(FEED)
        self.clock.pump([1.0] * int(IDLE + WHOLE_WITHIN))
        asker.pump.flush()
        self.assertFalse(asker.wire.isLost)
        asker.leave()


class PipelineTests(DoorTestCase):
    """Many requests at once."""

    makeClock = Turns

    def assertAnswered(self, count: int) -> None:
        """Check how many requests have been answered, read or not."""
        lines = [line for line in self.logged() if "answered" in line]
        self.assertEqual(len(lines), count)

    def sentUnread(self, data: bytes) -> Asker:
        """Send what fills the line with answers that are not read."""
        asker = self.connected()
        asker.transport.peerReads = False
        asker.send(data)
        for _ in range(20):
            self.clock.advance(0)
        return asker

    def filling(self) -> int:
        """Tell how many long answers fill a line."""
        asker = self.connected()
        asker.send(LONG)
        length = len(asker.wire.received)
        self.events.clear()
        asker.leave()
        return asker.transport.bufferSize // length + 1

    def test_turns(self) -> None:
        """Each has a turn of the reactor; meanwhile nothing more is read."""
        asker = self.connected()
        asker.wire.transport.write(HEALTH * 5)
        for count in range(1, 6):
            asker.pump.pump()
            self.assertAnswered(count)
            self.assertTrue(asker.transport.isPaused)
        asker.pump.flush()
        self.assertFalse(asker.transport.isPaused)
        self.assertEqual(asker.wire.received.count(b"200 OK"), 5)

    def test_bodies(self) -> None:
        """So it is with those that have bodies, in chunks too."""
        chunked = {**bearer(), "Transfer-Encoding": "chunked", "Content-Length": None}
        chunks = b'7\r\n{"to":"\r\n15\r\neveryone","data":"x"}\r\n0\r\n\r\n'
        asker = self.connected()
        asker.wire.transport.write(
            written("POST", "/api/publish", PUBLISH, bearer())
            + written("POST", "/api/publish", chunks, chunked)
            + written("POST", "/api/publish", PUBLISH, bearer())
        )
        for count in range(1, 4):
            asker.pump.pump()
            self.assertAnswered(count)
        asker.pump.flush()
        self.assertEqual(asker.wire.received.count(b"200 OK"), 3)

    def test_unread(self) -> None:
        """None is answered while answers wait; when they are read, it goes on."""
        filling = self.filling()
        asker = self.sentUnread(LONG * 3 * filling)
        self.assertAnswered(filling)
        self.assertTrue(asker.transport.isPaused)
        asker.transport.peerReads = True
        asker.pump.pump()
        self.assertAnswered(filling)
        asker.pump.flush()
        self.assertAnswered(3 * filling)
        self.assertEqual(asker.wire.received.count(b"200 OK"), 3 * filling)
        self.assertFalse(asker.transport.isPaused)

    def test_fullMeanwhile(self) -> None:
        """A line that is full when a turn comes, as over TLS, has it pass."""
        asker = self.connected()
        asker.transport.peerReads = False
        asker.wire.transport.write(HEALTH * 5)
        asker.pump.pump()
        line = asker.transport.producer
        assert line is not None
        line.pauseProducing()
        self.clock.advance(0)
        self.assertAnswered(1)
        line.resumeProducing()
        self.assertAnswered(1)
        self.assertTrue(asker.transport.isPaused)
        self.clock.advance(0)
        self.assertAnswered(2)
        line.pauseProducing()
        line.resumeProducing()
        self.clock.advance(0)
        self.assertAnswered(3)

    def test_cut(self) -> None:
        """Who reads no answer is cut, whether more requests were to come or not."""
        for data in (LONG * 10, HEALTH, LAST):
            asker = self.sentUnread(data)
            self.clock.advance(IDLE)
            self.clock.advance(DoorChannel.abortTimeout - 1)
            self.assertFalse(asker.transport.wasAborted)
            self.clock.advance(1)
            self.assertTrue(asker.transport.wasAborted)

    def test_readLate(self) -> None:
        """Who reads them in time may be as long idle again."""
        asker = self.sentUnread(LONG * self.filling())
        self.clock.advance(IDLE - 1)
        asker.transport.peerReads = True
        asker.pump.flush()
        self.clock.advance(IDLE - 1)
        asker.pump.flush()
        self.assertFalse(asker.wire.isLost)
        self.clock.advance(1)
        asker.pump.flush()
        self.assertTrue(asker.wire.isLost)

    def test_last(self) -> None:
        """
        What comes behind the last request is neither answered nor kept.

        It is read: TLS ends with what both say.
        """
        filling = self.filling()
        asker = self.sentUnread(LONG * (filling - 1) + LAST + HEALTH)
        for _ in range(10):
            asker.send(HEALTH * 1000)
        self.assertFalse(asker.transport.isPaused)
        kept = asker.transport.protocol.clearLineBuffer()
        self.assertLessEqual(len(kept), len(HEALTH))
        self.assertAnswered(filling)

    def test_left(self) -> None:
        """Who leaves is answered nothing more."""
        asker = self.connected()
        asker.wire.transport.write(HEALTH * 3)
        asker.pump.pump()
        asker.transport.protocol.connectionLost()
        self.clock.advance(0)
        self.assertAnswered(1)

    def test_feed(self) -> None:
        """While the feed is sent the server reads on: so it sees who leaves."""
        asker = self.connected()
        asker.send(HEALTH + FEED)
        self.assertIn(b"text/event-stream", asker.wire.received)
        line = asker.transport.producer
        assert line is not None
        for change in (line.pauseProducing, line.resumeProducing):
            change()
            self.clock.pump([IDLE] * 2)
            asker.pump.flush()
            self.assertFalse(asker.transport.isPaused)
            self.assertFalse(asker.wire.isLost)
        asker.leave()
        self.assertTrue(asker.transport.disconnected)

    def test_stuckFeed(self) -> None:
        """Who does not read the feed loses its place there, and then is cut as well."""
        asker = self.connected()
        asker.transport.peerReads = False
        asker.send(FEED)
        line = asker.transport.producer
        assert line is not None
        line.pauseProducing()
        self.shows.sampler.startService()
        self.clock.pump([EVERY] * (MAX_MISSED + 1))
        self.assertAnswered(1)
        self.clock.pump([IDLE, DoorChannel.abortTimeout])
        self.assertTrue(asker.transport.wasAborted)


class HalfClosedTests(DoorTestCase):
    """Clients that end their side of a connection, and read on."""

    makeClock = Turns

    TICKET = written("POST", "/api/tickets", {"key": "a"}, bearer())

    def halfClosed(self, data: bytes, peerReads: bool = True) -> Asker:
        """Send something, and end with it."""
        asker = self.connected()
        asker.transport.peerReads = peerReads
        asker.wire.transport.write(data)
        asker.pump.pump()
        asker.transport.protocol.readConnectionLost()
        return asker

    def assertAll(self, count: int, asker: Asker) -> None:
        """Check that so much was answered, and that this was all."""
        asker.pump.flush()
        self.assertEqual(asker.wire.received.count(b"HTTP/1.1 200 OK"), count)
        self.assertTrue(asker.wire.isLost)
        self.assertEqual(len(self.door.channels), 0)

    def test_answered(self) -> None:
        """All that was asked is answered, in turns; what is not whole is not."""
        self.assertAll(0, self.halfClosed(b""))
        self.assertAll(0, self.halfClosed(INFO[:-1]))
        self.assertAll(1, self.halfClosed(INFO))
        self.assertAll(5, self.halfClosed(INFO * 5))
        self.assertAll(2, self.halfClosed(INFO * 2 + INFO[:-1]))
        self.assertAll(2, self.halfClosed(INFO + LAST + INFO))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_later(self) -> None:
        """An answer that takes its time is waited for, and so is what is behind it."""
        waited = self.waiting()
        asker = self.halfClosed(self.TICKET + INFO + self.TICKET)
        asker.pump.flush()
        self.assertEqual((asker.wire.received, asker.wire.isLost), (b"", False))
        for _ in range(2):
            self.clock.advance(ANSWERED_WITHIN / 2 - 1)
            waited.pop().callback("t")
            asker.pump.flush()
        self.assertAll(3, asker)

    def test_tooLate(self) -> None:
        """There is one end to the time of all; that reading goes on changes nothing."""
        waited = self.waiting()
        asker = self.halfClosed(self.TICKET * 2)
        self.clock.advance(ANSWERED_WITHIN - 2)
        waited[0].callback("t")
        asker.pump.flush()
        asker.transport.protocol.readConnectionLost()
        self.clock.advance(1)
        asker.pump.flush()
        self.assertFalse(asker.wire.isLost)
        self.clock.advance(1)
        self.assertAll(1, asker)
        self.assertTrue(waited[1].called)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_unread(self) -> None:
        """Who does not read its answers in time is cut, whatever was asked."""
        for data in (INFO, LONG * 10, FEED):
            asker = self.halfClosed(data, peerReads=False)
            self.clock.pump([0.0] * 20)
            self.clock.advance(ANSWERED_WITHIN)
            self.clock.advance(DoorChannel.abortTimeout - 1)
            self.assertFalse(asker.transport.wasAborted)
            self.clock.advance(1)
            self.assertTrue(asker.transport.wasAborted)

    def test_readLate(self) -> None:
        """Who reads them in time gets them all."""
        asker = self.halfClosed(LONG * 10, peerReads=False)
        self.clock.pump([1.0] * int(ANSWERED_WITHIN - 1))
        asker.transport.peerReads = True
        self.assertAll(10, asker)

    def test_feed(self) -> None:
        """The feed ends, as it has no end by itself; nothing more is written to it."""
        self.shows.sampler.startService()
        for before in (b"", HEALTH, HEALTH * 2):
            asker = self.halfClosed(before + FEED, peerReads=False)
            self.clock.pump([0.0] * 5)
            writes: list[bytes] = []
            self.patch(asker.transport, "write", writes.append)
            self.clock.pump([EVERY] * 3)
            self.assertEqual(writes, [])
            asker.transport.peerReads = True
            self.assertAll(before.count(b"GET") + 1, asker)
            self.assertIn(b"event: hello", asker.wire.received)

    def test_ending(self) -> None:
        """Where the end has been decided on that changes nothing."""
        asker = self.connected()
        asker.transport.peerReads = False
        asker.send(LAST)
        asker.transport.protocol.readConnectionLost()
        self.clock.advance(IDLE)
        self.clock.advance(DoorChannel.abortTimeout)
        self.assertTrue(asker.transport.wasAborted)

    def test_halfClosable(self) -> None:
        """A connection is what Twisted asks of one that may end by halves."""
        self.assertTrue(verifyObject(IHalfCloseableProtocol, DoorChannel()))
        DoorChannel().writeConnectionLost()


class BadRequestTests(DoorTestCase):
    """What is not HTTP."""

    def test_answered(self) -> None:
        """It is answered as all errors are, and nothing behind it is looked at."""
        chunked = {**bearer(), "Transfer-Encoding": "chunked", "Content-Length": None}
        post = "POST", "/api/publish"
        for number, data in enumerate(
            (
                b"nonsense\r\n",
                b"GET /secret\r\n\r\n",
                b"GET / HTTP/1.1\r\nsecret\r\n\r\n",
                b"GET / HTTP/1.1\r\nse cret: x\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: se\0cret\r\n\r\n",
                b"GET /" + b"secret" * 10_000 + b" HTTP/1.1\r\n\r\n",
                b"GET /" + b"secret" * 10_000,
                written("GET", "/", headers={"X": "secret" * 10_000}),
                written("GET", "/", headers={"X": ["secret" * 1000] * 5}),
                written("GET", "/", headers={"X": ["secret"] * 501}),
                written(*post, PUBLISH, {**bearer(), "Content-Length": "secret"}),
                written(*post, PUBLISH, {**bearer(), "Content-Length": "-1"}),
                written(*post, PUBLISH, {**bearer(), "Content-Length": ["28", "29"]}),
                written(*post, PUBLISH, {**bearer(), "Transfer-Encoding": "chunked"}),
                written(*post, PUBLISH, {**chunked, "Transfer-Encoding": "secret"}),
                written(*post, b"secret\r\n", chunked),
                written(*post, b"2\r\nsecret\r\n", chunked),
            )
        ):
            asker = self.connected()
            asker.wire.transport.write(data)
            asker.wire.transport.write(INFO)
            asker.pump.flush()
            answer = answerOf(asker.wire.received)
            self.assertProblem(answer, 400, "bad_request")
            self.assertNotIn(b"secret", answer.body, number)
            self.assertEqual(answer.headers["connection"], "close")
            self.assertTrue(asker.wire.isLost)
        self.assertEqual([line for line in self.logged() if "answered" in line], [])

    def test_behind(self) -> None:
        """What was asked before it is answered first."""
        asker = self.connected()
        asker.send(HEALTH + b"nonsense\r\n" + HEALTH)
        first, _, second = asker.wire.received.partition(b"ok\n")
        self.assertTrue(first.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertProblem(answerOf(second), 400, "bad_request")

    def test_upstream(self) -> None:
        """twisted.web answers under a name of its own, which is not for others."""
        self.assertTrue(callable(HTTPChannel._respondToBadRequestAndDisconnect))


class CountTests(DoorTestCase):
    """How many there may be, and who goes first."""

    def test_strangers(self) -> None:
        """However many come without a key, the next can; the oldest has to go."""
        strangers = [self.connected() for _ in range(MAX_CHANNELS)]
        strangers[0].send(HEALTH)
        self.assertEqual(answerOf(strangers[0].wire.received).status, 200)
        operator = self.connected()
        operator.send(INFO)
        self.assertEqual(answerOf(operator.wire.received).status, 200)
        self.assertEqual(len(self.door.channels), MAX_CHANNELS)
        strangers[0].pump.flush()
        self.assertTrue(strangers[0].wire.isLost)
        for _ in range(MAX_CHANNELS):
            self.connected()
        strangers[-1].pump.flush()
        self.assertTrue(strangers[-1].wire.isLost)
        operator.wire.received = b""
        operator.send(INFO)
        self.assertEqual(answerOf(operator.wire.received).status, 200)

    def test_wrongKey(self) -> None:
        """A key that is not known does not help."""
        asker = self.connected()
        asker.send(written("GET", "/api/info", headers=bearer("k3y-of-nobody-at-all")))
        self.assertEqual(answerOf(asker.wire.received).status, 401)
        for _ in range(MAX_CHANNELS):
            self.connected()
        asker.pump.flush()
        self.assertTrue(asker.wire.isLost)

    def test_known(self) -> None:
        """Where all have a key, the next is not taken until one has gone."""
        operators = [self.connected() for _ in range(MAX_CHANNELS)]
        for operator in operators:
            operator.send(INFO)
        late = self.connected()
        late.pump.flush()
        self.assertTrue(late.wire.isLost)
        self.assertEqual(len(self.door.channels), MAX_CHANNELS)
        operators[0].leave()
        other = self.connected()
        other.send(INFO)
        self.assertEqual(answerOf(other.wire.received).status, 200)

    def test_gone(self) -> None:
        """Nothing is kept of those who have gone, whoever they were."""
        for request in (b"", HEALTH, INFO, b"nonsense\r\n"):
            asker = self.connected()
            asker.send(request)
            asker.leave()
        self.assertEqual(len(self.door.channels), 0)

    def test_letIn(self) -> None:
        """Who has been cut is not let in any more."""
        channels = Channels()
        channels.letIn(self.door.buildProtocol(None))
        self.assertEqual(len(channels), 0)
