"""Tests of L{gows.wire.timers}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gows.wire.timers import Timer, Timers

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)

STEPS = st.lists(
    st.tuples(st.just("call"), st.sampled_from([0.0, 0.5, 1.0, 2.5]))
    | st.tuples(st.just("cancel"), st.integers(0, 20))
    | st.tuples(st.just("pass"), st.sampled_from([0.25, 0.5, 1.0])),
    max_size=30,
)


class TimersTests(SynchronousTestCase):
    """Calls come at their very time."""

    def setUp(self) -> None:
        """Begin at no whole second."""
        self.clock = Clock()
        self.clock.advance(0.25)
        self.timers = Timers(self.clock)
        self.calls: list[object] = []

    def note(self, *what: object) -> None:
        """Remember a call and its time."""
        self.calls.append((round(self.clock.seconds() - 0.25, 6), *what))

    def test_exact(self) -> None:
        """Neither early nor late, with what was to be passed."""
        self.timers.call_later(1, self.note, "a", "b")
        self.clock.pump([0.5, 0.25, 0.125])
        self.assertEqual(self.calls, [])
        self.clock.advance(0.125)
        self.assertEqual(self.calls, [(1.0, "a", "b")])
        self.clock.advance(10)
        self.assertEqual(len(self.calls), 1)

    def test_function(self) -> None:
        """What is called need not be a method."""
        self.timers.call_later(1, lambda: self.calls.append("function"))
        self.timers.call_later(1, self.calls.append, "built in")
        self.clock.advance(1)
        self.assertEqual(self.calls, ["function", "built in"])

    def test_cancel(self) -> None:
        """What is cancelled does not come; cancelling twice, or late, is nothing."""
        first = self.timers.call_later(1, self.note, 1)
        second = self.timers.call_later(1, self.note, 2)
        first.cancel()
        first.cancel()
        self.assertFalse(first.active())
        self.assertTrue(second.active())
        self.clock.advance(1)
        self.assertEqual(self.calls, [(1.0, 2)])
        self.assertFalse(second.active())
        second.cancel()

    def test_reactorHasLittleToDo(self) -> None:
        """The reactor has one call for all of one delay, and none for nobody."""
        made = [self.timers.call_later(30, self.note) for _ in range(100)]
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        for timer in made:
            timer.cancel()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_fromACall(self) -> None:
        """A call may make others, with its own delay too, and cancel the next."""
        later: list[Timer] = []

        def again() -> None:
            self.note("first")
            later[0].cancel()
            self.timers.call_later(1, self.note, "again")
            self.timers.call_later(0, self.note, "at once")

        self.timers.call_later(1, again)
        later.append(self.timers.call_later(1, self.note, "cancelled"))
        self.clock.advance(1)
        self.clock.advance(0)
        self.clock.advance(1)
        self.assertEqual(self.calls, [(1.0, "first"), (1.0, "at once"), (2.0, "again")])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_raises(self) -> None:
        """One that raises does not keep those behind it from their time."""

        def failing() -> None:
            raise RuntimeError("no")

        self.timers.call_later(1, failing)
        self.timers.call_later(1, self.note)
        self.assertRaises(RuntimeError, self.clock.advance, 1)
        self.clock.advance(0)
        self.assertEqual(self.calls, [(1.0,)])

    def test_forgets(self) -> None:
        """What has come or was cancelled holds on to nobody."""
        timers = [self.timers.call_later(1, self.note) for _ in range(2)]
        timers[0].cancel()
        self.clock.advance(1)
        for timer in timers:
            self.assertFalse(hasattr(timer, "next") or hasattr(timer, "previous"))

    @PROPERTY
    @given(STEPS)
    def test_asTheReactor(self, steps: list[tuple[str, float]]) -> None:
        """Calls come when the reactor's own would."""
        clock = Clock()
        calls: list[int] = []
        expected: list[int] = []
        timers = Timers(clock)
        pairs = []
        for number, (what, value) in enumerate(steps):
            if what == "call":
                ours = timers.call_later(value, lambda n=number: calls.append(n))
                theirs = clock.callLater(value, expected.append, number)
                pairs.append((ours, theirs))
            elif what == "cancel" and pairs:
                ours, theirs = pairs[int(value) % len(pairs)]
                ours.cancel()
                if theirs.active():
                    theirs.cancel()
            elif what == "pass":
                clock.advance(value)
                self.assertEqual(sorted(calls), sorted(expected))
                for ours, theirs in pairs:
                    self.assertEqual(ours.active(), bool(theirs.active()))
