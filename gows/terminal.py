"""The terminal that a server is started from, and how a start is given up."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from gows.errors import CannotStart


class Terminal:
    """
    Shows one line when the server cannot start, daemonised or not.

    By then a daemon has no standard error any more, what twistd passes to the
    waiting parent is cut after 100 bytes, and in the foreground C{sys.stderr} goes
    to the log: a copy of the descriptor is kept until the start is over.
    """

    def __init__(self, pidFile: str | None = None, descriptor: int = 2) -> None:
        """
        Keep the terminal.

        @param pidFile: twistd's; it is removed when the start is given up
        @param descriptor: where the terminal is; standard error
        """
        self._pidFile = pidFile
        self._process = os.getpid()
        self._copy: int | None = None
        with suppress(OSError):  # it may have been started without one
            self._copy = os.dup(descriptor)

    def release(self) -> None:
        """Let go of the terminal: the start is over."""
        copy, self._copy = self._copy, None
        if copy is not None:
            os.close(copy)

    def giveUp(self, line: str) -> NoReturn:
        """
        Show a line, and end the process with status 1.

        @raise SystemExit: in the foreground
        @raise CannotStart: in a daemon: its parent waits for twistd's word, which
            comes for exceptions only
        """
        if self._copy is not None:
            with suppress(OSError):  # nobody is there to see it
                os.write(self._copy, f"gows: {line}\n".encode("utf-8", "replace"))
        self.release()
        if os.getpid() == self._process:
            self._removePidFile()
            raise SystemExit(1)
        sys.excepthook = _sayNothing  # a traceback would go to the log
        raise CannotStart("see the line above")

    def _removePidFile(self) -> None:
        # twistd leaves it behind when a start ends with SystemExit.
        if not self._pidFile:
            return
        with suppress(OSError, ValueError):
            pidFile = Path(self._pidFile)
            if int(pidFile.read_text()) == os.getpid():
                pidFile.unlink()


def _sayNothing(*_: object) -> None:
    """Everything has been said."""
