"""Runs programs in a terminal of a given size."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from typing import Any, Self

from tests.support import ROOT, TIMEOUT, environment

_MAIN = (
    "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "from gows.commands.shell import main; main()"
)
GOWS = (sys.executable, "-c", _MAIN)
"""Takes the terminal for its own, so that Ctrl-C reaches it."""

HOME = "\x1b[H"

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\a]*\a|[=>])")


class Pty:
    """
    A program in a terminal.

    @ivar process: the program's
    @ivar seen: all that it has written
    """

    def __init__(
        self,
        *arguments: str,
        columns: int = 80,
        lines: int = 24,
        variables: dict[str, str] | None = None,
        program: tuple[str, ...] = GOWS,
    ) -> None:
        """Start it; C{variables} are added to the environment."""
        self._ours, self._theirs = pty.openpty()
        self.resize(columns, lines)
        self.before = self.attributes()
        self.seen = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.process = subprocess.Popen(
            [*program, *arguments],
            cwd=ROOT,
            env=environment(
                TERM="xterm", PROMPT_TOOLKIT_NO_CPR="1", **(variables or {})
            ),
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it, if it has not ended."""
        self.process.kill()
        self.process.wait(TIMEOUT)
        os.close(self._ours)
        os.close(self._theirs)

    def attributes(self) -> list[Any]:
        """Tell how the terminal is set."""
        return termios.tcgetattr(self._theirs)

    def resize(self, columns: int, lines: int) -> None:
        """Make the terminal larger, or smaller."""
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, size)

    def press(self, keys: str) -> None:
        """Type something."""
        os.write(self._ours, keys.encode())

    def frame(self) -> list[str]:
        """Tell the lines that are to be seen, if it draws whole screens."""
        text = self.seen.rpartition(HOME)[2]
        return [line.strip("\r ") for line in _ESCAPES.sub("", text).split("\n")]

    def waitFor(self, *words: str) -> list[str]:
        """Wait until all this is on a screen that is drawn from now on."""
        begin = len(self.seen)
        deadline = time.monotonic() + TIMEOUT
        while True:
            text = "\n".join(self.frame())
            if HOME in self.seen[begin:] and all(each in text for each in words):
                return self.frame()
            if not self.read(deadline):
                raise AssertionError(f"{words!r} is not in\n{self.seen[-3000:]}")

    def waitForText(self, words: str) -> None:
        """Wait until something has been written."""
        deadline = time.monotonic() + TIMEOUT
        while words not in self.seen:
            if not self.read(deadline):
                raise AssertionError(f"{words!r} is not in\n{self.seen[-3000:]}")

    def read(self, deadline: float) -> bool:
        """Read what is written; answer whether something was."""
        left = max(0.0, deadline - time.monotonic())
        if not select.select([self._ours], [], [], left)[0]:
            return False
        raw = os.read(self._ours, 65536)
        self.seen += self._decoder.decode(raw)
        return bool(raw)

    def wait(self) -> int:
        """Wait until it ends, and answer its status."""
        deadline = time.monotonic() + TIMEOUT
        while self.process.poll() is None:
            self.read(min(deadline, time.monotonic() + 0.05))
            if time.monotonic() > deadline:
                raise AssertionError(f"it does not end:\n{self.seen[-3000:]}")
        while self.read(0):
            pass
        return self.process.returncode
