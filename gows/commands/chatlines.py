"""Where the lines of ``gows chat`` come from, and where others are shown."""

from __future__ import annotations

import codecs
import io
import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from gows.errors import GowsError

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

MAX_LINE: Final = 4 * 1024 * 1024
"""The most characters of a line; what a server takes is less."""


class Lines(Protocol):
    """Lines that somebody types, or a program writes."""

    def __iter__(self) -> Iterator[str]:
        """Iterate over them, until there are no more or L{end} is called."""

    def show(self, line: str) -> None:
        """Show another line; any thread may call it."""

    def end(self) -> None:
        """Let the iteration end, even if it waits; any thread may call it."""


class PipedLines:
    """Lines from a file or a pipe; what is no UTF-8 in them is replaced."""

    def __init__(self, descriptor: int) -> None:
        """Read from a descriptor."""
        self._descriptor = descriptor
        self._woken, self._wake = os.pipe()

    def __iter__(self) -> Iterator[str]:
        """
        Iterate over them.

        @raise GowsError: if one is too long
        """
        decoder = io.IncrementalNewlineDecoder(
            codecs.getincrementaldecoder("utf-8")("replace"), translate=True
        )
        rest = ""
        while True:
            ready, _, _ = select.select([self._descriptor, self._woken], [], [])
            if self._woken in ready:
                return
            raw = os.read(self._descriptor, 65536)
            *lines, rest = (rest + decoder.decode(raw, final=not raw)).split("\n")
            yield from lines
            if not raw:
                if rest:
                    yield rest
                return
            if len(rest) > MAX_LINE:
                raise GowsError("a line of standard input is too long")

    def show(self, line: str) -> None:
        """Write a line to standard output."""
        print(line, flush=True)

    def end(self) -> None:
        """Let the iteration end."""
        os.write(self._wake, b".")


class PromptLines:
    """Lines that are typed in a terminal."""

    def __init__(self, prompt: Callable[[], str]) -> None:
        """Ask for them; C{prompt} says what stands before them."""
        from prompt_toolkit import PromptSession

        self._prompt = prompt
        self._isOver = False
        self._session: PromptSession[str] = PromptSession()

    def __iter__(self) -> Iterator[str]:
        """
        Iterate over them; Ctrl-D ends it.

        @raise KeyboardInterrupt: on Ctrl-C
        """
        from prompt_toolkit.patch_stdout import patch_stdout

        with patch_stdout():
            while not self._isOver:
                try:
                    yield self._session.prompt(self._prompt, pre_run=self._look)
                except EOFError:
                    return

    def show(self, line: str) -> None:
        """Write a line above the prompt."""
        print(line)

    def end(self) -> None:
        """Let the iteration end."""
        self._isOver = True
        loop = self._session.app.loop
        if loop is not None:
            with suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(self._look)

    def _look(self) -> None:
        app = self._session.app
        if self._isOver and app.is_running and not app.is_done:
            app.exit(exception=EOFError)


def linesOf(prompt: Callable[[], str]) -> Lines:
    """
    Find out where lines come from.

    @raise GowsError: if there is no standard input
    """
    if sys.stdin is None:
        raise GowsError("there is no standard input")
    if sys.stdin.isatty() and sys.stdout is not None and sys.stdout.isatty():
        return PromptLines(prompt)
    return PipedLines(sys.stdin.fileno())
