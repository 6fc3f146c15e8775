"""Tests for L{gows.commands.topkeys}: the keys of a terminal."""

from __future__ import annotations

import os
import pty
import signal
import termios
from threading import Timer

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.commands.topkeys import Keys, endedBySignals, keysIn


class NamesTests(SynchronousTestCase):
    """Bytes become keys."""

    def test_names(self) -> None:
        """Arrows have names, in both of their forms; other such keys are ignored."""
        self.assertEqual(keysIn(b"q\x1b[A\x1bOBk"), ["q", "up", "down", "k"])
        self.assertEqual(keysIn(b"\x1b[C\x1b[D\x1b"), ["right", "left", "escape"])
        self.assertEqual(keysIn(b"\x1b[5~\x1b[1;5Ay\xc3\xa9"), ["y"])

    @given(st.binary())
    def test_anything(self, raw: bytes) -> None:
        """Whatever is typed, there is a name for it, or it is nothing."""
        self.assertLessEqual(len(keysIn(raw)), len(raw))


class TerminalTests(SynchronousTestCase):
    """Keys come one by one."""

    def setUp(self) -> None:
        """Make a terminal."""
        self.ours, self.theirs = pty.openpty()
        self.addCleanup(os.close, self.ours)
        self.isOpen = True
        self.addCleanup(self.closeTheirs)

    def closeTheirs(self) -> None:
        """Make it go away."""
        if self.isOpen:
            os.close(self.theirs)
        self.isOpen = False

    def test_oneByOne(self) -> None:
        """They come without Enter, and are not echoed; after it, all is as it was."""
        before = termios.tcgetattr(self.theirs)
        with Keys(self.theirs) as keys:
            os.write(self.ours, b"q\x1a")
            self.assertEqual(keys.pressed()[0], "q")
            flags = termios.tcgetattr(self.theirs)[3]
            self.assertFalse(flags & (termios.ECHO | termios.ICANON))
            self.assertTrue(flags & termios.ISIG)
        self.assertEqual(termios.tcgetattr(self.theirs), before)

    def test_halves(self) -> None:
        """A key that comes in two parts is one; Escape alone is Escape."""
        with Keys(self.theirs) as keys:
            for first, rest in ((b"q\x1b", b"[A"), (b"\x1b[", b"A"), (b"\x1bO", b"A")):
                os.write(self.ours, first)
                later = Timer(0.01, os.write, [self.ours, rest])
                later.start()
                self.assertEqual(keys.pressed()[-1], "up")
                later.join()
            os.write(self.ours, b"\x1b")
            self.assertEqual(keys.pressed(), ["escape"])

    def test_failure(self) -> None:
        """It is so after a failure, too."""
        before = termios.tcgetattr(self.theirs)

        def fail() -> None:
            with Keys(self.theirs):
                raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, fail)
        self.assertEqual(termios.tcgetattr(self.theirs), before)

    def test_gone(self) -> None:
        """A terminal that is gone is the end, and needs no restoring."""

        def read() -> None:
            with Keys(self.theirs) as keys:
                self.closeTheirs()
                keys.pressed()

        self.assertRaises(EOFError, read)


class SignalsTests(SynchronousTestCase):
    """A process that is told to end does so orderly."""

    def test_ended(self) -> None:
        """What has to be undone is undone; afterwards signals are what they were."""
        before = signal.getsignal(signal.SIGTERM)

        def work() -> None:
            with endedBySignals():
                os.kill(os.getpid(), signal.SIGTERM)

        ended = self.assertRaises(SystemExit, work)
        self.assertEqual(ended.code, 128 + signal.SIGTERM)
        self.assertEqual(signal.getsignal(signal.SIGTERM), before)
