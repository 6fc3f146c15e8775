"""Tests of L{gows.web.debugpage}."""

from __future__ import annotations

from twisted.web.server import Request

from gows.web.debugpage import STYLE, DebugPage, showPage, showText
from gows.web.parameters import Parameters
from tests.asking import AskingTestCase


class Words(DebugPage):
    """A page that shows what it is asked to."""

    def show(self, request: Request, given: Parameters) -> int:
        """Show it."""
        text = given.choice("say", "b", ["c"])
        return showText(request, "\udc80" if text == "c" else text)


class Begins(DebugPage):
    """A page that begins something."""

    isAction = True

    def show(self, request: Request, given: Parameters) -> int:
        """Say so."""
        return showPage(request, "<Begun>", "<p>&amp;</p>")


class DebugPageTests(AskingTestCase):
    """What the pages have in common."""

    def setUp(self) -> None:
        """Make two pages."""
        super().setUp()
        self.pages = self.door({"/debug/words": Words(), "/debug/begin": Begins()})

    def test_text(self) -> None:
        """Text is not taken for anything else, nor kept."""
        answer = self.got(self.pages, "/debug/words?say=b")
        self.assertEqual((answer.status, answer.body), (200, b"b"))
        self.assertEqual(self.got(self.pages, "/debug/words?say=c").body, b"\\udc80")
        self.assertEqual(answer.headers["content-type"], "text/plain; charset=utf-8")
        self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
        self.assertEqual(answer.headers["cache-control"], "no-store")

    def test_head(self) -> None:
        """HEAD is answered as GET is, without the body, unless it is an action."""
        answer = self.got(self.pages, "/debug/words", "HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(answer.headers["content-length"], "1")
        self.assertEqual(self.got(self.pages, "/debug/begin", "HEAD").status, 405)

    def test_methods(self) -> None:
        """Other methods are refused."""
        answer = self.got(self.pages, "/debug/words", "POST", Content_Length="0")
        self.assertEqual(answer.status, 405)
        self.assertEqual(answer.headers["allow"], "GET, HEAD")
        answer = self.got(self.pages, "/debug/begin", "POST", Content_Length="0")
        self.assertEqual(answer.headers["allow"], "GET")

    def test_broken(self) -> None:
        """A URL that cannot be read, or asks for something else, is refused."""
        for query in ("say=%", "say=b&say=b", "say=d"):
            answer = self.got(self.pages, f"/debug/words?{query}")
            self.assertEqual(answer.status, 400, query)

    def test_page(self) -> None:
        """A page has its title escaped, its style, and may load nothing from others."""
        answer = self.got(self.pages, "/debug/begin")
        self.assertIn(b"<title>&lt;Begun&gt; ", answer.body)
        self.assertIn(b"<p>&amp;</p>", answer.body)
        self.assertIn(STYLE.encode(), answer.body)
        policy = answer.headers["content-security-policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe-inline", policy)

    def test_otherSites(self) -> None:
        """Nobody is sent by a link of another site to where something begins."""
        elsewhere = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
        self.assertEqual(self.got(self.pages, "/debug/words", **elsewhere).status, 200)
        self.assertEqual(self.got(self.pages, "/debug/begin", **elsewhere).status, 403)
        here = {"Sec_Fetch_Site": "same-origin", "Sec_Fetch_Mode": "navigate"}
        self.assertEqual(self.got(self.pages, "/debug/begin", **here).status, 200)
