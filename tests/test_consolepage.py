"""Tests for L{gows.web.consolepage}: the console and its files."""

from __future__ import annotations

import re
from importlib.resources import files

from gows.access.apikeys import ApiKeys
from gows.access.ledger import MemoryLedger
from gows.web.consolepage import FILES, LOOKS, consolePages
from gows.web.door import Door
from gows.web.guard import Guard
from gows.web.hosts import Hosts
from gows.web.idempotency import Idempotency
from gows.web.signin import PAGE_HEADERS, staticFiles
from tests.asking import AskingTestCase
from tests.doors import PEERS

FOLDER = files("gows.web") / "console"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


class ConsoleFilesTests(AskingTestCase):
    """What is at the door's root, and what it consists of."""

    def test_page(self) -> None:
        """The page is at the root; it may do no more than its policy says."""
        answer = self.got(self.door(consolePages()), "/")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
        policy = answer.headers["content-security-policy"]
        self.assertEqual(policy, PAGE_HEADERS["Content-Security-Policy"])
        self.assertIn("script-src 'self';", policy)
        self.assertEqual(answer.headers["referrer-policy"], "same-origin")
        self.assertIn(b"<title>gows console</title>", answer.body)

    def test_files(self) -> None:
        """All files of the folder are served, and all that they name."""
        pages = {**consolePages(), **staticFiles(*LOOKS)}
        door = self.door(pages)
        known = {"console.html", "signin.html", "debug.css", *LOOKS, *FILES}
        self.assertEqual({file.name for file in FOLDER.iterdir()}, known)
        for name in ("console.html", "signin.html", *FILES):
            source = (FOLDER / name).read_text("utf-8")
            used = [
                *re.findall(r' (?:href|src)="(/[a-z]+\.[a-z]+)"', source),
                *(f"/{module}" for module in re.findall(r"from '\./(.+)'", source)),
            ]
            for path in used:
                if path != "/openapi.json":
                    self.assertEqual(self.got(door, path).status, 200, (name, path))

    def test_nothingInline(self) -> None:
        """Nothing in the pages is against their policy."""
        for name in ("console.html", "signin.html"):
            source = (FOLDER / name).read_text("utf-8")
            self.assertNotRegex(source, r"<style|<script(?! type=\"module\" src)", name)
            self.assertNotRegex(source, r'\s(?:style|on[a-z]+)="|https?://(?!www\.w3)')


class NoKeyTests(AskingTestCase):
    """Who comes to the console without a key."""

    def setUp(self) -> None:
        """Make a door that asks for keys."""
        super().setUp()
        keys = ApiKeys([("ops", "k" * 16)])
        journal = self.factory().journal
        now = self.clock.seconds
        guard = Guard(lambda: keys, Hosts((), ()), PEERS, journal, now)
        self.asking = Door(
            guard,
            calls=(),
            probes={},
            free={},
            guarded=consolePages(),
            memory=Idempotency(MemoryLedger(self.clock)),
            journal=journal,
            reactor=self.clock,
        )

    def test_browser(self) -> None:
        """A browser is led to the sign-in page, also after its session is over."""
        for more in ({}, {"Cookie": "gows_session=old"}):
            for method in ("GET", "HEAD"):
                answer = self.got(self.asking, "/", method, Accept=BROWSER, **more)
                self.assertEqual(answer.status, 303)
                self.assertEqual(answer.headers["location"], "/signin")

    def test_others(self) -> None:
        """Anything else is told that a key is missing."""
        for target, method, accept in (
            ("/", "GET", "*/*"),
            ("/", "POST", BROWSER),
            ("/console.js", "GET", BROWSER),
            ("/?", "GET", "application/json"),
        ):
            answer = self.got(self.asking, target, method, Accept=accept)
            self.assertEqual(answer.status, 401, (target, method, accept))
            self.assertEqual(answer.headers["content-type"], "application/json")

    def test_key(self) -> None:
        """With a key the page is there."""
        answer = self.got(self.asking, "/", Authorization=f"Bearer {'k' * 16}")
        self.assertEqual(answer.status, 200)
