"""Tests of L{gows.web.debugpages}."""

from __future__ import annotations

import re
import tracemalloc
from urllib.parse import urljoin, urlsplit

from gows.web.debugpage import STYLE
from gows.web.debugpages import INDEX, debugPages
from tests.asking import AskingTestCase
from tests.test_reactorpage import Measured
from tests.test_stacks import HeldClock


class DebugPagesTests(AskingTestCase):
    """All pages are there, and found."""

    def setUp(self) -> None:
        """Open a door to them."""
        super().setUp()
        self.held = HeldClock()
        self.made = debugPages(
            self.held,
            Measured(),
            list,
            self.factory().journal,
            argv=("gows",),
            environment=(),
        )
        self.pages = self.door(self.made, self.held)

    def links(self) -> set[str]:
        """Answer what the index leads to."""
        answer = self.got(self.pages, INDEX)
        self.assertEqual(answer.status, 200)
        found = re.findall(r'href="([^"]+)"', answer.body.decode())
        return {urljoin(INDEX, link) for link in found}

    def test_index(self) -> None:
        """The index leads to all of them."""
        self.assertEqual(
            {urlsplit(link).path for link in self.links()} | {INDEX}, {*self.made}
        )

    def test_linksLeadSomewhere(self) -> None:
        """Each link is one that is answered."""
        self.addCleanup(tracemalloc.stop)
        for link in sorted(self.links()):
            asked = self.begin(self.pages, link)
            if not asked.isAnswered:  # a profile begins
                self.assertIn("profile", link)
                asked.leave()
            else:
                self.assertEqual(asked.answer.status, 200, link)

    def test_running(self) -> None:
        """The index says what is running."""
        self.assertIn(b"<p>Nothing.</p>", self.got(self.pages, INDEX).body)
        asked = self.begin(self.pages, f"{INDEX}profile?seconds=20")
        self.held.advance(5)
        self.addCleanup(tracemalloc.stop)
        self.got(self.pages, f"{INDEX}heap")
        page = self.got(self.pages, INDEX).body
        self.assertIn(b"profile: 15 s to go", page)
        self.assertIn(b"heap: allocations are traced", page)
        asked.leave()
        self.assertNotIn(b"profile: ", self.got(self.pages, INDEX).body)

    def test_style(self) -> None:
        """The style is its own file, for no page has any in it."""
        answer = self.got(self.pages, STYLE)
        self.assertEqual(answer.headers["content-type"], "text/css; charset=utf-8")
        for path in (INDEX, f"{INDEX}reactor"):
            page = self.got(self.pages, path)
            self.assertIn("style-src 'self'", page.headers["content-security-policy"])
            self.assertNotIn(b"<style", page.body)
            self.assertNotIn(b"style=", page.body)
            self.assertNotIn(b"<script", page.body)
