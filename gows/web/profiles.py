"""Where the reactor spends its time."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET, Request

from gows.journal import Journal
from gows.web.answers import JSON, Problem, answer, answerProblem
from gows.web.debugpage import PLAIN, DebugPage
from gows.web.drawer import Draw
from gows.web.parameters import Parameters
from gows.web.signin import HTML

if TYPE_CHECKING:
    from pyinstrument import Profiler
    from pyinstrument.session import Session

SECONDS: Final = 10.0
"""How long a profile takes, unless something else is asked for."""

INTERVAL: Final = 5.0
"""Milliseconds between two samples, likewise. From 4 on, a cheaper clock is used."""

MAX_SECONDS: Final = 60.0
MAX_SAMPLES: Final = 20_000

SANDBOX: Final = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""
What the page of a profile may do: run the script that is in it, as a page of no site
that can neither call this door nor anything else.
"""

_TYPES: Final[Mapping[str, tuple[str, dict[str, str]]]] = {
    "html": (HTML, {"Content-Security-Policy": SANDBOX}),
    "speedscope": (
        JSON,
        {"Content-Disposition": 'attachment; filename="gows.speedscope.json"'},
    ),
    "text": (PLAIN, {}),
}


class Profiles(DebugPage):
    """Samples the thread of the reactor for a while, one profile at a time."""

    isAction = True

    def __init__(self, reactor: IReactorTime, draw: Draw, journal: Journal) -> None:
        """
        Sample nothing yet.

        @param reactor: runs in the thread in which requests are answered
        """
        super().__init__()
        self._reactor = reactor
        self._draw = draw
        self._journal = journal
        self._running: Deferred[Any] | None = None
        self._until = 0.0

    @property
    def running(self) -> str:
        """What is running, in a few words; empty: nothing is."""
        if self._running is None:
            return ""
        left = self._until - self._reactor.seconds()
        return f"{left:.0f} s to go" if left > 0 else "it is being drawn"

    def show(self, request: Request, given: Parameters) -> int:
        """Sample, and answer what was found once that is done."""
        seconds = given.number("seconds", SECONDS, 0.1, MAX_SECONDS)
        format = given.choice("format", "html", [*_TYPES])
        interval = given.number("interval", INTERVAL, 1, 1000)
        given.end()
        if seconds * 1000 / interval > MAX_SAMPLES:
            least = seconds * 1000 / MAX_SAMPLES
            raise Problem(
                400,
                "invalid",
                f"interval: must be at least {least:g} (ms) for so many seconds.",
                "interval",
            )
        if self._running is not None:
            raise Problem(409, "busy", "A profile is running: wait for its end.")
        if sys.getprofile() is not None:
            raise Problem(409, "busy", "Another profiler runs in this process.")
        self._until = self._reactor.seconds() + seconds
        running: Deferred[Any] = self._sampled(seconds, interval / 1000)
        self._running = running
        running.addCallback(self._draw, format)
        running.addBoth(self._ended)
        running.addCallbacks(
            partial(_answer, request, format), partial(self._failed, request)
        )
        request.notifyFinish().addErrback(lambda _: running.cancel())
        return NOT_DONE_YET

    def _sampled(self, seconds: float, interval: float) -> Deferred[Session]:
        """Sample for so long; cancel it to have it end at once."""
        from pyinstrument import Profiler

        # Coroutines of a reactor's run in no context of their own.
        profiler = Profiler(interval, async_mode="disabled")
        profiler.start(target_description=f"The reactor for {seconds:g} s")
        over: Deferred[None] = Deferred()
        call = self._reactor.callLater(seconds, over.callback, None)
        return over.addBoth(_stopped, profiler, call)

    def _ended(self, result: bytes | Failure) -> bytes | Failure:
        self._running = None
        return result

    def _failed(self, request: Request, failure: Failure) -> None:
        if failure.check(CancelledError):  # whoever asked is gone
            return
        self._journal.requestFailed(failure)
        answerProblem(
            request,
            Problem(500, "internal", "Drawing the profile failed: see the log."),
        )


def _answer(request: Request, format: str, drawn: bytes) -> None:
    contentType, headers = _TYPES[format]
    answer(request, drawn, contentType, headers=headers)


def _stopped(
    result: Failure | None, profiler: Profiler, call: IDelayedCall
) -> Session | Failure:
    session = profiler.stop()
    if call.active():
        call.cancel()
    return session if result is None else result
