"""The console: the page at the root of the operators' door, and its files."""

from __future__ import annotations

from typing import Final

from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

from gows.web.signin import SIGN_IN, seeOther, staticFiles

CONSOLE: Final = "/"
"""The page's path."""

_PAGE: Final = "console.html"

LOOKS: Final = ("palette.css", "signin.css")
"""What the sign-in page needs of the files: nobody is asked for a key for them."""

FILES: Final = (
    "console.css",
    "panels.css",
    "calls.js",
    "chart.js",
    "connections.js",
    "console.js",
    "crosshair.js",
    "disconnect.js",
    "elements.js",
    "feed.js",
    "history.js",
    "plot.js",
    "poll.js",
    "publish.js",
    "rooms.js",
    "tiles.js",
    "units.js",
    "warnings.js",
)
"""The other files, each at its name."""


def consolePages() -> dict[str, IResource]:
    """Make the page and its files, by path."""
    pages = staticFiles(_PAGE, *FILES)
    pages[CONSOLE] = pages.pop(f"/{_PAGE}")
    return pages


def wantsPage(request: Request) -> bool:
    """Tell whether a browser goes to the console, to show it to somebody."""
    accepted = request.getHeader("Accept") or ""
    isRead = request.method in (b"GET", b"HEAD")
    return isRead and request.path == CONSOLE.encode() and "text/html" in accepted


class SignInFirst(Resource):
    """Leads who has not signed in to where one does."""

    isLeaf = True

    def render(self, request: Request) -> int:
        """Lead there."""
        return seeOther(request, SIGN_IN)
