"""SIGHUP, and a second SIGTERM or SIGINT."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from twisted.application.service import Service

_STOPS: Final = (signal.SIGTERM, signal.SIGINT)


class EarlyHangup:
    """
    Stands in for the handler of SIGHUP until the reactor runs.

    A process that had none would end.

    @ivar hasCome: whether there is one to be made up for
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.hasCome = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Remember it."""
        self.hasCome = True


def expectHangup() -> None:
    """Remember a SIGHUP from now on, for L{Signals}, where it would end the process."""
    if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
        signal.signal(signal.SIGHUP, EarlyHangup())


class Signals(Service):
    """
    Handles the signals that twistd does not.

    A SIGHUP that came before (see L{expectHangup}) is made up for.

    The first SIGTERM or SIGINT is Twisted's. A second one Twisted would answer
    with a traceback and wait on: it means that there shall be no more waiting.
    """

    def __init__(
        self,
        reactor: Any,
        onHangup: Callable[[], object],
        onSecondStop: Callable[[], object],
    ) -> None:
        """Call these, in the reactor's thread."""
        self._reactor = reactor
        self._onHangup = onHangup
        self._onSecondStop = onSecondStop
        self._isStopping = False
        self._stopOfTwisted: dict[int, Callable[[int, FrameType | None], object]] = {}

    def startService(self) -> None:
        """Take the signals over once the reactor has installed its own handlers."""
        super().startService()
        self._reactor.callWhenRunning(self._install)

    def stopping(self) -> None:
        """Take note that a stop has begun: from now on a signal is a second one."""
        self._isStopping = True

    def _install(self) -> None:
        early = signal.signal(signal.SIGHUP, self._hangup)
        if isinstance(early, EarlyHangup) and early.hasCome:
            self._reactor.callFromThread(self._onHangup)
        for number in _STOPS:
            handler = signal.getsignal(number)
            if callable(handler):
                self._stopOfTwisted[number] = handler
                signal.signal(number, self._stop)

    def _hangup(self, number: int, frame: FrameType | None) -> None:
        self._reactor.callFromThread(self._onHangup)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self._isStopping:
            self._reactor.callFromThread(self._onSecondStop)
        else:
            self._isStopping = True
            self._stopOfTwisted[number](number, frame)
