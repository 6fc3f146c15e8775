"""
Every line that gows logs: constant formats, named fields, no payload, no secret.

specialKeys are shortened, what came from a client is escaped, and refusals are
counted instead of written when they flood.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from twisted.internet.interfaces import IReactorTime
from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    LogPublisher,
    globalLogPublisher,
)
from twisted.python.failure import Failure

from gows.servicejournal import ServiceJournal

LEVELS: Final = ("debug", "info", "warn", "error", "critical")

MAX_REFUSALS: Final = 10
"""How many refusals a second are written; the others are only counted."""

_SHOWN: Final = 4


def shortened(specialKey: str) -> str:
    """
    Cut a specialKey down to what helps to recognise it but not to use it.

    @return: at most a third of it, at most four characters, escaped, and an
        ellipsis
    """
    shown = specialKey[: min(_SHOWN, len(specialKey) // 3)]
    return escaped(shown) + "…"


def escaped(text: str) -> str:
    """Replace everything that is not printable by its escape."""
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii")
        for c in text
    )


class Journal(ServiceJournal):
    """
    Writes what happens to connections as well.

    @ivar withheld: publishes what the level keeps from the log
    """

    def __init__(
        self,
        level: str,
        clock: IReactorTime,
        publisher: Callable[[LogEvent], None] = globalLogPublisher,
    ) -> None:
        """
        Write to Twisted's log.

        @param level: one of L{LEVELS}; events below it are L{withheld}
        @param clock: for the flood control of refusals
        """
        wanted = LogLevelFilterPredicate(LogLevel.levelWithName(level))
        self.withheld = LogPublisher()
        observer = FilteringLogObserver(
            cast(ILogObserver, publisher), [wanted], self.withheld
        )
        self._writesInfo = LogLevel.levelWithName(level) <= LogLevel.info
        self._connections = Logger("gows.connection", observer=observer)
        self._application = Logger("gows.application", observer=observer)
        super().__init__(observer)
        self._flood = _Flood(clock, self._refusalsDropped)

    def opened(self, specialKey: str, gzip: bool, address: str, count: int) -> None:
        """Write that a connection has opened; C{count} are open now."""
        if not self._writesInfo:  # an event costs much, even if it is dropped
            return
        self._connections.info(
            "opened {key}:{gzip} from {address}, {count} open",
            key=shortened(specialKey),
            gzip=int(gzip),
            address=address,
            count=count,
        )

    def closed(
        self,
        specialKey: str,
        gzip: bool,
        address: str,
        *,
        seconds: float,
        sentCode: int | None,
        receivedCode: int | None,
        received: int,
        sent: int,
        dropped: int,
        ignored: int,
    ) -> None:
        """Write that a connection is gone, with what passed over it."""
        if not self._writesInfo:
            return
        self._connections.info(
            "closed {key}:{gzip} from {address} after {seconds:.3f} s, "
            "code sent {sentCode}, received {receivedCode}, "
            "messages in {received}, out {sent}, dropped {dropped}, ignored {ignored}",
            key=shortened(specialKey),
            gzip=int(gzip),
            address=address,
            seconds=seconds,
            sentCode=sentCode or "-",
            receivedCode=receivedCode or "-",
            received=received,
            sent=sent,
            dropped=dropped,
            ignored=ignored,
        )

    def refused(self, address: str, status: int, text: str) -> None:
        """Write that a request was refused, unless refusals flood."""
        if self._flood.passes():
            self._connections.info(
                "refused {address}: {status} {text}",
                address=address,
                status=status,
                text=text,
            )

    def neverOpened(self, address: str) -> None:
        """Write that a peer did not complete its opening, unless those flood."""
        if self._flood.passes():
            self._connections.info(
                "dropped {address}: no opening in time", address=address
            )

    def _refusalsDropped(self, count: int) -> None:
        self._connections.info(
            "refused {count} more, too many to write down", count=count
        )

    def answered(self, address: str, method: str, path: str, status: int) -> None:
        """Write that a plain request was answered."""
        self._connections.debug(
            "answered {address}: {method} {path} {status}",
            address=address,
            method=method,
            path=escaped(path),
            status=status,
        )

    def applicationFailed(self, failure: Failure) -> None:
        """Write an application's exception with its traceback."""
        self._application.failure("the application failed", failure)

    def connectionFailed(self, failure: Failure) -> None:
        """Write that a fault of ours kept a message from being taken."""
        self._application.failure("taking a message failed", failure)

    def deliveryFailed(self, failure: Failure) -> None:
        """Write that sending to one connection raised, with the traceback."""
        self._application.failure("sending to a connection failed", failure)


class _Flood:
    """Lets so many through a second and counts the rest."""

    def __init__(self, clock: IReactorTime, onDropped: Callable[[int], None]) -> None:
        self._clock = clock
        self._onDropped = onDropped
        self._since = float("-inf")
        self._passed = 0
        self._dropped = 0

    def passes(self) -> bool:
        now = self._clock.seconds()
        if now - self._since >= 1 and not self._dropped:
            self._since = now
            self._passed = 0
        if self._passed < MAX_REFUSALS:
            self._passed += 1
            return True
        if not self._dropped:
            self._clock.callLater(max(0, self._since + 1 - now), self._report)
        self._dropped += 1
        return False

    def _report(self) -> None:
        dropped, self._dropped = self._dropped, 0
        self._onDropped(dropped)
