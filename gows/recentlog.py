"""The last warnings of the log, for the console."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from twisted.application.service import Service
from twisted.logger import (
    ILogObserver,
    LogEvent,
    LogLevel,
    LogPublisher,
    formatEvent,
)
from zope.interface import implementer

from gows.journal import escaped

KEPT: Final = 50
"""How many are kept."""

ALIKE: Final = 10
"""How many of these are of one kind: a flood of one does not wash away the others."""

_LONGEST: Final = 500


class Warned(NamedTuple):
    """
    A line of the log.

    @ivar time: in milliseconds since 1970
    @ivar level: warn, error or critical
    """

    time: int
    level: str
    text: str


@implementer(ILogObserver)
class RecentWarnings(Service):
    """Keeps the last warnings and errors, while it runs."""

    def __init__(self, *publishers: LogPublisher) -> None:
        """
        Keep nothing yet.

        @param publishers: whose events are listened to; none has those of another
        """
        self._kept: deque[tuple[str, Warned]] = deque(maxlen=KEPT)
        self._listeners: list[Callable[[], object]] = []
        self._publishers = publishers

    @property
    def kept(self) -> tuple[Warned, ...]:
        """What is kept, the newest last."""
        return tuple(warned for _, warned in self._kept)

    def listen(self, listener: Callable[[], object]) -> None:
        """Have somebody told that there is a new one."""
        self._listeners.append(listener)

    def startService(self) -> None:
        """Begin to listen."""
        super().startService()
        for publisher in self._publishers:
            publisher.addObserver(self)

    def stopService(self) -> None:
        """Listen no more."""
        super().stopService()
        for publisher in self._publishers:
            publisher.removeObserver(self)

    def __call__(self, event: LogEvent) -> None:
        """Keep an event, if it is a warning at least."""
        level = event.get("log_level")
        if level is None or level < LogLevel.warn:
            return
        text = formatEvent(event)
        failure = event.get("log_failure")
        if failure is not None:
            text = f"{text}: {failure.type.__name__}"
        time = int(event.get("log_time", 0.0) * 1000)
        kind = str(event.get("log_format"))
        alike = [each for each in self._kept if each[0] == kind]
        if len(alike) >= ALIKE:
            self._kept.remove(alike[0])
        self._kept.append((kind, Warned(time, level.name, escaped(text)[:_LONGEST])))
        for listener in self._listeners:
            listener()
