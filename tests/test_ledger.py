"""Tests for L{gows.access.ledger}: what there is once."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from gows.access import ledger as ledgerModule
from gows.access.ledger import MemoryLedger
from gows.eager import started
from gows.errors import TooMany
from gows.interfaces import ILedger

PROPERTY = settings(max_examples=200, deadline=None, database=None, derandomize=True)

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["keep", "keep", "take", "wait"]),
        st.sampled_from("abcd"),
        st.integers(1, 9),
    ),
    max_size=40,
)
"""What is done, with which value, and for how many seconds."""


class Somebody:
    """
    Who may hold a key.

    @ivar replaced: how often it was told that another holds it
    @ivar address: its client's
    """

    address = "203.0.113.7"

    def __init__(self) -> None:
        """Be told nothing yet."""
        self.replaced = 0

    def beReplaced(self) -> None:
        """Remember it."""
        self.replaced += 1


class LedgerTestCase(SynchronousTestCase):
    """Asks a ledger in memory, which never has to wait."""

    def setUp(self) -> None:
        """Begin with an empty one."""
        self.clock = Clock()
        self.ledger = MemoryLedger(self.clock)

    def now(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Answer what is answered at once."""
        return started(coroutine)

    def test_interface(self) -> None:
        """It is a ledger like any other."""
        verifyObject(ILedger, self.ledger)


class HoldTests(LedgerTestCase):
    """A key has one holder."""

    def setUp(self) -> None:
        """Have somebody hold a key."""
        super().setUp()
        self.old, self.new = Somebody(), Somebody()
        self.assertTrue(self.now(self.ledger.hold("a", self.old, False)))

    def test_refused(self) -> None:
        """Who may not replace does not get a key that is held."""
        self.assertFalse(self.now(self.ledger.hold("a", self.new, False)))
        self.assertEqual(self.old.replaced, 0)
        self.assertTrue(self.now(self.ledger.isHeld("a")))
        self.assertFalse(self.now(self.ledger.isHeld("b")))

    def test_replaced(self) -> None:
        """Who may replace gets it, and the one before is told, once."""
        self.assertTrue(self.now(self.ledger.hold("a", self.new, True)))
        self.assertTrue(self.now(self.ledger.hold("a", self.new, True)))
        self.assertEqual((self.old.replaced, self.new.replaced), (1, 0))

    def test_toldAfterwards(self) -> None:
        """When the one before is told, and lets go, the new one holds it already."""
        ledger, released = self.ledger, self.now

        class Leaving(Somebody):
            def beReplaced(self) -> None:
                released(ledger.release("b", self))

        self.now(self.ledger.hold("b", Leaving(), True))
        self.now(self.ledger.hold("b", self.new, True))
        self.assertTrue(self.now(self.ledger.isHeld("b")))

    def test_release(self) -> None:
        """Who lets go lets others in; who held it before has no say."""
        self.now(self.ledger.hold("a", self.new, True))
        self.now(self.ledger.release("a", self.old))
        self.assertTrue(self.now(self.ledger.isHeld("a")))
        for _ in range(2):
            self.now(self.ledger.release("a", self.new))
        self.assertFalse(self.now(self.ledger.isHeld("a")))


class CountTests(LedgerTestCase):
    """So many are let in under a name."""

    def test_limit(self) -> None:
        """As many as the limit, each name for itself."""
        self.assertEqual(
            [self.now(self.ledger.enter("a", 2)) for _ in range(3)], [True, True, False]
        )
        self.assertTrue(self.now(self.ledger.enter("b", 2)))
        self.assertEqual(self.now(self.ledger.count("a")), 2)
        self.now(self.ledger.leave("a"))
        self.assertTrue(self.now(self.ledger.enter("a", 2)))

    def test_neverBelow(self) -> None:
        """Who leaves without having entered is not owed anything."""
        for _ in range(3):
            self.now(self.ledger.leave("a"))
        self.assertEqual(self.now(self.ledger.count("a")), 0)
        self.assertTrue(self.now(self.ledger.enter("a", 1)))
        self.assertFalse(self.now(self.ledger.enter("a", 1)))

    def test_nothingLeft(self) -> None:
        """Nothing is kept of a name under which there is nobody."""
        self.now(self.ledger.enter("a", 2))
        self.now(self.ledger.leave("a"))
        self.assertEqual(self.ledger._counts, {})


class KeepTests(LedgerTestCase):
    """A value is kept for a time, and taken once."""

    def test_once(self) -> None:
        """Looking leaves it there, taking does not."""
        self.now(self.ledger.keep("kind:a", b"1", 10))
        for _ in range(2):
            self.assertEqual(self.now(self.ledger.look("kind:a")), b"1")
        self.assertEqual(self.now(self.ledger.take("kind:a")), b"1")
        self.assertIsNone(self.now(self.ledger.take("kind:a")))
        self.assertIsNone(self.now(self.ledger.look("kind:a")))

    def test_tooOld(self) -> None:
        """When its time is over it is gone, and takes no room."""
        self.now(self.ledger.keep("kind:a", b"1", 10))
        self.now(self.ledger.keep("kind:b", b"2", 20))
        self.clock.advance(9.9)
        self.assertEqual(self.now(self.ledger.look("kind:a")), b"1")
        self.clock.advance(0.1)
        self.assertIsNone(self.now(self.ledger.take("kind:a")))
        self.assertEqual(list(self.ledger._shelves["kind"]._kept), ["kind:b"])

    def test_anew(self) -> None:
        """A value that is kept anew has its whole time."""
        self.now(self.ledger.keep("kind:a", b"1", 10))
        self.clock.advance(5)
        self.now(self.ledger.keep("kind:a", b"2", 10))
        self.clock.advance(9)
        self.assertEqual(self.now(self.ledger.look("kind:a")), b"2")
        self.clock.advance(1)
        self.assertIsNone(self.now(self.ledger.look("kind:a")))

    def test_tooMany(self) -> None:
        """There is room for so many, and no more."""
        self.patch(ledgerModule, "MAX_KEPT", 2)
        self.now(self.ledger.keep("kind:a", b"", 10))
        self.now(self.ledger.keep("kind:b", b"", 20))
        self.assertRaises(TooMany, self.now, self.ledger.keep("kind:c", b"", 10))
        self.clock.advance(10)
        self.now(self.ledger.keep("kind:c", b"", 10))

    def test_tooLarge(self) -> None:
        """So have all of them together; what is there is not lost for that."""
        self.patch(ledgerModule, "MAX_SIZE", 10)
        started(self.ledger.keep("kind:a", b"12345", 1))
        self.assertRaises(TooMany, started, self.ledger.keep("kind:b", b"123456", 1))
        self.assertRaises(TooMany, started, self.ledger.keep("kind:a", b"x" * 11, 1))
        self.assertEqual(started(self.ledger.look("kind:a")), b"12345")
        started(self.ledger.keep("kind:a", b"x" * 10, 1))
        started(self.ledger.take("kind:a"))
        started(self.ledger.keep("kind:b", b"x" * 10, 1))

    def test_oneCall(self) -> None:
        """For all of a kind one call is to come, and none where nothing is kept."""
        for n in range(1000):
            started(self.ledger.keep(f"kind:{n}", b"x", 300 - n % 3))
        started(self.ledger.keep("ticket:a", b"x", 30))
        self.assertEqual(len(self.clock.getDelayedCalls()), 2)
        started(self.ledger.take("ticket:a"))
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        for n in range(1000):
            started(self.ledger.take(f"kind:{n}"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_order(self) -> None:
        """Each has its own time, in whatever order they are kept."""
        for seconds in (30, 10, 20, 10):
            started(self.ledger.keep(f"kind:{seconds}", b"x", seconds))
        for seconds in (10, 20, 30):
            self.clock.advance(9)
            self.assertEqual(started(self.ledger.look(f"kind:{seconds}")), b"x")
            self.clock.advance(1)
            self.assertIsNone(started(self.ledger.look(f"kind:{seconds}")))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_shorter(self) -> None:
        """One that is kept anew for less time is not kept for longer."""
        started(self.ledger.keep("kind:a", b"1", 300))
        started(self.ledger.keep("kind:a", b"2", 10))
        self.clock.advance(10)
        self.assertIsNone(started(self.ledger.look("kind:a")))

    def test_takenAndKept(self) -> None:
        """One that was taken, and is kept again, has its whole time."""
        started(self.ledger.keep("kind:other", b"x", 300))
        started(self.ledger.keep("kind:a", b"1", 10))
        self.clock.advance(5)
        started(self.ledger.take("kind:a"))
        started(self.ledger.keep("kind:a", b"2", 10))
        self.clock.advance(9)
        self.assertEqual(started(self.ledger.look("kind:a")), b"2")
        self.clock.advance(1)
        self.assertIsNone(started(self.ledger.look("kind:a")))

    def test_tidy(self) -> None:
        """Whatever comes and goes, no more is remembered than twice what there is."""
        started(self.ledger.keep("kind:b", b"", 1000))
        for n in range(1000):
            started(self.ledger.keep("kind:a", b"", 10))
            started(self.ledger.keep(f"kind:{n}", b"", 300))
            started(self.ledger.take(f"kind:{n}"))
        ends = self.ledger._shelves["kind"]._ends
        self.assertLessEqual(len(ends), 2 * 3 + ledgerModule._FEW)
        self.clock.advance(10)
        self.assertEqual(ends, [(1000, "kind:b")])

    def test_tidiedUp(self) -> None:
        """When what is gone is tidied up, what is there ends when it should."""
        self.patch(ledgerModule, "_FEW", 0)
        started(self.ledger.keep("kind:a", b"", 9))
        for seconds in (1, 2, 3, 4):
            started(self.ledger.keep("kind:b", b"", seconds))
        self.assertEqual(len(self.ledger._shelves["kind"]._ends), 2)
        self.clock.advance(4)
        self.assertEqual(list(self.ledger._shelves["kind"]._kept), ["kind:a"])

    @PROPERTY
    @given(STEPS)
    def test_model(self, steps: list[tuple[str, str, int]]) -> None:
        """Whatever is kept and taken when, what is there is what should be."""
        clock = Clock()
        ledger = MemoryLedger(clock)
        ends: dict[str, float] = {}
        for act, name, seconds in steps:
            if act == "keep":
                started(ledger.keep(f"kind:{name}", name.encode(), seconds))
                ends[name] = clock.seconds() + seconds
            elif act == "take":
                taken = started(ledger.take(f"kind:{name}"))
                self.assertEqual(taken is not None, name in ends)
                ends.pop(name, None)
            else:
                clock.advance(seconds)
                ends = {n: end for n, end in ends.items() if end > clock.seconds()}
            kept = {n for n in "abcd" if started(ledger.look(f"kind:{n}"))}
            self.assertEqual(kept, set(ends))
            self.assertEqual(len(clock.getDelayedCalls()), bool(ends))

    def test_anewWhenFull(self) -> None:
        """What is kept already may be kept anew, though there is no room for more."""
        self.patch(ledgerModule, "MAX_KEPT", 1)
        self.now(self.ledger.keep("kind:a", b"1", 10))
        self.now(self.ledger.keep("kind:a", b"2", 10))
        self.assertEqual(self.now(self.ledger.look("kind:a")), b"2")

    def test_new(self) -> None:
        """The first that is kept stays, as long as it is kept; others are told it."""
        self.assertIsNone(self.now(self.ledger.keepNew("kind:a", b"1", 10)))
        self.assertEqual(self.now(self.ledger.keepNew("kind:a", b"2", 10)), b"1")
        self.clock.advance(10)
        self.assertIsNone(self.now(self.ledger.keepNew("kind:a", b"3", 10)))
        self.assertEqual(self.now(self.ledger.look("kind:a")), b"3")

    def test_newWhenFull(self) -> None:
        """Without room a new one is refused, but an old one still told."""
        self.patch(ledgerModule, "MAX_KEPT", 1)
        self.now(self.ledger.keepNew("kind:a", b"1", 10))
        self.assertRaises(TooMany, self.now, self.ledger.keepNew("kind:b", b"", 10))
        self.assertEqual(self.now(self.ledger.keepNew("kind:a", b"2", 10)), b"1")

    def test_kinds(self) -> None:
        """However many there are of one kind, there is room for others."""
        self.patch(ledgerModule, "MAX_KEPT", 1)
        self.patch(ledgerModule, "MAX_SIZE", 3)
        self.now(self.ledger.keep("ticket:a", b"123", 10))
        self.now(self.ledger.keep("idempotency:a", b"456", 10))
        self.assertRaises(TooMany, self.now, self.ledger.keep("ticket:b", b"", 10))
        self.assertEqual(self.now(self.ledger.take("ticket:a")), b"123")
        self.assertEqual(self.now(self.ledger.look("idempotency:a")), b"456")
