"""The terminal that a server is started from, and how a start is given up."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from gows.errors import CannotStart


class Terminal:
    """
    Shows one line when the server cannot start, daemonised or not.

    twistd's daemon has lost its standard error by then, and what it passes to
    the waiting parent is cut after 100 bytes: a copy of the descriptor is kept
    until the start is over.
    """

    def __init__(self, willDaemonize: bool, pidFile: str | None = None) -> None:
        """
        Keep the terminal.

        @param pidFile: twistd's; it is removed when the start is given up
        """
        self._pidFile = pidFile
        self._copy: int | None = None
        if willDaemonize:
            try:
                self._copy = os.dup(2)
            except OSError:  # started without a standard error
                self._copy = os.open(os.devnull, os.O_WRONLY)

    def release(self) -> None:
        """Let go of the terminal: the start is over."""
        copy, self._copy = self._copy, None
        if copy is not None:
            os.close(copy)

    def giveUp(self, line: str) -> NoReturn:
        """
        Show a line, and end the process with status 1.

        @raise SystemExit: in the foreground
        @raise CannotStart: in a daemon, whose parent waits for twistd's word
        """
        if self._copy is None:
            self._removePidFile()
            raise SystemExit(f"gows: {line}")
        os.write(self._copy, f"gows: {line}\n".encode())
        self.release()
        raise CannotStart("see the line above")

    def _removePidFile(self) -> None:
        # twistd leaves it behind when a start ends with SystemExit.
        if not self._pidFile:
            return
        with suppress(OSError, ValueError):
            pidFile = Path(self._pidFile)
            if int(pidFile.read_text()) == os.getpid():
                pidFile.unlink()
