"""
How far it is: a bar on a terminal, lines elsewhere.
"""

from __future__ import annotations

import shutil
import time
from typing import TextIO

WIDTH = 24


class Progress:
    """
    A number of steps, the one that is being done named.
    """

    def __init__(self, steps: int, out: TextIO) -> None:
        """
        @param out: mostly standard error
        """
        self._steps = steps
        self._done = 0
        self._out = out
        self._began = time.monotonic()
        self._isTerminal = out.isatty()

    def say(self, text: str) -> None:
        """
        Show what is being done now.
        """
        seconds = int(time.monotonic() - self._began)
        clock = f"{seconds // 60}:{seconds % 60:02}"
        if not self._isTerminal:
            self._out.write(f"{clock} {self._done}/{self._steps} {text}\n")
        else:
            filled = WIDTH * self._done // max(1, self._steps)
            bar = "#" * filled + "." * (WIDTH - filled)
            # What wraps could not be wiped away again.
            line = f"[{bar}] {clock} {text}"[: shutil.get_terminal_size().columns - 1]
            self._out.write(f"\r\x1b[K{line}")
        self._out.flush()

    def step(self) -> None:
        """
        One step is done.
        """
        self._done += 1

    def end(self) -> None:
        """
        Take the bar away.
        """
        if self._isTerminal:
            self._out.write("\r\x1b[K")
            self._out.flush()
