"""Tests for L{gows.web.doorchannel}: who may stay connected to the door, how long."""

from __future__ import annotations

from gows.web.doorchannel import IDLE, MAX_CHANNELS, WHOLE_WITHIN, Channels
from tests.doors import Asker, DoorTestCase, bearer, written
from tests.memory import answerOf

HEALTH = written("GET", "/healthz")
INFO = written("GET", "/api/info", headers=bearer())
PUBLISH = {"to": "everyone", "data": "x"}


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
        asker.send(written("GET", "/feed", headers=bearer()))
        self.clock.pump([1.0] * int(IDLE + WHOLE_WITHIN))
        asker.pump.flush()
        self.assertFalse(asker.wire.isLost)
        asker.leave()


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
