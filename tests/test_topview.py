"""Tests for L{gows.commands.topview}: a picture becomes a screen."""

from __future__ import annotations

import io

from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console, RenderableType
from twisted.trial.unittest import SynchronousTestCase

from gows.commands.topfeed import Picture
from gows.commands.topstructs import (
    Connection,
    Hello,
    Room,
    Rooms,
    Sample,
    Top,
    Warned,
    Warnings,
)
from gows.commands.topview import Choice, screen, snapshot


def printed(shown: RenderableType, width: int) -> list[str]:
    """Print something, and answer its lines."""
    out = io.StringIO()
    Console(file=out, width=width, height=1000).print(shown)
    return [line.rstrip() for line in out.getvalue().split("\n")[:-1]]


def busy() -> Picture:
    """Make a picture of a server that has a lot to do."""
    picture = Picture()
    picture.take(Hello(version="0.1.0", uptime=3600))
    for at in range(400):
        picture.take(
            Sample(
                time=at * 1000,
                connections=24000 + at,
                people=23000,
                rooms=1,
                messagesIn=120,
                deliveries=2.9e6,
                fanoutP50=0.0123 if at % 2 else None,
                fanoutP99=0.045,
                lag=0.002,
                waiting=3 * 2**20,
                cpu=0.5,
                memory=100 * 2**20,
            )
        )
    picture.take(
        Top(
            tuple(Connection(session=str(at), key=f"k{at}.") for at in range(50)), 24399
        )
    )
    picture.take(Rooms(tuple(Room(f"r{at}", at, at) for at in range(50)), 60))
    picture.take(Warnings(tuple(Warned(0, "warn", f"w{at}.") for at in range(50))))
    return picture


class ScreenTests(SynchronousTestCase):
    """A screen is filled, and not more."""

    def test_small(self) -> None:
        """At 80 by 24 there is everything."""
        lines = printed(screen(busy(), Choice(), "http://door", 80, 24), 80)
        self.assertEqual(len(lines), 24)
        text = "\n".join(lines)
        for words in (
            "gows 0.1.0  up 1h 00m  23,000 people  1 room  http://door",
            "connections     24,399 ██",
            "messages/s         120 ██",
            "deliveries/s    2.9 M",
            "fan-out p50    12.3 ms",
            "fan-out p99      45 ms",
            "lag               2 ms",
            "waiting          3 MiB",
            "CPU               50 %",
            "memory         100 MiB",
            "by waiting (50 of 24,399)",
            "k0.",
            "Rooms (60)",
            "#r0",
            "w49.",
            "q quit",
        ):
            self.assertIn(" ".join(words.split()), " ".join(text.split()))

    @given(st.integers(1, 220), st.integers(1, 70))
    @example(20, 24)
    @example(21, 70)
    @settings(max_examples=30, deadline=None)
    def test_sizes(self, width: int, height: int) -> None:
        """Whatever the size is, the lines fit, and the last is where it belongs."""
        for picture in (Picture(), busy()):
            lines = printed(screen(picture, Choice(), "door", width, height), width)
            self.assertLessEqual(max(map(len, lines)), width)
            if height >= 6 and width >= 20:
                self.assertEqual(len(lines), height, (width, height))

    def test_selected(self) -> None:
        """The one that is selected is in sight."""
        lines = printed(screen(busy(), Choice(session="49"), "door", 80, 24), 80)
        self.assertIn("k49.", "\n".join(lines))
        self.assertNotIn("k0.", "\n".join(lines))

    def test_bottom(self) -> None:
        """The last line is a question, or what happened, or the keys."""
        asked = Connection(key="[red]al\x1b", address="203.0.113.7")
        for choice, words in (
            (Choice(asked=asked), r"Disconnect [red]al\x1b from 203.0.113.7? (y/n)"),
            (Choice(note="done\n"), r"done\n"),
            (Choice(trouble="no route"), "no route"),
            (Choice(), "q quit"),
        ):
            line = printed(screen(busy(), choice, "door", 80, 24), 80)[-1]
            self.assertTrue(line.startswith(words), line)

    def test_state(self) -> None:
        """That it is lost, or draining, is seen at the top."""
        picture = busy()
        picture.take(Sample(time=500_000, draining=True))
        choice = Choice(trouble="no route")
        line = printed(screen(picture, choice, "door", 80, 24), 80)[0]
        self.assertIn("draining", line)
        self.assertIn("connection lost, retrying", line)


class SnapshotTests(SynchronousTestCase):
    """Everything, once."""

    def test_everything(self) -> None:
        """All that is known is there."""
        text = "\n".join(printed(snapshot(busy(), Choice(), "door", 120), 120))
        for words in ("24,399", "k0.", "k49.", "#r49", "w0.", "w49."):
            self.assertIn(words, text)

    def test_nothing(self) -> None:
        """Where nothing is known, nothing is claimed."""
        lines = printed(snapshot(Picture(), Choice(), "door", 80), 80)
        self.assertEqual(lines[1].split(), ["connections", "-", "lag", "-"])
