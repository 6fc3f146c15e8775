"""Tests for L{gows.wire.turn}: when to send."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from gows.counts import Counts
from gows.wire.backlog import Backlog
from gows.wire.batch import Batch
from gows.wire.turn import Turn
from tests.memory import Turns

MAX_DELAY = 0.5


def nothing() -> None:
    """Do nothing."""


class Connection:
    """
    Somebody who has something to send.

    @ivar then: done when it is sent
    """

    def __init__(self, name: str, sent: list[str]) -> None:
        """Write its name down when it sends."""
        self.then: Callable[[], object] = nothing
        self._name = name
        self._sent = sent

    def flush(self) -> None:
        """Send."""
        self._sent.append(self._name)
        self.then()


class Slow:
    """
    A reader for whom too much waits.

    @ivar overflows: how often it was told so
    """

    waiting = 10

    def __init__(self, backlog: Backlog) -> None:
        """Wait."""
        self.overflows = 0
        backlog.hold(Batch([bytes(10)]))
        backlog.enter(self)

    def overflow(self) -> None:
        """Count it."""
        self.overflows += 1


class TurnTestCase(SynchronousTestCase):
    """
    Tests of a turn whose groups take time to be sent to.

    @ivar sent: what was sent, in order
    @ivar duration: how long sending to the groups takes, in seconds
    @ivar messages: how many messages of the groups have been gathered
    @ivar then: done when the groups are sent
    """

    maxDelay = MAX_DELAY

    def setUp(self) -> None:
        """Begin with nothing to send."""
        self.clock = Turns()
        self.clock.advance(1000)
        self.backlog = Backlog(9)
        self.turn = Turn(self.clock, self.maxDelay, self.backlog)
        self.sent: list[str] = []
        self.duration = 0.0
        self.messages = 0
        self.then: Callable[[], object] = nothing

    def connection(self, name: str = "own") -> Connection:
        """Make somebody who has something to send."""
        return Connection(name, self.sent)

    def say(self, count: int = 1) -> None:
        """Have messages be gathered for the groups."""
        for _ in range(count):
            self.messages += 1
            self.turn.paced(self.sendGroups)

    def sendGroups(self) -> int:
        """Send them."""
        messages, self.messages = self.messages, 0
        self.sent.append(f"groups {messages}")
        self.clock.rightNow += self.duration
        self.then()
        return messages

    def pass_(self, seconds: float = 0) -> list[str]:
        """Let time pass, at least to this turn's end, and answer what was sent."""
        self.clock.advance(seconds)
        sent, self.sent[:] = [*self.sent], []
        return sent

    def busy(self, duration: float) -> None:
        """Have several messages be sent, which takes so long."""
        self.duration = duration
        self.say(2)
        self.assertEqual(self.pass_(), ["groups 2"])
        self.duration = 0


class EndTests(TurnTestCase):
    """What is gathered leaves at the end of the turn."""

    def test_connections(self) -> None:
        """Each sends once, in the order in which they asked, and not again."""
        a, b = self.connection("a"), self.connection("b")
        for one in (a, b, a):
            self.turn.soon(one)
        self.assertEqual(self.sent, [])
        self.assertEqual(self.pass_(), ["a", "b"])
        self.assertEqual(self.pass_(10), [])
        self.turn.soon(a)
        self.assertEqual(self.pass_(), ["a"])

    def test_groups(self) -> None:
        """The groups are sent to once, behind the connections."""
        self.say(3)
        self.turn.soon(self.connection())
        self.assertEqual(self.sent, [])
        self.assertEqual(self.pass_(), ["own", "groups 3"])
        self.assertEqual(self.pass_(10), [])

    def test_once(self) -> None:
        """A turn ends once, whatever there is to send."""
        for _ in range(3):
            self.turn.soon(self.connection())
            self.say()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_idle(self) -> None:
        """Where there is nothing to send, nothing is scheduled."""
        self.busy(0.1)
        self.say(2)
        for _ in range(3):
            self.pass_(10)
        self.turn.flush()
        self.assertEqual((self.clock.getDelayedCalls(), self.sent), ([], []))

    def test_now(self) -> None:
        """Everything can be sent before the turn's end, and is not sent twice."""
        self.turn.soon(self.connection())
        self.say(2)
        self.turn.flush()
        self.assertEqual(self.pass_(), ["own", "groups 2"])
        self.assertEqual(self.pass_(10), [])


class PaceTests(TurnTestCase):
    """Who is busy sends more rarely."""

    def test_oneByOne(self) -> None:
        """Messages that come one by one are never delayed, however long it takes."""
        self.duration = 10
        for _ in range(5):
            self.say()
            self.assertEqual(self.pass_(), ["groups 1"])

    def test_several(self) -> None:
        """Several delay the next for as long as they took."""
        self.busy(0.3)
        self.say()
        self.assertEqual(self.pass_(), [])
        self.assertEqual(self.pass_(0.299), [])
        self.say()
        self.assertEqual(self.pass_(0.002), ["groups 2"])

    def test_oneDelayed(self) -> None:
        """One message alone is delayed behind several, but ends the delays."""
        self.busy(0.3)
        self.say()
        self.assertEqual(self.pass_(), [])
        self.assertEqual(self.pass_(0.29), [])
        self.duration = 0.3
        self.assertEqual(self.pass_(0.02), ["groups 1"])
        self.say()
        self.assertEqual(self.pass_(), ["groups 1"])

    def test_delayedAgain(self) -> None:
        """As long as several come, each time costs a delay."""
        self.busy(0.3)
        for _ in range(3):
            self.duration = 0.3
            self.say(2)
            self.assertEqual(self.pass_(), [])
            self.assertEqual(self.pass_(0.29), [])
            self.assertEqual(self.pass_(0.02), ["groups 2"])

    def test_longest(self) -> None:
        """The delay is bounded."""
        self.busy(100)
        self.say()
        self.assertEqual(self.pass_(), [])
        self.assertEqual(self.pass_(MAX_DELAY - 0.001), [])
        self.assertEqual(self.pass_(0.002), ["groups 1"])

    def test_passed(self) -> None:
        """Where the time has passed by itself, nothing is delayed."""
        self.busy(0.3)
        self.assertEqual(self.pass_(0.31), [])
        self.say()
        self.assertEqual(self.pass_(), ["groups 1"])

    def test_longPassed(self) -> None:
        """However long the sending took, only the time of the delay need pass."""
        self.busy(100)
        self.assertEqual(self.pass_(MAX_DELAY + 0.01), [])
        self.say()
        self.assertEqual(self.pass_(), ["groups 1"])

    def test_quick(self) -> None:
        """Several that took no time delay nothing."""
        self.busy(0)
        self.say(2)
        self.assertEqual(self.pass_(), ["groups 2"])

    def test_connections(self) -> None:
        """What goes to single connections is not delayed with the groups."""
        self.busy(0.3)
        self.say()
        own = self.connection()
        for _ in range(3):
            self.turn.soon(own)
            self.assertEqual(self.pass_(), ["own"])
            self.assertEqual(self.pass_(0.05), [])
            self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.assertEqual(self.pass_(0.2), ["groups 1"])

    def test_connectionsAlone(self) -> None:
        """Where only single connections have something to send, they send it."""
        self.busy(0.3)
        self.turn.soon(self.connection())
        self.assertEqual(self.pass_(), ["own"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_oneSentNow(self) -> None:
        """One message that was sent in spite of the pace ends the delays."""
        self.busy(0.3)
        self.say()
        self.turn.flush()
        self.say()
        self.assertEqual(self.pass_(), ["groups 1", "groups 1"])

    def test_now(self) -> None:
        """Too much is sent at once, in spite of the pace, and nothing twice."""
        self.busy(0.3)
        self.say(2)
        self.assertEqual(self.pass_(), [])
        self.turn.flush()
        self.assertEqual(self.pass_(), ["groups 2"])
        self.assertEqual(self.pass_(10), [])

    def test_sentNowMeanwhile(self) -> None:
        """What comes behind what was sent in spite of the pace is not held longer."""
        self.busy(0.3)
        self.say(2)
        self.assertEqual(self.pass_(0.1), [])
        self.turn.flush()
        self.say()
        self.assertEqual(self.pass_(), ["groups 2", "groups 1"])

    def test_clockSetBack(self) -> None:
        """A clock that is set back does not hold the messages for long."""
        self.busy(0.3)
        self.clock.rightNow -= 500
        self.say()
        self.assertEqual(self.pass_(), [])
        self.assertEqual(self.pass_(MAX_DELAY - 0.001), [])
        self.assertEqual(self.pass_(0.002), ["groups 1"])


class NoDelayTests(TurnTestCase):
    """Without a delay nothing ever is."""

    maxDelay = 0.0

    def test_never(self) -> None:
        """Each turn ends with everything sent, however busy."""
        for _ in range(3):
            self.busy(10)


class ReentrancyTests(TurnTestCase):
    """Who is sent to may do as they like."""

    def test_flushInConnection(self) -> None:
        """Who wants everything sent while it is being sent changes nothing."""
        a, b = self.connection("a"), self.connection("b")
        a.then = self.turn.flush
        self.turn.soon(a)
        self.turn.soon(b)
        self.say()
        self.assertEqual(self.pass_(), ["a", "b", "groups 1"])

    def test_flushInGroups(self) -> None:
        """So does who wants that while the groups are sent to."""
        self.then = self.turn.flush
        self.say()
        self.assertEqual(self.pass_(), ["groups 1"])

    def test_answers(self) -> None:
        """What is said to single ones meanwhile leaves after the groups' messages."""
        a, b = self.connection("a"), self.connection("b")

        def answer() -> None:
            a.then = nothing
            self.turn.soon(a)
            self.turn.soon(b)
            self.say()
            self.turn.flush()

        a.then = answer
        self.turn.soon(a)
        self.turn.flush()
        self.assertEqual(self.sent, ["a", "groups 1", "a", "b"])
        self.assertEqual(self.pass_(), ["a", "groups 1", "a", "b"])

    def test_othersAfterError(self) -> None:
        """An error in one connection does not keep the others waiting for long."""
        a, b = self.connection("a"), self.connection("b")
        a.then = [].pop
        self.turn.soon(a)
        self.turn.soon(b)
        self.say()
        self.assertRaises(IndexError, self.turn.flush)
        self.assertEqual(self.pass_(), ["a", "b", "groups 1"])

    def test_answersToGroups(self) -> None:
        """What is said while the groups are sent to leaves in the next turn."""

        def answer() -> None:
            self.then = nothing
            self.say()

        self.then = answer
        self.say()
        self.turn.flush()
        self.assertEqual(self.sent, ["groups 1"])
        self.assertEqual(self.pass_(), ["groups 1", "groups 1"])

    def test_raises(self) -> None:
        """An error in one place does not end all sending."""
        a = self.connection("a")
        a.then = [].pop
        self.turn.soon(a)
        self.assertRaises(IndexError, self.turn.flush)
        a.then = nothing
        self.turn.soon(a)
        self.say()
        self.assertEqual(self.pass_(), ["a", "a", "groups 1"])


class BacklogTests(TurnTestCase):
    """Whenever something was sent, the backlog is kept in its bounds."""

    def test_connections(self) -> None:
        """Behind what goes to single connections."""
        slow = Slow(self.backlog)
        self.assertEqual(slow.overflows, 0)
        self.turn.soon(self.connection())
        self.pass_()
        self.assertEqual(slow.overflows, 1)

    def test_groups(self) -> None:
        """Behind what goes to groups, and not before."""
        self.say()
        slow: list[Slow] = []
        self.then = lambda: slow.append(Slow(self.backlog))
        self.pass_()
        self.assertEqual(slow[0].overflows, 1)

    def test_delayed(self) -> None:
        """Also while the groups' messages are delayed."""
        self.busy(0.3)
        self.say()
        own = self.connection()
        slow: list[Slow] = []
        own.then = lambda: slow.append(Slow(self.backlog))
        self.turn.soon(own)
        self.assertEqual(self.pass_(), ["own"])
        self.assertEqual(slow[0].overflows, 1)


class CountsTests(TurnTestCase):
    """Sendings to the groups are counted."""

    def test_duration(self) -> None:
        """Each with how long it took; what goes to single connections is none."""
        counts = Counts()
        self.turn = Turn(self.clock, 0, self.backlog, counts)
        for duration in (0.25, 0.5):
            self.duration = duration
            self.say()
            self.pass_()
        self.turn.soon(self.connection())
        self.pass_()
        self.assertEqual((counts.sendings.count, counts.sendings.sum), (2, 0.75))
