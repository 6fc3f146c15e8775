"""Tests for L{gows.commands.figures}: short, and with their units."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.commands import figures

NUMBERS = st.none() | st.floats() | st.integers(-(2**63), 2**64).map(float)


class FiguresTests(SynchronousTestCase):
    """What a figure looks like."""

    def test_shown(self) -> None:
        """Each kind has its own units."""
        for show, number, text in (
            (figures.count, 0, "0"),
            (figures.count, 2.5, "2.5"),
            (figures.count, 99_999, "99,999"),
            (figures.count, 99_999.7, "100 k"),
            (figures.count, 1.234e6, "1.23 M"),
            (figures.size, 0, "0 B"),
            (figures.size, 1023, "1023 B"),
            (figures.size, 1024, "1 KiB"),
            (figures.size, 3 * 2**20, "3 MiB"),
            (figures.size, 2**70, "1048576 PiB"),
            (figures.seconds, 0.0005, "500 µs"),
            (figures.seconds, 0.0123, "12.3 ms"),
            (figures.seconds, 1.5, "1.5 s"),
            (figures.milliseconds, 1.5, "1.5 ms"),
            (figures.milliseconds, None, "-"),
            (figures.age, 5.9, "5s"),
            (figures.age, 65, "1m 05s"),
            (figures.age, 3600, "1h 00m"),
            (figures.age, 93784, "1d 02h"),
            (figures.age, 86400 * 1234, "1,234d"),
            (figures.age, -1, "0s"),
            (figures.share, 0.355, "36 %"),
        ):
            self.assertEqual(show(number), text)

    @given(NUMBERS)
    def test_anything(self, number: float | None) -> None:
        """Whatever a server says is shown, or is not, in one line."""
        for show in (
            figures.count,
            figures.size,
            figures.seconds,
            figures.milliseconds,
            figures.age,
            figures.share,
        ):
            self.assertTrue(show(number).isprintable())
        figures.clock(number or 0.0)

    @given(st.floats(0, 1e12))
    def test_width(self, number: float) -> None:
        """Counts and sizes have their place in a table."""
        self.assertLessEqual(len(figures.count(number)), 8)
        self.assertLessEqual(len(figures.size(number)), 8)

    def test_clock(self) -> None:
        """A time is one of the day; what is none is not shown."""
        self.assertRegex(figures.clock(1e12), r"\A\d\d:\d\d:\d\d\Z")
        self.assertEqual(figures.clock(1e300), "??:??:??")


class SparklineTests(SynchronousTestCase):
    """The last figures, small."""

    def test_line(self) -> None:
        """From zero to the largest; a gap where there is none; the newest last."""
        points = [(10.0, 0.0), (11.0, 1.0), (12.0, None), (13.0, 8.0), (14.0, 4.0)]
        self.assertEqual(figures.sparkline(points, 6, 6, 14), " ▁▂ █▅")

    def test_shares(self) -> None:
        """Several share a character, which shows the largest; old ones are left out."""
        points = [(float(at), float(at % 4 == 3)) for at in range(16)]
        self.assertEqual(figures.sparkline(points, 2, 8, 15), "██")
        self.assertEqual(figures.sparkline(points, 2, 8, 16), "█ ")

    def test_flat(self) -> None:
        """Nothing but zeros is a line at the bottom."""
        self.assertEqual(figures.sparkline([(1, 0), (2, 0)], 2, 2, 2), "▁▁")
        self.assertEqual(figures.sparkline([], 3, 2, 2), "   ")

    @given(st.lists(st.tuples(st.floats(1e9 - 300, 1e9), NUMBERS)), st.integers(1, 50))
    def test_anything(
        self, points: list[tuple[float, float | None]], width: int
    ) -> None:
        """It is always as wide as it should be."""
        self.assertEqual(len(figures.sparkline(points, width, 300, 1e9)), width)
