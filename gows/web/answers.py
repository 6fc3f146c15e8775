"""What the operators' door answers: JSON, and what is wrong, as JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from http import HTTPStatus
from typing import Final, cast

import msgspec
from msgspec import UNSET, UnsetType
from twisted.web.error import UnsupportedMethod
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request

from gows.errors import GowsError
from gows.web.apianswers import Fault, Refused

JSON: Final = "application/json"


class Problem(GowsError):
    """
    A request is not carried out.

    @ivar status: HTTP's
    @ivar fault: what is wrong
    @ivar headers: further ones
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | UnsetType = UNSET,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """
        Refuse.

        @param message: what is wrong and what is allowed; nothing of what came
        """
        super().__init__(f"{status} {code}")
        self.status = HTTPStatus(status)
        self.fault = Fault(code, message, field)
        self.headers = headers or {}


def answerJSON(request: Request, body: object, status: int = 200) -> int:
    """Answer with JSON, and end."""
    return answer(request, msgspec.json.encode(body) + b"\n", JSON, status)


def answer(
    request: Request,
    body: bytes,
    contentType: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> int:
    """
    Answer, and end.

    @return: what a resource returns that has answered, or will
    """
    request.setResponseCode(status, HTTPStatus(status).phrase.encode())
    for name, value in {**_headersOf(body, contentType), **(headers or {})}.items():
        request.setHeader(name, value)
    if request.method != b"HEAD":
        request.write(body)
    request.finish()
    return NOT_DONE_YET


def answerProblem(request: Request, problem: Problem) -> int:
    """Answer what is wrong, and end."""
    return answer(request, _bodyOf(problem), JSON, problem.status, problem.headers)


def lastAnswer(problem: Problem) -> bytes:
    """Write out an answer that ends a connection on which there was no request."""
    body = _bodyOf(problem)
    headers = {**_headersOf(body, JSON), **problem.headers, "Connection": "close"}
    lines = [
        f"HTTP/1.1 {problem.status.value} {problem.status.phrase}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _headersOf(body: bytes, contentType: str) -> dict[str, str]:
    return {
        "Server": "gows",
        "Content-Type": contentType,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


def _bodyOf(problem: Problem) -> bytes:
    return msgspec.json.encode(Refused(problem.fault)) + b"\n"


class ProblemPage(Resource):
    """A place where there is nothing but a problem."""

    isLeaf = True

    def __init__(self, problem: Problem) -> None:
        """Answer this to every request."""
        super().__init__()
        self._problem = problem

    def render(self, request: Request) -> int:
        """Answer it."""
        return answerProblem(request, self._problem)


class Place(Resource):
    """A place whose refusal of a method is ours, not an HTML page of twisted.web."""

    isLeaf = True

    def __init__(self, resource: IResource) -> None:
        """Answer what a resource answers."""
        super().__init__()
        self._resource = resource

    def render(self, request: Request) -> int | bytes:
        """Have it answer."""
        try:
            return cast(int | bytes, self._resource.render(request))
        except UnsupportedMethod as error:
            allowed: Iterable[bytes] = error.allowedMethods
            methods = [method.decode("ascii") for method in allowed]
            return answerProblem(request, notAllowed(methods))


def notAllowed(methods: Collection[str]) -> Problem:
    """Make the problem of a method that a path does not have."""
    allowed = sorted({*methods, *(["HEAD"] if "GET" in methods else [])})
    return Problem(
        405,
        "method_not_allowed",
        f"The method must be {' or '.join(allowed)}.",
        headers={"Allow": ", ".join(allowed)},
    )


def notFound() -> Problem:
    """Make the problem of a path at which there is nothing."""
    return Problem(404, "not_found", "There is nothing here: see /openapi.json.")
