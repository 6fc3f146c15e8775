"""The plain HTTP side of the public door: the page, health, checks."""

from __future__ import annotations

from http import HTTPStatus
from importlib.resources import files
from os.path import splitext
from typing import Final, cast
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

from gows.access.admission import Admission
from gows.access.request import RequestHead
from gows.chat.context import Context
from gows.errors import Refusal, undecided
from gows.journal import Journal
from gows.web.readiness import Readiness

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}

_PAGE: Final = (
    "index.html",
    "account.js",
    "chat.css",
    "chat.js",
    "composer.js",
    "connection.js",
    "conversations.js",
    "elements.js",
    "identity.js",
    "joinform.js",
    "line.js",
    "messages.js",
    "people.js",
    "rights.js",
    "signin.js",
)
"""The files of the page; the first one is what the door itself shows."""

_PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        "connect-src 'self' ws: wss:; img-src 'self' data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}

_PLAIN: Final = "text/plain; charset=utf-8"


class Channel(HTTPChannel):
    """
    Answers one request, then the connection ends.

    @ivar head: the request's head, as the opening read it
    @ivar address: the client's own address
    @ivar isLost: whether the peer has left
    """

    head: RequestHead
    address: str
    isLost = False

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Take note that the peer has left."""
        self.isLost = True
        super().connectionLost(reason)

    def checkPersistence(self, request: Request, version: bytes) -> bool:
        """Let no second request follow."""
        request.responseHeaders.setRawHeaders(b"Connection", [b"close"])
        return False


class PublicSite(Site):
    """All that is served without an upgrade."""

    protocol = Channel  # type: ignore[assignment]  # Factory: "the class to create"
    displayTracebacks = False

    def __init__(self, admission: Admission, journal: Journal, reactor: object) -> None:
        """
        Serve the page and what helps it.

        @param admission: answers what an opening would be answered
        """
        root = Resource()
        folder = files("gows.web") / "page"
        for name in _PAGE:
            path = b"" if name == _PAGE[0] else name.encode()
            body, contentType = (folder / name).read_bytes(), _TYPES[splitext(name)[1]]
            root.putChild(path, Text(body, contentType, _PAGE_HEADERS))
        root.putChild(b"healthz", Health())
        root.putChild(b"readyz", Readiness(lambda: admission.draining))
        root.putChild(b"check", Check(admission, journal))
        super().__init__(root, reactor=reactor)
        self._paths = {f"/{name.decode()}" for name in root.children}
        self._journal = journal

    def knows(self, path: str) -> bool:
        """Tell whether there is anything at a path."""
        return path in self._paths

    def channelFor(self, head: RequestHead, address: str) -> Channel:
        """Make what will answer one request."""
        channel = cast(Channel, self.buildProtocol(None))
        channel.head = head
        channel.address = address
        return channel

    def log(self, request: HTTPRequest) -> None:
        """Write down that a request was answered."""
        channel = cast(Channel, request.channel)
        head = channel.head
        self._journal.answered(channel.address, head.method, head.path, request.code)


class Text(Resource):
    """The same bytes for everybody."""

    isLeaf = True

    def __init__(self, body: bytes, contentType: str, headers: dict[str, str]) -> None:
        """Answer this."""
        super().__init__()
        self._body = body
        self._headers = {
            "Server": "gows",
            "Content-Type": contentType,
            "X-Content-Type-Options": "nosniff",
            **headers,
        }

    def render_GET(self, request: Request) -> bytes:
        """Answer; twisted.web leaves the body out for HEAD."""
        for name, value in self._headers.items():
            request.setHeader(name, value)
        return self._body


class Health(Text):
    """Tells that the process is alive."""

    def __init__(self) -> None:
        """Answer that."""
        super().__init__(b"ok\n", _PLAIN, {"Cache-Control": "no-store"})


class Check(Resource):
    """
    Answers what an opening with the same parameters would be answered.

    Scripts in browsers see no refusal of an opening: for them it is always 1006.
    """

    isLeaf = True

    def __init__(self, admission: Admission, journal: Journal) -> None:
        """Ask this admission."""
        super().__init__()
        self._admission = admission
        self._journal = journal

    def render_GET(self, request: Request) -> int:
        """Ask, and answer in any web page's reach: there are no secrets in it."""
        channel = cast(Channel, request.channel)
        asked = Deferred.fromCoroutine(self._ask(channel))
        asked.addCallback(
            lambda _: self._answer(request, 200, "This opening would succeed.")
        )
        asked.addErrback(lambda failure: self._refuse(request, channel, failure))
        request.notifyFinish().addErrback(lambda _: asked.cancel())
        return NOT_DONE_YET

    async def _ask(self, channel: Channel) -> Context:
        head, address = channel.head, channel.address
        origin = _originOfPage(head) if head.origin is None else head.origin
        return await self._admission.admit(head, address, origin)

    def _refuse(self, request: Request, channel: Channel, failure: Failure) -> None:
        if channel.isLost:
            return
        refusal = failure.value
        if not isinstance(refusal, Refusal):
            self._journal.applicationFailed(failure)
            refusal = undecided()
        for name, value in refusal.headers.items():
            request.setHeader(name, value)
        self._answer(request, refusal.status, refusal.text)

    def _answer(self, request: Request, status: int, text: str) -> None:
        body = f"{text}\n".encode()
        request.setResponseCode(status, HTTPStatus(status).phrase.encode())
        request.setHeader("Server", "gows")
        request.setHeader("Content-Type", _PLAIN)
        request.setHeader("Content-Length", str(len(body)))
        request.setHeader("Cache-Control", "no-store")
        request.setHeader("X-Content-Type-Options", "nosniff")
        request.setHeader("Access-Control-Allow-Origin", "*")
        request.setHeader("Access-Control-Expose-Headers", "Retry-After")
        request.write(body)
        request.finish()


def _originOfPage(head: RequestHead) -> str | None:
    # Of their own origin browsers say nothing in a GET, but in an opening they do.
    [referer] = [*head.values("referer"), ""][:1]
    try:
        page = urlsplit(referer)
    except ValueError:
        return None
    return f"{page.scheme}://{page.netloc}" if page.netloc else None
