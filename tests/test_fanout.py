"""Tests for one message to many connections."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gows.chat.message import Message
from gows.wire.fanout import FanOut
from gows.wire.frames import Frames, WireForm

PROPERTY = settings(max_examples=60, deadline=None, database=None, derandomize=True)

PLAIN = WireForm()


class Reader:
    """
    Receives, remembers, and does something.

    @ivar received: the frames
    @ivar failures: how deliveries failed
    @ivar reaction: called with each message that comes
    """

    def __init__(self, form: WireForm = PLAIN) -> None:
        """Receive in this form, and do nothing."""
        self.form = form
        self.received: list[bytes] = []
        self.failures: list[Failure] = []
        self.reaction: Callable[[bytes], object] = len
        self.complaint: Callable[[], object] = tuple

    def deliver(self, frames: Frames) -> None:
        """Remember, and react."""
        frame = frames.frame(self.form)
        self.received.append(frame)
        self.reaction(frame[2:])

    def sendingFailed(self, failure: Failure) -> None:
        """Remember, and complain."""
        self.failures.append(failure)
        self.complaint()

    @property
    def texts(self) -> list[str]:
        """What was received, in plain frames."""
        return [frame[2:].decode() for frame in self.received]


def fails(_: bytes) -> None:
    """React with an exception."""
    raise RuntimeError("it broke")


class FanOutTests(SynchronousTestCase):
    """Everybody gets each message, in one order."""

    def setUp(self) -> None:
        """Have three readers."""
        self.readers = [Reader() for _ in range(3)]
        self.fanOut = FanOut(self.readers)

    def say(self, text: str) -> None:
        """Send a message to everybody."""
        self.fanOut.deliver(Message.of(text))

    def assertAllHave(self, *texts: str) -> None:
        """Assert what everybody has received."""
        for reader in self.readers:
            self.assertEqual(reader.texts, list(texts))

    def test_everybody(self) -> None:
        """Each message reaches everybody once."""
        self.say("1")
        self.say("2")
        self.assertAllHave("1", "2")

    def test_nobody(self) -> None:
        """With nobody here a message goes nowhere, and is not kept."""
        readers: list[Reader] = []
        fanOut = FanOut(readers)
        fanOut.deliver(Message.of("1"))
        readers.append(Reader())
        fanOut.deliver(Message.of("2"))
        self.assertEqual(readers[0].texts, ["2"])

    def test_shared(self) -> None:
        """All readers of one form get the very same bytes."""
        self.say("a" * 100)
        first, *others = self.readers
        for other in others:
            self.assertIs(other.received[0], first.received[0])

    def test_forms(self) -> None:
        """Each reader gets its own form."""
        self.readers.append(Reader(WireForm(gzip=True)))
        self.readers.append(Reader(WireForm(windowBits=12)))
        self.say("1")
        firstBytes = [reader.received[0][0] for reader in self.readers]
        self.assertEqual(firstBytes, [0x81, 0x81, 0x81, 0x82, 0xC1])

    def test_answerWhileDelivering(self) -> None:
        """Who answers a message is heard after it, by everybody in one order."""
        for position in range(3):
            reader = self.readers[position]
            for other in self.readers:
                other.received.clear()
            reader.reaction = lambda text: self.say("2") if text == b"1" else None
            self.say("1")
            self.say("3")
            self.assertAllHave("1", "2", "3")
            reader.reaction = len

    def test_manyAnswers(self) -> None:
        """Answers to answers keep their order, too, and do not recurse."""

        def countDown(text: bytes) -> None:
            if text != b"0":
                self.say(str(int(text) - 1))

        self.readers[0].reaction = countDown
        self.say("3000")
        self.assertAllHave(*(str(n) for n in range(3000, -1, -1)))

    def test_oneFails(self) -> None:
        """One that fails is told so; all others get the message."""
        for position in range(3):
            reader = self.readers[position]
            reader.reaction = fails
            self.say("1")
            reader.reaction = len
            [failure] = reader.failures
            self.assertTrue(failure.check(RuntimeError))
            reader.failures.clear()
        self.assertAllHave("1", "1", "1")

    def test_othersDoNotFail(self) -> None:
        """Who did not fail is told of no failure."""
        self.readers[1].reaction = fails
        self.say("1")
        self.assertEqual([len(r.failures) for r in self.readers], [0, 1, 0])

    def test_allFail(self) -> None:
        """Even if all fail, the next message goes out."""
        for reader in self.readers:
            reader.reaction = fails
        self.say("1")
        self.say("2")
        self.assertAllHave("1", "2")
        self.assertEqual([len(r.failures) for r in self.readers], [2, 2, 2])

    def test_answerToAFailure(self) -> None:
        """What is said because one failed comes after the message."""
        self.readers[0].reaction = lambda text: fails(text) if text == b"1" else None
        self.readers[0].complaint = lambda: self.say("2")
        self.say("1")
        self.assertAllHave("1", "2")

    def test_interrupted(self) -> None:
        """After an interruption messages go out again."""

        def interrupt(_: bytes) -> None:
            raise KeyboardInterrupt

        self.readers[0].reaction = interrupt
        self.assertRaises(KeyboardInterrupt, self.say, "1")
        self.readers[0].reaction = len
        self.say("2")
        self.assertEqual(self.readers[1].texts, ["2"])

    def test_goes(self) -> None:
        """Who goes because of a message disturbs nobody's."""
        first = self.readers[0]
        first.reaction = lambda _: self.readers.remove(first)
        self.say("1")
        self.say("2")
        self.assertAllHave("1", "2")
        self.assertEqual(first.texts, ["1"])

    def test_comes(self) -> None:
        """Who comes because of a message gets the next one."""
        late = Reader()

        def welcome(text: bytes) -> None:
            if text == b"1":
                self.readers.append(late)

        self.readers[2].reaction = welcome
        self.say("1")
        self.say("2")
        self.assertEqual(late.texts, ["2"])

    @PROPERTY
    @given(
        st.lists(
            st.tuples(st.integers(0, 2), st.integers(0, 20), st.booleans()), max_size=8
        )
    )
    def test_oneOrder(self, plans: list[tuple[int, int, bool]]) -> None:
        """Whoever answers what, or fails at what, all have one order."""
        readers = [Reader() for _ in range(3)]
        fanOut = FanOut(readers)
        said: list[str] = []

        def say() -> None:
            said.append(str(len(said)))
            fanOut.deliver(Message.of(said[-1]))

        def reactionOf(position: int) -> Callable[[bytes], None]:
            def react(text: bytes) -> None:
                for reader, number, isFailing in plans:
                    if (reader, number) == (position, int(text)):
                        say()
                        if isFailing:
                            fails(text)

            return react

        for position, reader in enumerate(readers):
            reader.reaction = reactionOf(position)
        for _ in range(5):
            say()
        for reader in readers:
            self.assertEqual(reader.texts, said)
