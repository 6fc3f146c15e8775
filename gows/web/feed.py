"""The console's feed: server-sent events (HTML, 9.2), one a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import msgspec
from twisted.internet.interfaces import IPushProducer
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from gows.web.answers import answerProblem, notAllowed
from gows.web.doorrequest import DoorRequest

MAX_READERS: Final = 100
"""How many may read it at a time."""

MAX_MISSED: Final = 60
"""How many samples a reader may miss, one after the other: a minute's."""

PAUSE: Final = 10_000
"""
Milliseconds for which who had to go should stay away: else those that are too many
would take one another's places without end.
"""

_LAST: Final = b"retry: %d\n\n" % PAUSE


class Feed(Resource):
    """
    Sends what is new to all who read.

    Who does not read misses samples: nothing waits for it. After a minute of that it
    loses its place, and its connection ends as any whose answers are not read.

    Where all places are taken, one has to go for the next: who has not read of late,
    else who came first. Who reads nothing at all may seem to read for hours: so much
    the kernel takes for it.
    """

    isLeaf = True

    def __init__(
        self,
        hello: Callable[[], Mapping[str, Any]],
        warnings: Callable[[], Sequence[Mapping[str, Any]]],
        letsIn: Callable[[Request], bool],
    ) -> None:
        """
        Begin with no readers.

        @param hello: makes what is said to a reader first
        @param warnings: answers the last warnings of the log, the newest last
        @param letsIn: tells whether who began to read may go on
        """
        super().__init__()
        self._hello = hello
        self._warnings = warnings
        self._letsIn = letsIn
        self._isWarned = False
        self._readers: dict[_Reader, None] = {}

    def render(self, request: Request) -> int:
        """Begin to send."""
        if request.method != b"GET":
            return answerProblem(request, notAllowed(["GET"]))
        cast(DoorRequest, request).endsWithClient = True
        if len(self._readers) >= MAX_READERS:
            self._makeRoom()
        for name, value in (
            ("Content-Type", "text/event-stream"),
            ("Cache-Control", "no-store"),
            ("X-Accel-Buffering", "no"),  # nginx would gather it
            ("X-Content-Type-Options", "nosniff"),
            ("Server", "gows"),
        ):
            request.setHeader(name, value)
        reader = _Reader(request, self._readers)
        self._readers[reader] = None
        # At once: what has gone on for some minutes fills the line with its history.
        reader.send(_event("hello", self._hello()) + self._warningsEvent())
        return NOT_DONE_YET

    def sampled(self, sample: Mapping[str, Any]) -> None:
        """Send a sample, and the warnings, if there are new ones."""
        if not self._readers:
            return
        events = _event("sample", sample)
        if self._isWarned:
            events += self._warningsEvent()
            self._isWarned = False
        for reader in tuple(self._readers):
            if reader.missed < MAX_MISSED and self._letsIn(reader.request):
                reader.send(events)
            else:
                reader.end()

    def warned(self) -> None:
        """Take note of a new warning; it goes out with the next sample."""
        self._isWarned = True

    def _makeRoom(self) -> None:
        stuck = (reader for reader in self._readers if reader.missed)
        reader = next(stuck, None) or next(iter(self._readers))
        reader.request.write(_LAST)
        reader.end()

    def _warningsEvent(self) -> bytes:
        return _event("warnings", {"warnings": self._warnings()})


@implementer(IPushProducer)
class _Reader:
    """
    Who reads.

    @ivar missed: how many events were not sent since there was room last
    """

    def __init__(self, request: Request, readers: dict[_Reader, None]) -> None:
        self.request = request
        self._readers = readers
        self._isFull = False
        self.missed = 0
        request.registerProducer(self, True)
        request.notifyFinish().addErrback(lambda _: self.stopProducing())

    def send(self, event: bytes) -> None:
        if self._isFull:
            self.missed += 1
        else:
            self.request.write(event)

    def end(self) -> None:
        self.stopProducing()
        self.request.unregisterProducer()
        self.request.finish()

    def pauseProducing(self) -> None:
        self._isFull = True

    def resumeProducing(self) -> None:
        self._isFull = False
        self.missed = 0

    def stopProducing(self) -> None:
        self._readers.pop(self, None)


def _event(name: str, data: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))
