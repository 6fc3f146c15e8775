"""Tests for L{gows.terminal}: one line for who started the server."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gows.terminal import Terminal
from tests.support import Ended, run

PREAMBLE = """\
import os, sys
from gows.terminal import Terminal

def loseStandardError():
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 2)

"""


class TerminalTests(SynchronousTestCase):
    """What is seen from outside, in processes of their own."""

    def ended(self, script: str) -> Ended:
        """Run a script, and answer how it ended."""
        folder = Path(self.mktemp())
        folder.mkdir()
        [ended] = run([sys.executable, "-c", PREAMBLE + script], folder=folder)
        return ended

    def test_foreground(self) -> None:
        """The line is on standard error, and the status is 1."""
        ended = self.ended("Terminal().giveUp('no port ✓')")

        self.assertEqual(ended, Ended(1, "", "gows: no port ✓\n"))

    def test_notUnicode(self) -> None:
        """A file name that is not UTF-8 does not hide what is wrong with it."""
        ended = self.ended("Terminal().giveUp('no \\udcff')")

        self.assertEqual(ended, Ended(1, "", "gows: no ?\n"))

    def test_logged(self) -> None:
        """It is there as well where standard error goes to a log by then."""
        ended = self.ended(
            "terminal = Terminal()\n"
            "sys.stderr = sys.stdout = open(os.devnull, 'w')\n"
            "terminal.giveUp('no port')\n"
        )

        self.assertEqual(ended, Ended(1, "", "gows: no port\n"))

    def test_daemon(self) -> None:
        """
        A daemon that has lost its standard error shows the line all the same.

        What twistd tells the parent comes of an exception, which leaves no traceback.
        """
        ended = self.ended(
            "terminal = Terminal()\n"
            "if os.fork():\n"
            "    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))\n"
            "loseStandardError()\n"
            "sys.stderr = sys.stdout\n"
            "try:\n"
            "    terminal.giveUp('no port')\n"
            "except Exception as error:\n"
            "    assert len(f'1 {type(error)}: {error}') < 100, error\n"
            "    raise\n"
        )

        self.assertEqual(ended, Ended(1, "", "gows: no port\n"))

    def test_release(self) -> None:
        """After the start nothing holds the terminal any more."""
        ended = self.ended(
            "print(sorted(os.listdir('/proc/self/fd')))\n"
            "terminal = Terminal()\n"
            "terminal.release()\n"
            "terminal.release()\n"
            "print(sorted(os.listdir('/proc/self/fd')))\n"
        )

        before, after = ended.out.splitlines()
        self.assertEqual(before, after)

    def test_noStandardError(self) -> None:
        """Started without a standard error it gives up all the same."""
        ended = self.ended("os.close(2)\nTerminal().giveUp('no port')\n")

        self.assertEqual(ended, Ended(1, "", ""))


class PidFileTests(SynchronousTestCase):
    """The pid file that twistd leaves behind when a start is given up."""

    def giveUp(self, content: str | None) -> bool:
        """Give a start up, and tell whether the pid file is still there."""
        path = Path(self.mktemp())
        if content is not None:
            path.write_text(content)
        with open(os.devnull, "w") as nobody:
            terminal = Terminal(str(path), nobody.fileno())
            ended = self.assertRaises(SystemExit, terminal.giveUp, "no port")
        self.assertEqual(ended.code, 1)
        return path.exists()

    def test_own(self) -> None:
        """It is removed if it is ours."""
        self.assertFalse(self.giveUp(str(os.getpid())))

    def test_others(self) -> None:
        """Another process's stays, and so does what is no pid file at all."""
        self.assertTrue(self.giveUp(str(os.getppid())))
        self.assertTrue(self.giveUp("nonsense"))
        self.assertFalse(self.giveUp(None))
