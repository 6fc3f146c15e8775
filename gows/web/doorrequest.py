"""A request to the operators' door, with a bound on its body."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from twisted.python.failure import Failure
from twisted.web.server import Request

from gows.web.answers import Problem, answerProblem
from gows.web.guard import Operator

MAX_BODY: Final = 1024 * 1024
"""The largest body of a request, in bytes."""

MAX_OF_STRANGERS: Final = 4096
"""What is kept of the body of somebody without a key: a form to sign in fits."""

_MAX_SKIPPED: Final = 8 * MAX_BODY
"""How much more is read, so that the client reads the answer, until it is cut."""

_FAILED: Final = "This request failed; see the log."


class DoorRequest(Request):
    """
    One request.

    @ivar operator: whose it is, once that is known
    @ivar isTooLarge: whether its body is larger than it may be; it is empty then
    @ivar endsWithClient: whether it is given up when the client ends its side of the
        connection, as one does that is gone: what goes on while somebody looks
    """

    operator: Operator
    isTooLarge = False
    endsWithClient = False
    _most = MAX_BODY
    _size = 0

    def gotLength(self, length: int | None) -> None:
        """Take note how long the body will be, if that is said, and whose it is."""
        self.content = BytesIO()
        channel: Any = self.channel
        isLetIn = channel.site.guard.letsIn(self)
        if isLetIn:
            channel.channels.letIn(channel)
        self._most = MAX_BODY if isLetIn else MAX_OF_STRANGERS
        self.isTooLarge = length is not None and length > self._most

    def handleContentChunk(self, data: bytes) -> None:
        """Take a piece of the body, unless it is too much."""
        self._size += len(data)
        self.isTooLarge = self.isTooLarge or self._size > self._most
        assert isinstance(self.content, BytesIO)
        if not self.isTooLarge:
            self.content.write(data)
            return
        self.content.seek(0)
        self.content.truncate()
        if self._size > _MAX_SKIPPED:
            self.loseConnection()

    def processingFailed(self, reason: Failure) -> Failure:
        """Answer that something is wrong with us, in our way; the log says what."""
        door: Any = self.site
        door.journal.requestFailed(reason)
        if self.startedWriting:
            self.loseConnection()
        elif self.channel is not None:
            answerProblem(self, Problem(500, "internal", _FAILED))
        return reason

    def process(self) -> None:
        """Have C{OPTIONS *} pass the guard too: twisted.web answers it by itself."""
        if self.path == b"*":
            self.path = b"/*"
        super().process()


def tooLarge() -> Problem:
    """Make the problem of a body that is too large."""
    return Problem(413, "too_large", f"A body may have {MAX_BODY} bytes.")
