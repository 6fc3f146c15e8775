"""Tests for one message to many connections."""

from __future__ import annotations

import errno
import random
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gows.chat.audience import EVERYONE, toRoom
from gows.chat.message import Message
from gows.counts import Counts
from gows.wire import outbox as outboxModule
from gows.wire.backlog import Backlog
from gows.wire.fanout import FanOut
from gows.wire.frames import Compression, WireForm
from gows.wire.outbox import MAX_GATHERED, Outbox
from gows.wire.terms import Terms
from gows.wire.turn import Turn

PROPERTY = settings(max_examples=80, deadline=None, database=None, derandomize=True)

PLAIN = WireForm()
CLOSE = b"\x88\x00"


class Socket:
    """
    A line as that of a plain socket: one that takes what it likes.

    @ivar room: how many bytes it takes from now on; L{None}: all
    @ivar error: raised by whatever is sent
    @ivar sends: what each system call got, as its parts
    """

    atOnce = 1 << 16

    def __init__(self, owner: Outbox) -> None:
        """Take everything."""
        self.owner = owner
        self.room: int | None = None
        self.error: Exception | None = None
        self.sends: list[tuple[bytes, ...]] = []
        self.taken = b""
        self.isWaitedFor = False

    @property
    def direct(self) -> Any:
        """The bare send."""
        return self.send

    def send(self, data: bytes) -> int:
        """Take some."""
        return self.sendParts([data])

    def sendParts(self, parts: Sequence[bytes]) -> int:
        """Take some of several."""
        if self.error is not None:
            raise self.error
        data = b"".join(parts)
        count = len(data) if self.room is None else min(self.room, len(data))
        if data and not count:
            raise BlockingIOError
        if self.room is not None:
            self.room -= count
        self.sends.append(tuple(map(bytes, parts)))
        self.taken += data[:count]
        return count

    def begin(self, sendBuffer: int) -> None:
        """Nothing to do."""

    def wait(self) -> None:
        """Remember that there is something to send."""
        self.isWaitedFor = True

    def stop(self) -> None:
        """Remember that there is not."""
        self.isWaitedFor = False

    end = stop

    def underway(self) -> tuple[None, int]:
        """It cannot be told."""
        return None, 0


class Reader:
    """
    A connection, as far as sending goes.

    @ivar reaction: called when the connection is told that sending failed, or that
        its peer is too slow
    """

    def __init__(self, case: FanOutTestCase, form: WireForm = PLAIN) -> None:
        """Listen to nothing yet."""
        self.failures: list[Failure] = []
        self.isSlow = False
        self.reaction: Any = tuple
        self.form = form
        self.outbox = Outbox(None, self, case.terms)
        self.socket: Any = self.outbox._line

    def readerStalled(self) -> None:
        """Say goodbye."""
        self.isSlow = True
        self.outbox.lastWords()
        self.outbox.write(CLOSE)
        self.reaction()

    def missed(self, count: int) -> bytes | None:
        """Say nothing."""
        return None

    def sendingFailed(self, failure: Failure) -> None:
        """Remember."""
        self.failures.append(failure)
        self.reaction()

    @property
    def texts(self) -> list[str]:
        """What was received, in short plain frames."""
        data, texts = self.socket.taken, []
        while data:
            texts.append(data[2 : 2 + data[1]].decode())
            data = data[2 + data[1] :]
        return texts


class FanOutTestCase(SynchronousTestCase):
    """Tests with sockets that take what the test wants them to."""

    def setUp(self) -> None:
        """Begin with nobody listening."""
        self.clock = Clock()
        self.patch(outboxModule, "lineOf", lambda _, owner: Socket(owner))
        backlog = Backlog(1 << 20)
        turn = Turn(self.clock, 0, backlog)
        self.terms = Terms(turn, backlog, 1000, "close", 0)
        self.fanOut = FanOut(turn, Compression())

    def reader(self, *rooms: str, form: WireForm = PLAIN) -> Reader:
        """Have somebody be in rooms; in everyone's if none are given."""
        reader = Reader(self, form)
        for room in rooms or (EVERYONE,):
            self.fanOut.join(toRoom(room), form, reader.outbox)
        return reader

    def leave(self, reader: Reader, room: str = EVERYONE) -> None:
        """Have somebody listen no more."""
        self.fanOut.leave(toRoom(room), reader.form, reader.outbox)

    def say(self, text: str, room: str = EVERYONE) -> None:
        """Send a message; it leaves at the turn's end."""
        self.fanOut.deliver(Message.of(text), toRoom(room))

    def endTurn(self) -> None:
        """End the turn."""
        self.clock.advance(0)


class EverybodyTests(FanOutTestCase):
    """Everybody gets each message, in one order."""

    def setUp(self) -> None:
        """Have three readers."""
        super().setUp()
        self.readers = [self.reader() for _ in range(3)]

    def assertAllHave(self, *texts: str) -> None:
        """Assert what everybody has received by the turn's end."""
        self.endTurn()
        for reader in self.readers:
            self.assertEqual(reader.texts, list(texts))

    def test_everybody(self) -> None:
        """Each message reaches everybody once."""
        self.say("1")
        self.assertAllHave("1")
        self.say("2")
        self.assertAllHave("1", "2")

    def test_joined(self) -> None:
        """What is said in one turn leaves with one system call a reader."""
        for number in range(10):
            self.say(str(number))
        self.assertEqual([reader.texts for reader in self.readers], [[]] * 3)
        self.assertAllHave(*map(str, range(10)))
        for reader in self.readers:
            self.assertEqual([len(parts) for parts in reader.socket.sends], [1])

    def test_shared(self) -> None:
        """All readers of one form are sent the very same bytes."""
        sent: list[bytes] = []

        def send(parts: Sequence[bytes]) -> int:
            sent.extend(parts)
            return len(*parts)

        for reader in self.readers:
            reader.socket.sendParts = send
        for texts in (["1" * 100], ["2", "3"]):
            for text in texts:
                self.say(text)
            self.endTurn()
            first, *others = sent
            self.assertEqual(len(others), 2)
            for other in others:
                self.assertIs(other, first)
            sent.clear()

    def test_nobody(self) -> None:
        """With nobody here a message goes nowhere, and is not kept."""
        for reader in self.readers:
            self.leave(reader)
        self.say("1")
        late = self.reader()
        self.say("2")
        self.endTurn()
        self.assertEqual(late.texts, ["2"])
        self.assertEqual(self.readers[0].texts, [])

    def test_forms(self) -> None:
        """Each reader gets its own form."""
        for form in (WireForm(gzip=True), WireForm(windowBits=12)):
            self.readers.append(self.reader(form=form))
        self.say("1" * 100)
        self.endTurn()
        firstBytes = [reader.socket.taken[0] for reader in self.readers]
        self.assertEqual(firstBytes, [0x81, 0x81, 0x81, 0x82, 0xC1])

    def test_comes(self) -> None:
        """Who comes between two messages of a turn gets the second."""
        self.say("1")
        late = self.reader()
        self.say("2")
        self.assertAllHave("1", "2")
        self.assertEqual(late.texts, ["2"])
        self.say("3")
        self.assertAllHave("1", "2", "3")
        self.assertEqual(late.texts, ["2", "3"])

    def test_goes(self) -> None:
        """Who goes between two messages of a turn gets the first."""
        first = self.readers.pop(0)
        self.say("1")
        self.leave(first)
        self.say("2")
        self.assertAllHave("1", "2")
        self.assertEqual(first.texts, ["1"])

    def test_ownWords(self) -> None:
        """What goes to one reader keeps its place among the messages to all."""
        one = self.readers[0]
        one.outbox.write(b"\x81\x01a", isMessage=True)
        self.say("1")
        one.outbox.write(b"\x81\x01b", isMessage=True)
        self.say("2")
        self.say("3")
        one.outbox.write(b"\x81\x01c", isMessage=True)
        self.endTurn()
        self.assertEqual(one.texts, ["a", "1", "b", "2", "3", "c"])
        self.assertEqual(self.readers[1].texts, ["1", "2", "3"])
        self.assertEqual(one.outbox.messages, 6)

    def test_much(self) -> None:
        """Large messages do not wait for the turn's end, nor do those before them."""
        self.say("1")
        self.say("2" * MAX_GATHERED)
        for reader in self.readers:
            self.assertEqual(len(reader.socket.taken), 3 + MAX_GATHERED + 10)

    def test_slow(self) -> None:
        """A reader with no room costs the others nothing, and gets all in order."""
        slow = self.readers[1]
        slow.socket.room = 4
        for number in range(1, 6):
            self.say(str(number))
            self.endTurn()
        self.assertEqual(self.readers[2].texts, list("12345"))
        self.assertEqual(slow.socket.taken, b"\x81\x011\x81")
        self.assertTrue(slow.socket.isWaitedFor)
        slow.socket.room = None
        slow.outbox.drain()
        self.assertFalse(slow.socket.isWaitedFor)
        self.say("6")
        self.assertAllHave("1", "2", "3", "4", "5", "6")

    def test_fails(self) -> None:
        """A socket that fails closes its own connection alone."""
        for error in (OSError(errno.EPIPE, "gone"), ConnectionResetError()):
            failing = self.reader()
            failing.socket.error = error
            self.say("1")
            self.endTurn()
            [failure] = failing.failures
            self.assertIs(failure.value, error)
            self.leave(failing)
        self.assertAllHave("1", "1")

    def test_allFail(self) -> None:
        """Even if all fail, all are told so."""
        for reader in self.readers:
            reader.socket.error = OSError()
        self.say("1")
        self.endTurn()
        self.assertEqual([len(reader.failures) for reader in self.readers], [1, 1, 1])

    def test_answerToAFailure(self) -> None:
        """What is said because one failed comes after the message, for all others."""
        failing = self.reader()
        failing.socket.error = OSError()

        def complain() -> None:
            self.leave(failing)
            self.say("2")

        failing.reaction = complain
        self.say("1")
        self.endTurn()
        self.assertAllHave("1", "2")

    def test_slowOneGoes(self) -> None:
        """Who is too slow is told so, whatever the others do about it."""
        slow, other = self.readers[0], self.readers[1]
        slow.socket.room = 0

        def react() -> None:
            self.leave(slow)
            other.outbox.write(b"\x81\x01!", isMessage=True)
            self.say("gone")

        slow.reaction = react
        self.readers.pop(0)
        for _ in range(14):
            self.say("x" * 98)
            self.endTurn()
        self.assertTrue(slow.isSlow)
        self.endTurn()
        self.assertEqual(other.texts, ["x" * 98] * 12 + ["!", "gone"] + ["x" * 98] * 2)
        slow.socket.room = None
        slow.outbox.drain()
        self.assertEqual(slow.socket.taken, CLOSE)

    @PROPERTY
    @given(st.integers(0, 1 << 32))
    def test_oneOrder(self, seed: int) -> None:
        """However sockets take bytes and whoever comes, all hear one order, whole."""
        self.setUp()
        chance, number = random.Random(seed), 0
        for _ in range(60):
            reader = chance.choice(self.readers)
            what = chance.randrange(6)
            if what < 2:
                number += 1
                self.say(str(number))
            elif what == 2:
                reader.socket.room = chance.randrange(12)
            elif what == 3:
                reader.socket.room = chance.choice([None, chance.randrange(12)])
                reader.outbox.drain()
            elif what == 4:
                self.endTurn()
            elif chance.random() < 0.3:
                self.readers.append(self.reader())
            else:
                reader.outbox.write(b"\x81\x01.", isMessage=True)
        self.endTurn()
        for reader in self.readers:
            reader.socket.room = None
            reader.outbox.drain()
            heard = [int(text) for text in reader.texts if text != "."]
            self.assertEqual(heard, list(range(number - len(heard) + 1, number + 1)))
        self.assertEqual(self.terms.backlog.size, 0)


class AudiencesTests(FanOutTestCase):
    """Who hears several audiences hears each in its order, in one vector."""

    def test_onlyThose(self) -> None:
        """A message reaches those who hear its audience, and nobody else."""
        one, two, both = self.reader("1"), self.reader("2"), self.reader("1", "2")
        self.say("a", "1")
        self.say("b", "2")
        self.endTurn()
        self.assertEqual((one.texts, two.texts), (["a"], ["b"]))
        self.assertEqual(sorted(both.texts), ["a", "b"])

    def test_vector(self) -> None:
        """What several audiences are told in a turn leaves with one system call."""
        both = self.reader("1", "2")
        everybody = [self.reader("2") for _ in range(3)]
        for text in "ac":
            self.say(text, "1")
        self.say("b", "2")
        self.endTurn()
        [parts] = both.socket.sends
        self.assertEqual(set(parts), {b"\x81\x01a\x81\x01c", b"\x81\x01b"})
        for reader in everybody:
            self.assertEqual(reader.socket.sends, [(b"\x81\x01b",)])
        self.say("d", "2")
        self.endTurn()
        self.assertEqual(both.texts[-1], "d")

    def test_leavesOne(self) -> None:
        """Who leaves one audience hears the other on."""
        both = self.reader("1", "2")
        self.say("a", "1")
        self.leave(both, "1")
        self.say("b", "1")
        self.say("c", "2")
        self.endTurn()
        self.assertEqual(both.texts, ["a", "c"])
        self.assertEqual(both.outbox.messages, 2)

    def test_slow(self) -> None:
        """A slow reader of several audiences loses nothing."""
        both = self.reader("1", "2")
        both.socket.room = 1
        for text in "abc":
            self.say(text, "1")
            self.say(text.upper(), "2")
            self.endTurn()
        both.socket.room = None
        both.outbox.drain()
        self.assertEqual([text for text in both.texts if text.islower()], list("abc"))
        self.assertEqual([text for text in both.texts if text.isupper()], list("ABC"))


class CountsTests(FanOutTestCase):
    """What is sent is counted: each message, for whom it is, and what left together."""

    def setUp(self) -> None:
        """Count."""
        super().setUp()
        self.counts = Counts()
        self.fanOut = FanOut(self.terms.turn, Compression(), self.counts)

    def sent(self, audience: str) -> tuple[int, int, int]:
        """Answer messages, deliveries and bytes."""
        flow = self.counts.sent[audience]
        return flow.messages, flow.deliveries, flow.size

    def test_forms(self) -> None:
        """Each reader counts with the frame that it gets."""
        readers = [self.reader(form=form) for form in (PLAIN, PLAIN, WireForm(True))]
        self.say("x" * 100)
        self.endTurn()
        size = sum(len(reader.socket.taken) for reader in readers)
        self.assertEqual(self.sent("everyone"), (1, 3, size))
        self.assertEqual((self.counts.frames.count, self.counts.frames.sum), (2, 2))

    def test_joined(self) -> None:
        """What leaves together is one send, with all its frames."""
        self.reader()
        for text in "abc":
            self.say(text)
        self.endTurn()
        self.assertEqual((self.counts.frames.count, self.counts.frames.sum), (1, 3))
        self.assertEqual((self.counts.sizes.count, self.counts.sizes.sum), (1, 9))

    def test_nobody(self) -> None:
        """What nobody hears is not sent."""
        self.say("a")
        self.endTurn()
        self.assertEqual(self.sent("everyone"), (0, 0, 0))

    @PROPERTY
    @given(st.lists(st.sampled_from(["come", "go", "say", "own", "end"]), max_size=30))
    def test_whoComesAndGoes(self, steps: list[str]) -> None:
        """Deliveries are what readers have received, whenever they came."""
        self.setUp()
        readers, here, own = [self.reader("a")], 0, 0
        for step in steps:
            if step == "come":
                readers.append(self.reader("a"))
            elif step == "go" and here < len(readers):
                self.leave(readers[here], "a")
                here += 1
            elif step == "say":
                self.say("x", "a")
            elif step == "own" and here < len(readers):
                readers[here].outbox.write(b"\x81\x01.", isMessage=True)
                own += 1
            else:
                self.endTurn()
        self.endTurn()
        received = sum(len(reader.texts) for reader in readers)
        self.assertEqual(self.sent("room")[1:], (received - own, 3 * (received - own)))
