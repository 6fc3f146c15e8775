"""Has profiles drawn by a process of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from gows.errors import GowsError
from gows.web import drawing
from gows.web.steps import stepwise

if TYPE_CHECKING:
    from pyinstrument.session import Session

Draw = Callable[["Session", str], Deferred[bytes]]
"""Draws what was sampled, in a format; can be cancelled."""

_MAX_FAULT: Final = 2000


class CannotDraw(GowsError):
    """The process that draws has failed; the last that it said is in the message."""


def drawerOf(reactor: Any) -> Draw:
    """
    Make what draws profiles.

    @param reactor: starts the process
    """

    def draw(session: Session, format: str) -> Deferred[bytes]:
        return _Drawer(reactor, session, format).done

    return draw


class _Drawer(ProcessProtocol):
    """
    One drawing.

    @ivar done: fires with it
    """

    transport: IProcessTransport

    def __init__(self, reactor: Any, session: Session, format: str) -> None:
        """Begin."""
        self.done: Deferred[bytes] = Deferred(lambda _: self._stop())
        self._reactor = reactor
        self._pieces = drawing.written(session)
        self._drawn: list[bytes] = []
        self._said = b""
        self._isStopped = False
        reactor.spawnProcess(
            self,
            sys.executable,
            [sys.executable, "-m", drawing.__name__, format],
            env={"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )

    def connectionMade(self) -> None:
        """Write what was sampled, a piece a turn: the reactor has others to serve."""
        stepwise(self._reactor, self._write())

    def _write(self) -> Iterator[None]:
        for piece in self._pieces:
            if self._isStopped:
                return
            self.transport.writeToChild(0, piece)
            yield
        self.transport.closeChildFD(0)

    def outReceived(self, data: bytes) -> None:
        """Take a part of what is drawn."""
        self._drawn.append(data)

    def errReceived(self, data: bytes) -> None:
        """Take what is said of a failure."""
        self._said = (self._said + data)[-_MAX_FAULT:]

    def processEnded(self, reason: Failure) -> None:
        """Answer what was drawn."""
        if self._isStopped:
            return
        self._isStopped = True
        if reason.check(ProcessDone):
            self.done.callback(b"".join(self._drawn))
        else:
            words = self._said.decode("utf-8", "replace")
            self.done.errback(CannotDraw(f"{reason.value}: {words}"))

    def _stop(self) -> None:
        self._isStopped = True
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")
