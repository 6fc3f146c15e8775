"""
Server-sent events (HTML, 9.2), read from bytes as they come.

What the libraries for it read from are other libraries' responses; here it is
C{http.client}, over TCP and over Unix sockets, and a bound on what is kept is wanted.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from gows.errors import GowsError

MAX_EVENT: Final = 4 * 1024 * 1024
"""The most characters of one event, or of one line."""

_LINE_END = re.compile(r"\r\n|\r|\n")
_MILLISECONDS = re.compile(r"[0-9]{1,9}")


class StreamError(GowsError):
    """These are no server-sent events."""


class Event(NamedTuple):
    """
    One event.

    @ivar name: C{message}, if it has none
    @ivar data: its lines, joined by line feeds
    """

    name: str
    data: str


class EventStream:
    """
    Takes bytes, gives events.

    @ivar retry: for how many seconds who reads should stay away after the end
    """

    def __init__(self, limit: int = MAX_EVENT) -> None:
        """Begin with nothing."""
        self.retry = 0.0
        self._limit = limit
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._rest = ""
        self._isFirst = True
        self._name = ""
        self._lines: list[str] = []
        self._size = 0

    def fed(self, raw: bytes) -> Iterator[Event]:
        """
        Take the next bytes.

        An event is complete with the empty line behind it; what is not yet, when the
        stream ends, is none.

        @raise StreamError: if they are not UTF-8, or an event is too large
        """
        try:
            text = self._decoder.decode(raw)
        except UnicodeDecodeError:
            raise StreamError("the events are not UTF-8") from None
        if self._isFirst and text:
            text = text.removeprefix("\ufeff")
            self._isFirst = False
        for line in self._linesOf(text):
            if line:
                self._take(line)
                continue
            if self._lines:
                yield Event(self._name or "message", "\n".join(self._lines))
            self._name, self._lines, self._size = "", [], 0

    def _linesOf(self, text: str) -> list[str]:
        text = self._rest + text
        # The line feed that belongs to a last carriage return may be yet to come.
        end = len(text) - text.endswith("\r")
        *lines, rest = _LINE_END.split(text[:end])
        self._rest = rest + text[end:]
        if len(self._rest) > self._limit:
            raise StreamError("a line is too long for an event")
        return lines

    def _take(self, line: str) -> None:
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value
        elif field == "data":
            self._lines.append(value)
            self._size += len(value) + 1
            if self._size > self._limit:
                raise StreamError("an event is too large")
        elif field == "retry" and _MILLISECONDS.fullmatch(value):
            self.retry = int(value) / 1000
