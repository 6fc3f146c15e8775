"""What all pages under C{/debug/} have in common."""

from __future__ import annotations

from html import escape
from typing import Final, cast

from twisted.web.resource import Resource
from twisted.web.server import Request

from gows.web.answers import Problem, answer, answerProblem
from gows.web.doorrequest import DoorRequest
from gows.web.parameters import Parameters
from gows.web.signin import HTML, PAGE_HEADERS

PLAIN: Final = "text/plain; charset=utf-8"

STYLE: Final = "/debug/debug.css"
"""The path of the pages' style sheet."""

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title} · gows</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="{style}">
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


class DebugPage(Resource):
    """
    A page that operators look at to see what the process does.

    @cvar isAction: whether asking for it begins something that costs: links of other
        sites may not do that, nor is it done for HEAD, nor for who has left
    """

    isLeaf = True
    isAction = False

    def render(self, request: Request) -> int:
        """Check the request, and show the page, or a problem."""
        cast(DoorRequest, request).endsWithClient = self.isAction
        try:
            self._check(request)
            return self.show(request, Parameters.of(request))
        except Problem as problem:
            return answerProblem(request, problem)

    def _check(self, request: Request) -> None:
        methods = (b"GET",) if self.isAction else (b"GET", b"HEAD")
        if request.method not in methods:
            allowed = b", ".join(methods).decode()
            raise Problem(
                405,
                "method_not_allowed",
                f"The method must be {allowed.replace(', ', ' or ')}.",
                headers={"Allow": allowed},
            )
        site = request.getHeader("Sec-Fetch-Site")
        if self.isAction and site in ("cross-site", "same-site"):
            raise Problem(
                403, "cross_site", "Other sites may not begin this: go by way of here."
            )

    def show(self, request: Request, given: Parameters) -> int:
        """
        Answer.

        @param given: what the URL asks for
        @raise Problem: if it cannot be
        """
        raise NotImplementedError


def showText(request: Request, text: str) -> int:
    """Answer plain text, and end."""
    return answer(request, text.encode("utf-8", "backslashreplace"), PLAIN)


def showPage(request: Request, title: str, body: str) -> int:
    """
    Answer a page, and end.

    @param body: HTML
    """
    page = _PAGE.format(title=escape(title), style=STYLE, body=body)
    return answer(request, page.encode(), HTML, headers=PAGE_HEADERS)
