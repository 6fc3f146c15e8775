"""The operators' door: a site of its own, behind a guard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IAddress
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

from gows.journal import Journal, escaped
from gows.web.answers import Place, Problem, ProblemPage, answer, notFound
from gows.web.calls import Call, CallResource
from gows.web.consolepage import SignInFirst, wantsPage
from gows.web.doorchannel import IDLE, Channels, DoorChannel
from gows.web.doorrequest import DoorRequest, tooLarge
from gows.web.guard import Guard
from gows.web.idempotency import Idempotency

_AS_IT_IS: Final = {"parsePOSTFormSubmission": False}
"""Bodies are read where they are expected, when it is known whose they are."""


class Door(Site):
    """
    All that operators and backends ask for.

    @ivar guard: whom it lets in
    @ivar journal: where is written what happens
    @ivar channels: its connections
    """

    protocol = DoorChannel  # type: ignore[assignment]  # Factory: "the class to create"
    requestFactory = DoorRequest
    displayTracebacks = False
    noisy = False

    def __init__(
        self,
        guard: Guard,
        *,
        calls: Iterable[Call],
        probes: Mapping[str, IResource],
        free: Mapping[str, IResource],
        guarded: Mapping[str, IResource],
        memory: Idempotency,
        journal: Journal,
        reactor: object,
    ) -> None:
        """
        Open nothing yet.

        @param calls: the API
        @param probes: what everybody may ask, whatever name he calls it by, by path
        @param free: what needs no key, by path
        @param guarded: what needs one, by path
        """
        super().__init__(Resource(), timeout=IDLE, reactor=reactor, **_AS_IT_IS)
        self.channels = Channels()
        self.guard = guard
        self._probes = probes
        self._free = free
        self._guarded = guarded
        self._memory = memory
        self.journal = journal
        self._calls: dict[str, dict[str, Call]] = {}
        for call in calls:
            path = call.path.partition("{")[0]
            self._calls.setdefault(path, {})[call.method] = call

    def buildProtocol(  # type: ignore[override]  # it creates that
        self, addr: IAddress | None
    ) -> DoorChannel:
        """Take a connection."""
        channel = cast(DoorChannel, super().buildProtocol(addr))
        channel.channels = self.channels
        return channel

    def acceptableProtocols(self) -> list[bytes]:
        """Name what is spoken, for TLS (ALPN): no HTTP/2."""
        return [b"http/1.1"]

    def log(self, request: HTTPRequest) -> None:
        """Write down that a request was answered, without its parameters."""
        method = request.method.decode("latin-1")
        path = request.path.decode("latin-1")
        address = self.guard.addressOf(request)
        self.journal.answered(address, escaped(method), path, request.code)

    def getResourceFor(self, request: Request) -> IResource:
        """Find what answers a request: the guard, or what is at its path."""
        assert isinstance(request, DoorRequest)
        request.site = self
        probe = self._probes.get(request.path.decode("latin-1"))
        if probe is not None:
            return Place(probe)
        try:
            return self._resourceFor(request)
        except Problem as problem:
            return ProblemPage(problem)

    def _resourceFor(self, request: DoorRequest) -> IResource:
        path = request.path.decode("latin-1")
        origin = self.guard.checkPlace(request)
        if origin is not None:
            request.setHeader("Access-Control-Allow-Origin", origin)
            request.setHeader("Vary", "Origin")
            if request.method == b"OPTIONS":
                return Preflight()
        if path in self._free:
            return Place(self._free[path])
        try:
            request.operator = self.guard.operatorOf(request)
        except Problem as problem:
            if problem.status == HTTPStatus.UNAUTHORIZED and wantsPage(request):
                return SignInFirst()
            raise
        if request.isTooLarge:
            raise tooLarge()
        if path in self._guarded:
            return Place(self._guarded[path])
        if path in self._calls:
            return CallResource(self._calls[path], "", self._memory)
        start, slash, name = path.rpartition("/")
        if start + slash in self._calls and name:
            calls = self._calls[start + slash]
            return CallResource(calls, _unquoted(name), self._memory)
        raise notFound()


def _unquoted(name: str) -> str:
    try:
        return unquote_to_bytes(name).decode("utf-8")
    except UnicodeDecodeError:
        raise notFound() from None


class Preflight(Resource):
    """Answers a browser that asks whether a page elsewhere may call (Fetch, 4.8)."""

    isLeaf = True

    def render(self, request: Request) -> int:
        """Answer that it may, with a key; its origin has been checked."""
        allowed = {
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": (
                "Authorization, Content-Type, Idempotency-Key"
            ),
            "Access-Control-Max-Age": "600",
        }
        return answer(request, b"", "text/plain", 200, allowed)
