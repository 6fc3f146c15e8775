"""Whether new clients should be sent here: for load balancers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.web.resource import Resource
from twisted.web.server import Request

from gows.access.admission import RETRY_AFTER
from gows.web.answers import answer, answerProblem, notAllowed

_PLAIN: Final = "text/plain; charset=utf-8"


class Readiness(Resource):
    """
    Answers 200 until the server begins to stop, then 503 for as long as that takes.

    It may be at several doors. Whether the server is alive is another question:
    one that stops is, and must not be ended for it.
    """

    isLeaf = True

    def __init__(self, isDraining: Callable[[], bool]) -> None:
        """
        Answer for a server.

        @param isDraining: tells whether it stops
        """
        super().__init__()
        self._isDraining = isDraining

    def render(self, request: Request) -> int:
        """Answer; the body is left out for HEAD."""
        if request.method not in (b"GET", b"HEAD"):
            return answerProblem(request, notAllowed(["GET"]))
        if not self._isDraining():
            return answer(request, b"ready\n", _PLAIN)
        again = {"Retry-After": RETRY_AFTER}
        return answer(request, b"draining\n", _PLAIN, 503, again)
