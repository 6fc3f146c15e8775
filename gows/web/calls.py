"""One call of the operators' API: what it takes, what it answers."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from gows.chat.context import parseQuery
from gows.dialects.reading import isDeeper
from gows.eager import started
from gows.errors import Refusal
from gows.web.answers import (
    JSON,
    Problem,
    answerJSON,
    answerProblem,
    notAllowed,
)
from gows.web.faults import invalid, problemOf, unknown
from gows.web.guard import Operator, headerOf

if TYPE_CHECKING:
    from gows.web.doorrequest import DoorRequest
    from gows.web.idempotency import Idempotency

MAX_DEPTH: Final = 64
"""How deeply arrays and objects may be nested in it."""

_KEY: Final = "Idempotency-Key"
_IDEMPOTENCY_KEY: Final = re.compile(r"[!-~]{1,255}")


class Asked(NamedTuple):
    """
    A request, read.

    @ivar operator: whose it is
    @ivar body: what it brings, of the type that the call takes; L{None}: nothing
    @ivar query: the parameters of its URL, of the type that the call takes
    @ivar name: the last part of its path, where that is a name
    @ivar idempotencyKey: what makes it the same as one before; empty: nothing
    """

    operator: Operator
    body: Any = None
    query: Any = None
    name: str = ""
    idempotencyKey: str = ""


class Call(NamedTuple):
    """
    A call of the API.

    @ivar method: GET or POST
    @ivar path: C{/api/rooms}; C{/api/rooms/{name}} takes a name
    @ivar summary: what it does, in a line
    @ivar do: does it
    @ivar answers: the type of what it answers
    @ivar takes: the type of its body; L{None}: it has none
    @ivar asks: the type of its URL's parameters; L{None}: there are none
    @ivar isIdempotent: whether it minds an Idempotency-Key
    """

    method: str
    path: str
    summary: str
    do: Callable[[Asked], Awaitable[object] | object]
    answers: type
    takes: type | None = None
    asks: type | None = None
    isIdempotent: bool = False

    @property
    def takesName(self) -> bool:
        """Whether a part of its path is a name."""
        return self.path.endswith("}")

    def read(self, request: Request, operator: Operator, name: str) -> Asked:
        """
        Read a request.

        @raise Problem: 400, 413 or 415, with the field that is wrong
        """
        key = headerOf(request, _KEY) if self.isIdempotent else None
        if key is not None and _IDEMPOTENCY_KEY.fullmatch(key) is None:
            raise invalid(
                _KEY, "must be 1 to 255 printable ASCII characters without blanks"
            )
        body, query = self._bodyOf(request), self._queryOf(request)
        return Asked(operator, body, query, name, key or "")

    def _bodyOf(self, request: Request) -> object:
        if self.takes is None:
            return None
        contentType = (headerOf(request, "Content-Type") or "").partition(";")[0]
        if contentType.strip().lower() != JSON:
            raise Problem(
                415, "unsupported_media_type", "Content-Type must be application/json."
            )
        assert request.content is not None
        raw = request.content.read()
        try:
            raw.decode("utf-8")  # msgspec passes a Raw on without a look
            body: object = msgspec.json.decode(raw, type=self.takes)
        except msgspec.ValidationError as error:
            raise problemOf(error) from None
        except RecursionError:
            raise _tooDeep() from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Problem(400, "malformed", "The body is not JSON in UTF-8.") from None
        if isDeeper(raw, MAX_DEPTH):
            raise _tooDeep()
        return body

    def _queryOf(self, request: Request) -> object:
        query = request.uri.partition(b"?")[2].decode("latin-1")
        try:
            parameters = parseQuery(query)
        except Refusal as refusal:
            raise Problem(400, "bad_request", refusal.text) from None
        if self.asks is None:
            if parameters:
                raise unknown(next(iter(parameters)))
            return None
        try:
            return msgspec.convert(parameters, self.asks, strict=False)
        except msgspec.ValidationError as error:
            raise problemOf(error) from None


def _tooDeep() -> Problem:
    return Problem(400, "too_deep", f"JSON goes {MAX_DEPTH} levels deep here.")


class CallResource(Resource):
    """A place of the API, with a call for each method."""

    isLeaf = True

    def __init__(
        self,
        calls: Mapping[str, Call],
        name: str,
        memory: Idempotency,
    ) -> None:
        """
        Answer these calls.

        @param calls: by method
        @param name: the last part of the path, where that is a name
        @param memory: of requests that must not be done twice
        """
        super().__init__()
        self._calls = calls
        self._name = name
        self._memory = memory

    def render(self, request: DoorRequest) -> int:
        """Read a request, do what it asks, and answer."""
        try:
            method = request.method.decode("latin-1")
            call = self._calls.get("GET" if method == "HEAD" else method)
            if call is None:
                raise notAllowed(self._calls)
            asked = call.read(request, request.operator, self._name)
            result = started(self._memory.once(call, asked))
        except Problem as problem:
            return answerProblem(request, problem)
        if not isinstance(result, Deferred):
            return answerJSON(request, result)
        result.addCallback(partial(answerJSON, request))
        result.addErrback(partial(_failed, request))
        request.notifyFinish().addErrback(lambda _: result.cancel())
        return NOT_DONE_YET


def _failed(request: Request, failure: Failure) -> None:
    if failure.check(CancelledError):
        return  # whoever asked is gone
    if isinstance(failure.value, Problem):
        answerProblem(request, failure.value)
    else:
        request.processingFailed(failure)
