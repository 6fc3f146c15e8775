"""The keys of a terminal, one by one."""

from __future__ import annotations

import os
import re
import select
import signal
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Self

_KEYS: Final = re.compile(rb"\x1b[\[O]([0-9;]*)([A-Za-z~])|\x1b|[\x00-\x7f]")
_ARROWS: Final = {b"A": "up", b"B": "down", b"C": "right", b"D": "left"}

_INCOMPLETE: Final = re.compile(rb"\x1b(?:[\[O][0-9;]*)?\Z")
_MOMENT: Final = 0.05
"""Seconds in which the rest of a key comes; who presses Escape waits so long."""


class Keys:
    """
    Takes the keys of a terminal as they are pressed, unseen.

    Ctrl-C stays what it is; Ctrl-Z does nothing, for it would leave the terminal as
    it is now. Outside of C{with} the terminal is as it was.
    """

    def __init__(self, descriptor: int) -> None:
        """Take those of a terminal."""
        self._descriptor = descriptor
        self._before: list[Any] = []

    def __enter__(self) -> Self:
        """Begin."""
        self._before = termios.tcgetattr(self._descriptor)
        tty.setcbreak(self._descriptor)
        now = termios.tcgetattr(self._descriptor)
        now[6][termios.VSUSP] = b"\x00"
        termios.tcsetattr(self._descriptor, termios.TCSANOW, now)
        return self

    def __exit__(self, *_: object) -> None:
        """Make the terminal what it was; keys that nobody took are gone."""
        with suppress(termios.error):  # the terminal may be gone
            termios.tcflush(self._descriptor, termios.TCIFLUSH)
            termios.tcsetattr(self._descriptor, termios.TCSANOW, self._before)

    def pressed(self) -> list[str]:
        """
        Read those that have been pressed: at least one.

        @raise EOFError: if the terminal is gone
        """
        raw = self._read()
        while _INCOMPLETE.search(raw) and self._isMore():
            raw += self._read()
        return keysIn(raw)

    def _read(self) -> bytes:
        try:
            raw = os.read(self._descriptor, 1024)
        except OSError:
            raw = b""
        if not raw:
            raise EOFError
        return raw

    def _isMore(self) -> bool:
        """Wait a moment: a terminal may hand over half of a key."""
        return bool(select.select([self._descriptor], [], [], _MOMENT)[0])


def keysIn(raw: bytes) -> list[str]:
    """Name keys: up, down, left, right, escape, or the character; no others."""
    keys = []
    for found in _KEYS.finditer(raw):
        if found[2]:
            if not found[1] and found[2] in _ARROWS:
                keys.append(_ARROWS[found[2]])
        else:
            keys.append("escape" if found[0] == b"\x1b" else found[0].decode())
    return keys


@contextmanager
def endedBySignals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the process orderly: the terminal is restored."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
