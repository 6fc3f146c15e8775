"""Tests for L{gows.wire.backlog}: what waits in a process for slow readers."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.wire.backlog import Backlog
from gows.wire.batch import Batch

PROPERTY = settings(max_examples=80, deadline=None, database=None, derandomize=True)


class Reader:
    """
    Somebody for whom batches wait.

    @ivar overflows: how often it was called too slow
    """

    def __init__(self, backlog: Backlog, *batches: Batch, frees: bool = True) -> None:
        """
        Have batches wait.

        @param frees: whether it lets go of them when it is called too slow
        """
        self.overflows = 0
        self._backlog = backlog
        self._batches = list(batches)
        self._frees = frees
        for batch in batches:
            backlog.hold(batch)
        backlog.enter(self)

    @property
    def waiting(self) -> int:
        """How many bytes wait."""
        return sum(len(batch.data) for batch in self._batches)

    def overflow(self) -> None:
        """Let go of everything."""
        self.overflows += 1
        if self._frees:
            while self._batches:
                self._backlog.release(self._batches.pop())
            self._backlog.leave(self)


def sized(size: int) -> Batch:
    """Make a batch of so many bytes."""
    return Batch([bytes(size)])


def overflows(*readers: Reader) -> list[int]:
    """Answer how often each was called too slow."""
    return [reader.overflows for reader in readers]


class SizeTests(SynchronousTestCase):
    """Bytes count as often as they are there: once."""

    def test_shared(self) -> None:
        """What waits for several counts once, until it waits for none of them."""
        backlog, batch = Backlog(0), sized(10)
        backlog.hold(batch)
        backlog.hold(batch)
        self.assertEqual(backlog.size, 10)
        backlog.release(batch)
        self.assertEqual(backlog.size, 10)
        backlog.release(batch)
        self.assertEqual(backlog.size, 0)

    def test_distinct(self) -> None:
        """Equal bytes in two places count twice."""
        backlog = Backlog(0)
        for _ in range(2):
            backlog.hold(sized(10))
        self.assertEqual(backlog.size, 20)

    @PROPERTY
    @given(
        st.lists(st.integers(1, 50), min_size=1, max_size=5),
        st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=40),
    )
    def test_anyOrder(self, sizes: list[int], steps: list[tuple[bool, int]]) -> None:
        """Whoever holds and lets go of what, what is held by anybody counts once."""
        backlog, batches = Backlog(0), [sized(size) for size in sizes]
        held = [0] * len(batches)
        for isHold, number in steps:
            index = number % len(batches)
            if isHold:
                backlog.hold(batches[index])
                held[index] += 1
            elif held[index]:
                backlog.release(batches[index])
                held[index] -= 1
            expected = sum(
                size for size, count in zip(sizes, held, strict=True) if count
            )
            self.assertEqual(backlog.size, expected)


class RelieveTests(SynchronousTestCase):
    """Those go for whom the most waits."""

    def test_kept(self) -> None:
        """Nobody goes as long as the limit is kept, to the byte."""
        backlog = Backlog(30)
        readers = [Reader(backlog, sized(size)) for size in (10, 20)]
        backlog.relieve()
        self.assertEqual(overflows(*readers), [0, 0])

    def test_nothingWaits(self) -> None:
        """Who has nothing waiting need not go, even if the others were not enough."""
        backlog = Backlog(5)
        stubborn = Reader(backlog, sized(10), frees=False)
        nothing = Reader(backlog)
        backlog.relieve()
        self.assertEqual(overflows(stubborn, nothing), [1, 0])

    def test_tooSlow(self) -> None:
        """Of those that are too slow some go at a time, once each, the first first."""
        backlog = Backlog(1000)
        readers = [Reader(backlog, sized(1)) for _ in range(20)]
        for reader in readers * 2:
            backlog.tooSlow(reader)
        while backlog.relieve():
            gone = overflows(*readers)
            self.assertEqual(gone, sorted(gone, reverse=True))
            self.assertIn(sum(gone), range(1, 20))
        self.assertEqual(overflows(*readers), [1] * 20)

    def test_exceeded(self) -> None:
        """One byte too much, and somebody goes."""
        backlog = Backlog(29)
        readers = [Reader(backlog, sized(size)) for size in (10, 20)]
        backlog.relieve()
        self.assertEqual(overflows(*readers), [0, 1])

    def test_largestFirst(self) -> None:
        """The largest go first, and no more of them than need be."""
        backlog = Backlog(60)
        readers = [Reader(backlog, sized(size)) for size in (30, 50, 20, 40)]
        backlog.relieve()
        self.assertEqual(overflows(*readers), [0, 1, 0, 1])
        self.assertEqual(backlog.size, 50)
        backlog.relieve()
        self.assertEqual(overflows(*readers), [0, 1, 0, 1])

    def test_futile(self) -> None:
        """If nobody's going frees anything, each is asked once, and it ends."""
        backlog = Backlog(0)
        readers = [Reader(backlog, sized(size), frees=False) for size in (1, 2, 3)]
        backlog.relieve()
        self.assertEqual(overflows(*readers), [1, 1, 1])
        self.assertEqual(backlog.size, 6)

    def test_shared(self) -> None:
        """Where one's going frees nothing that others hold, they go as well."""
        backlog, batch = Backlog(5), sized(10)
        readers = [Reader(backlog, batch, sized(1)), Reader(backlog, batch)]
        small = Reader(backlog, sized(2))
        backlog.relieve()
        self.assertEqual(overflows(*readers, small), [1, 1, 0])
        self.assertEqual(backlog.size, 2)

    def test_left(self) -> None:
        """Who has caught up, or gone, is not asked; to leave again does no harm."""
        backlog = Backlog(0)
        gone, there = (Reader(backlog, sized(10), frees=False) for _ in range(2))
        backlog.leave(gone)
        backlog.leave(gone)
        backlog.relieve()
        self.assertEqual(overflows(gone, there), [0, 1])

    def test_enteredTwice(self) -> None:
        """Who says twice that bytes wait is asked once."""
        backlog = Backlog(0)
        reader = Reader(backlog, sized(10), frees=False)
        backlog.enter(reader)
        backlog.relieve()
        self.assertEqual(overflows(reader), [1])

    @PROPERTY
    @given(st.lists(st.integers(1, 50), max_size=8), st.integers(0, 200))
    def test_least(self, sizes: list[int], limit: int) -> None:
        """It is kept by as few as can keep it."""
        backlog = Backlog(limit)
        readers = [Reader(backlog, sized(size)) for size in sizes]
        backlog.relieve()
        self.assertLessEqual(backlog.size, limit)
        gone = [size for size, r in zip(sizes, readers, strict=True) if r.overflows]
        stay = [size for size, r in zip(sizes, readers, strict=True) if not r.overflows]
        self.assertEqual(backlog.size, sum(stay))
        self.assertGreaterEqual(min(gone, default=99), max(stay, default=0))
        if gone:
            self.assertGreater(sum(stay) + min(gone), limit)
