"""Tests for L{gows.commands.chatlines}: lines of a pipe."""

from __future__ import annotations

import os
import sys
import threading

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.commands import chatlines
from gows.commands.chatlines import PipedLines, linesOf
from gows.errors import GowsError


class PipedTests(SynchronousTestCase):
    """Lines come as they are written."""

    def setUp(self) -> None:
        """Make a pipe."""
        self.reading, self.writing = os.pipe()
        self.addCleanup(os.close, self.reading)

    def written(self, raw: bytes) -> list[str]:
        """Write bytes, and no more, and answer the lines."""
        os.write(self.writing, raw)
        os.close(self.writing)
        return list(PipedLines(self.reading))

    def test_lines(self) -> None:
        """Each kind of line end is one; the last line needs none."""
        self.assertEqual(self.written(b"a\r\nb\n\nc\rd"), ["a", "b", "", "c", "d"])

    def test_notUtf8(self) -> None:
        """What is no text is replaced, and what is half a letter."""
        self.assertEqual(self.written(b"a\xffb\n\xc3"), ["a\ufffdb", "\ufffd"])

    def test_nothing(self) -> None:
        """Nothing is no line."""
        self.assertEqual(self.written(b""), [])

    @given(st.text(st.characters(exclude_characters="\r\n", codec="utf-8")))
    def test_anything(self, text: str) -> None:
        """A text passes unchanged."""
        reading, writing = os.pipe()
        os.write(writing, text.encode() + b"\n")
        os.close(writing)
        self.assertEqual(list(PipedLines(reading)), [text])
        os.close(reading)

    def test_atOnce(self) -> None:
        """A line is there when it is written, and an end ends the waiting."""
        lines = PipedLines(self.reading)
        found = iter(lines)
        os.write(self.writing, b"first\nsecond")
        self.assertEqual(next(found), "first")
        threading.Timer(0.05, lines.end).start()
        self.assertEqual(list(found), [])
        os.close(self.writing)

    def test_tooLong(self) -> None:
        """A line that does not end is given up."""
        self.patch(chatlines, "MAX_LINE", 10)
        self.assertRaises(GowsError, self.written, b"x" * 11)


class ChoiceTests(SynchronousTestCase):
    """Where lines come from."""

    def test_noTerminal(self) -> None:
        """Without a terminal they are read; without an input they are not."""
        with open(os.devnull) as null:
            self.patch(sys, "stdin", null)
            self.assertIsInstance(linesOf(str), PipedLines)
        self.patch(sys, "stdin", None)
        self.assertRaises(GowsError, linesOf, str)
