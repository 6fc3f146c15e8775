"""The sign-in page of the operators' door: a key, for a cookie."""

from __future__ import annotations

from importlib.resources import files
from os.path import splitext
from typing import Final

from twisted.web.error import UnsupportedMethod
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

from gows.chat.context import parseQuery
from gows.errors import Refusal
from gows.web.answers import Problem, answer
from gows.web.doorrequest import DoorRequest
from gows.web.guard import Guard
from gows.web.sessions import COOKIE, LIFETIME

SIGN_IN: Final = "/signin"
SIGN_OUT: Final = "/signout"
"""Their paths."""

PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    # With no-referrer, browsers say "Origin: null" when a form is sent.
    "Referrer-Policy": "same-origin",
}
"""What pages of this door may do."""

HTML: Final = "text/html; charset=utf-8"

_MAX_FORM: Final = 4096
"""Bytes that a form may have."""

_TYPES: Final = {
    ".html": HTML,
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}


class SignIn(Resource):
    """Shows the form, and takes what is written in it."""

    isLeaf = True

    def __init__(self, guard: Guard) -> None:
        """Have keys checked by this guard."""
        super().__init__()
        self._guard = guard
        self._page = (files("gows.web") / "console" / "signin.html").read_text("utf-8")

    def render_GET(self, request: Request) -> int:
        """Show the form."""
        if not self._guard.asksForKeys:
            return seeOther(request, "/")
        return self._show(request)

    def render_POST(self, request: DoorRequest) -> int:
        """Begin a session, or say why not."""
        if not self._guard.asksForKeys:
            return seeOther(request, "/")
        key = _keyIn(request)
        if not key:
            return self._show(request, "Write a key.", 400)
        try:
            digest = self._guard.digestFor(key, request)
        except Problem as problem:
            for name, value in problem.headers.items():
                request.setHeader(name, value)
            return self._show(request, problem.fault.message, problem.status)
        _setCookie(request, self._guard.sessions.begin(digest), int(LIFETIME))
        return seeOther(request, "/")

    def _show(self, request: Request, fault: str = "", status: int = 200) -> int:
        body = self._page.replace("{fault}", fault).encode()
        return answer(request, body, HTML, status, PAGE_HEADERS)


def _keyIn(request: DoorRequest) -> str:
    assert request.content is not None
    body = request.content.read(_MAX_FORM + 1)
    if len(body) > _MAX_FORM:
        return ""
    try:
        return parseQuery(body.decode("latin-1")).get("key", "").strip()
    except Refusal:
        return ""


class SignOut(Resource):
    """Ends a session."""

    isLeaf = True

    def __init__(self, guard: Guard) -> None:
        """End sessions of this guard."""
        super().__init__()
        self._guard = guard

    def render(self, request: Request) -> int:
        """
        End it: links do not, so it takes a POST.

        @raise UnsupportedMethod: if it is another
        """
        if request.method != b"POST":
            raise UnsupportedMethod([b"POST"])
        session = request.getCookie(COOKIE.encode())
        if session is not None:
            self._guard.sessions.end(session.decode("latin-1"))
        _setCookie(request, "", 0)
        return seeOther(request, SIGN_IN)


def staticFiles(*names: str) -> dict[str, IResource]:
    """Serve files of the console as they are, each at its name."""
    folder = files("gows.web") / "console"
    return {
        f"/{name}": Static((folder / name).read_bytes(), _TYPES[splitext(name)[1]])
        for name in names
    }


class Static(Resource):
    """The same bytes for everybody."""

    isLeaf = True

    def __init__(self, body: bytes, contentType: str) -> None:
        """Answer this."""
        super().__init__()
        self._body = body
        self._contentType = contentType

    def render_GET(self, request: Request) -> int:
        """Answer it."""
        return answer(request, self._body, self._contentType, headers=PAGE_HEADERS)


def seeOther(request: Request, path: str) -> int:
    """Send a browser to another page."""
    return answer(request, b"", HTML, 303, {"Location": path})


def _setCookie(request: Request, value: str, seconds: int) -> None:
    request.addCookie(
        COOKIE,
        value,
        max_age=str(seconds),
        path="/",
        secure=request.isSecure(),
        httpOnly=True,
        sameSite="strict",
    )
