"""Tests for L{gows.counts}."""

from __future__ import annotations

from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows import counts as countsModule
from gows.chat.audience import TO_EVERYONE, Audience, toKey, toRoom
from gows.counts import AUDIENCES, KINDS, Bins, Counts, Uncounted

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)

BOUNDS = st.lists(
    st.floats(0, 1000, allow_nan=False), min_size=1, max_size=10, unique=True
).map(lambda bounds: tuple(sorted(bounds)))


class BinsTests(SynchronousTestCase):
    """A histogram."""

    def test_bounds(self) -> None:
        """A bound's own bin has it; what is above all is within infinity."""
        bins = Bins((1, 10))
        for value in (0, 1, 1.5, 10, 11):
            bins.add(value)
        self.assertEqual(list(bins.upTo()), [(1, 2), (10, 4), (inf, 5)])
        self.assertEqual((bins.count, bins.sum), (5, 23.5))

    @PROPERTY
    @given(BOUNDS, st.lists(st.floats(0, 2000, allow_nan=False)))
    def test_cumulative(self, bounds: tuple[float, ...], values: list[float]) -> None:
        """Whatever is added, each bound has all values that are no larger."""
        bins = Bins(bounds)
        for value in values:
            bins.add(value)
        for bound, count in bins.upTo():
            self.assertEqual(count, sum(value <= bound for value in values))
        self.assertEqual(bins.count, len(values))

    def test_ascending(self) -> None:
        """The bounds that are used ascend."""
        for bounds in (
            countsModule.FRAMES,
            countsModule.SIZES,
            countsModule.SENDING,
            countsModule.OPENING,
        ):
            self.assertEqual(sorted(set(bounds)), list(bounds))


class CountsTests(SynchronousTestCase):
    """Each thing that happens is counted where it belongs."""

    def setUp(self) -> None:
        """Begin with nothing."""
        self.counts = Counts()

    def test_connections(self) -> None:
        """Who is here is who came and has not left."""
        one, other = KINDS[0], KINDS[-1]
        for kind in (one, one, other):
            self.counts.came(kind)
        self.counts.left(one)
        self.assertEqual(self.counts.opened[one], 2)
        self.assertEqual((self.counts.here[one], self.counts.here[other]), (1, 1))
        for code in ("1000", "other", "1000"):
            self.counts.gone(code)
        self.assertEqual(self.counts.closed, {"1000": 2, "other": 1})

    def test_openings(self) -> None:
        """Openings succeed, are refused, or come to nothing."""
        self.counts.answered(0.25)
        for status in (404, 401, 404):
            self.counts.refusal(status)
        self.counts.neverOpened()
        self.assertEqual(self.counts.openings.sum, 0.25)
        self.assertEqual(self.counts.refused, {404: 2, 401: 1})
        self.assertEqual(self.counts.abandoned, 1)

    def test_audiences(self) -> None:
        """A message is counted by whom it is for; a person named * is no everyone."""
        for audience, name in (
            (TO_EVERYONE, "everyone"),
            (Audience("room", "*"), "everyone"),
            (toRoom("a"), "room"),
            (toKey("*"), "key"),
        ):
            before = self.counts.received[name].size, self.counts.sent[name].size
            self.counts.heard(audience, 5)
            self.counts.said(audience, 3, 21)
            after = self.counts.received[name].size, self.counts.sent[name].size
            self.assertEqual(after, (before[0] + 5, before[1] + 21))
        self.counts.said(Audience("presence", "a"), 1, 2)
        sent = [
            (flow.messages, flow.deliveries, flow.size)
            for flow in map(self.counts.sent.__getitem__, AUDIENCES)
        ]
        self.assertEqual(sent, [(2, 6, 42), (1, 3, 21), (1, 3, 21), (1, 1, 2)])

    def test_sending(self) -> None:
        """What leaves together, and how long that takes."""
        self.counts.joined(3, 60)
        self.counts.fannedOut(0.5)
        self.counts.ignored()
        self.assertEqual((self.counts.frames.sum, self.counts.sizes.sum), (3, 60))
        self.assertEqual((self.counts.sendings.sum, self.counts.tooFast), (0.5, 1))

    def test_clockSetBack(self) -> None:
        """A clock that goes back makes no duration negative."""
        self.counts.answered(-3600)
        self.counts.fannedOut(-3600)
        for bins in (self.counts.openings, self.counts.sendings):
            self.assertEqual((bins.count, bins.sum), (1, 0))


class UncountedTests(SynchronousTestCase):
    """One may also count nothing."""

    def test_nothing(self) -> None:
        """It takes the same calls, and all stays as it was."""
        counts = Uncounted()
        counts.came(KINDS[0])
        counts.left(KINDS[1])
        counts.gone("1000")
        counts.answered(1)
        counts.refusal(404)
        counts.neverOpened()
        counts.heard(TO_EVERYONE, 1)
        counts.said(TO_EVERYONE, 1, 1)
        counts.ignored()
        counts.joined(1, 1)
        counts.fannedOut(1)
        self.assertEqual({*counts.here.values(), *counts.opened.values()}, {0})
        self.assertEqual((counts.closed, counts.refused), ({}, {}))
        self.assertEqual((counts.abandoned, counts.tooFast), (0, 0))
        for flow in (*counts.received.values(), *counts.sent.values()):
            self.assertEqual((flow.messages, flow.deliveries, flow.size), (0, 0, 0))
        for bins in (counts.openings, counts.frames, counts.sizes, counts.sendings):
            self.assertEqual(bins.count, 0)

    def test_all(self) -> None:
        """There is nothing that it would count after all."""
        missing = [
            name
            for name, found in vars(Counts).items()
            if callable(found) and name != "__init__" and name not in vars(Uncounted)
        ]
        self.assertEqual(missing, [])
