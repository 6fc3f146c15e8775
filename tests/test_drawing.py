"""Tests of L{gows.web.drawing}."""

from __future__ import annotations

import json
from io import BytesIO

from pyinstrument import Profiler
from pyinstrument.session import Session
from twisted.trial.unittest import SynchronousTestCase

from gows.web.drawing import FORMATS, PIECE, draw, readSession, written
from gows.web.profiles import SANDBOX
from tests.test_page import PageCase


def sampled(count: int = 3) -> Session:
    """Sample this function."""
    profiler = Profiler(0.000001, async_mode="disabled")
    profiler.start()
    while count > 0:
        count = min(count - 1, count)
    return profiler.stop()


class DrawingTests(SynchronousTestCase):
    """What was sampled reaches another process, and is drawn there."""

    def drawn(self, format: str) -> str:
        """Draw a profile."""
        target = BytesIO()
        draw(format, BytesIO(b"".join(written(sampled()))), target)
        return target.getvalue().decode()

    def test_pieces(self) -> None:
        """However many samples there are, none is lost."""
        for count in (0, PIECE, 3 * PIECE + 1):
            session = sampled(1)
            session.frame_records = session.frame_records[:1] * count
            pieces = list(written(session))
            self.assertEqual(len(pieces), 1 + -(-count // PIECE))
            read = readSession(BytesIO(b"".join(pieces)))
            self.assertEqual(read.frame_records, session.frame_records)
            self.assertEqual(read.duration, session.duration)

    def test_html(self) -> None:
        """A page with everything in it: script, style and what was sampled."""
        page = self.drawn("html")
        self.assertIn("<script>", page)
        self.assertIn("sampled", page)
        self.assertNotIn("<link", page)

    def test_speedscope(self) -> None:
        """A file for speedscope."""
        file = json.loads(self.drawn("speedscope"))
        self.assertIn("speedscope", file["$schema"])
        names = [frame["name"] for frame in file["shared"]["frames"]]
        self.assertIn("sampled", names)

    def test_text(self) -> None:
        """Text without colours, in which no library is hidden."""
        text = self.drawn("text")
        self.assertIn("sampled", text)
        self.assertNotIn("\x1b", text)
        self.assertNotIn("hidden", text)

    def test_empty(self) -> None:
        """Nothing that was sampled is drawn as well."""
        session = sampled()
        session.frame_records = []
        for format in FORMATS:
            target = BytesIO()
            draw(format, BytesIO(b"".join(written(session))), target)
            self.assertTrue(target.getvalue(), format)


class SandboxTests(PageCase):
    """The page works in its sandbox."""

    def test_shown(self) -> None:
        """A browser shows what was sampled, in both views; nothing else is loaded."""
        target = BytesIO()
        draw("html", BytesIO(b"".join(written(sampled(20_000)))), target)
        page = self.browser.new_page()
        asked: list[str] = []
        faults: list[str] = []
        page.on("requestfinished", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        headers = {"Content-Type": "text/html", "Content-Security-Policy": SANDBOX}
        page.route(
            "http://gows.test/",
            lambda route: route.fulfill(body=target.getvalue(), headers=headers),
        )
        page.goto("http://gows.test/")
        page.get_by_text("sampled", exact=True).first.wait_for()
        page.get_by_text("Timeline").click()
        page.locator("canvas").first.wait_for()
        self.assertEqual(faults, [])
        self.assertEqual(asked, ["http://gows.test/"])
