"""Tests of L{gows.web.profiles}."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
from twisted.internet.defer import Deferred

from gows.web.profiles import MAX_SAMPLES, Profiles
from tests.asking import Asked, AskingTestCase


class Drawings:
    """Draws when it is told to, and remembers what."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        self.begun: list[tuple[Any, str, Deferred[bytes]]] = []
        self.cancelled = 0

    def __call__(self, session: Any, format: str) -> Deferred[bytes]:
        """Remember it."""
        drawn: Deferred[bytes] = Deferred(self._cancel)
        self.begun.append((session, format, drawn))
        return drawn

    def _cancel(self, _: object) -> None:
        self.cancelled += 1


class ProfilesTestCase(AskingTestCase):
    """Tests with profiles."""

    def setUp(self) -> None:
        """Make a page with profiles."""
        super().setUp()
        self.draw = Drawings()
        self.profiles = Profiles(self.clock, self.draw, self.factory().journal)
        self.pages = self.door({"/debug/profile": self.profiles})

    def asked(self, query: str = "") -> Asked:
        """Ask for a profile."""
        return self.begin(self.pages, f"/debug/profile?{query}")

    def isSampling(self) -> bool:
        """Tell whether this thread is being sampled."""
        return sys.getprofile() is not None


class ProfileTests(ProfilesTestCase):
    """A profile is made in the meantime, and then answered."""

    def test_whole(self) -> None:
        """It begins at once, ends when the time is over, is drawn, and answered."""
        asked = self.asked("seconds=3")
        self.assertTrue(self.isSampling())
        self.clock.advance(2.9)
        self.assertTrue(self.isSampling())
        self.assertEqual(self.profiles.running, "0 s to go")
        self.assertFalse(asked.isAnswered)
        self.clock.advance(0.1)
        self.assertFalse(self.isSampling())
        self.assertFalse(asked.isAnswered)
        self.assertEqual(self.profiles.running, "it is being drawn")
        [(session, format, drawn)] = self.draw.begun
        self.assertEqual(format, "html")
        self.assertEqual(session.min_interval, 0.005)
        drawn.callback(b"<html>")
        self.assertEqual(asked.answer.status, 200)
        self.assertEqual(asked.answer.body, b"<html>")
        self.assertEqual(self.profiles.running, "")

    def test_html(self) -> None:
        """The page may run its script, but not as a page of this door."""
        asked = self.asked()
        self.clock.advance(10)
        self.draw.begun[0][2].callback(b"x")
        headers = asked.answer.headers
        self.assertEqual(headers["content-type"], "text/html; charset=utf-8")
        policy = headers["content-security-policy"]
        self.assertIn("sandbox allow-scripts;", policy)
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("allow-same-origin", policy)

    def test_formats(self) -> None:
        """A profile is had as a file for speedscope, or as text."""
        for format, contentType in (
            ("speedscope", "application/json"),
            ("text", "text/plain; charset=utf-8"),
        ):
            asked = self.asked(f"format={format}&seconds=0.1&interval=20")
            self.clock.advance(0.1)
            session, drawnAs, drawn = self.draw.begun[-1]
            self.assertEqual((drawnAs, session.min_interval), (format, 0.02))
            drawn.callback(b"x")
            self.assertEqual(asked.answer.headers["content-type"], contentType)

    def test_samples(self) -> None:
        """What runs meanwhile is in it."""

        def takesTime() -> None:
            end = sys.maxsize
            while end > sys.maxsize - 200_000:
                end = min(end - 1, sys.maxsize)

        self.asked("seconds=1&interval=1")
        self.clock.callLater(0.5, takesTime)
        self.clock.pump([0.5, 0.5])
        [(session, _, _)] = self.draw.begun
        stacks = [stack for stack, _ in session.frame_records]
        self.assertIn("takesTime", str(stacks))


class RefusalTests(ProfilesTestCase):
    """Not everything is done that is asked for."""

    def test_another(self) -> None:
        """One at a time, until it is drawn."""
        self.asked("seconds=1")
        self.assertEqual(self.asked().answer.status, 409)
        self.clock.advance(1)
        self.assertEqual(self.asked().answer.status, 409)
        self.draw.begun[0][2].callback(b"")
        self.asked().leave()

    def test_otherProfiler(self) -> None:
        """A profiler that runs already is not put out."""

        def profiler(*_: object) -> None:
            pass

        sys.setprofile(profiler)
        try:
            answer = self.asked().answer
            self.assertIs(sys.getprofile(), profiler)
        finally:
            sys.setprofile(None)
        self.assertEqual(answer.status, 409)

    def test_nonsense(self) -> None:
        """Nonsense is refused, and the field named."""
        for query, field in (
            ("seconds=61", "seconds"),
            ("seconds=0", "seconds"),
            ("seconds=-1", "seconds"),
            ("seconds=nan", "seconds"),
            ("seconds=ten", "seconds"),
            ("seconds=", "seconds"),
            ("format=pdf", "format"),
            ("interval=0.5", "interval"),
            ("interval=x", "interval"),
            (f"seconds=60&interval={59_000 / MAX_SAMPLES}", "interval"),
        ):
            answer = self.asked(query).answer
            self.assertEqual(answer.status, 400, query)
            fault = msgspec.json.decode(answer.body)["error"]
            self.assertEqual(fault["field"], field, query)
        self.assertEqual(self.asked("second=1").answer.status, 400)
        self.assertFalse(self.isSampling())

    def test_otherMethods(self) -> None:
        """Nothing begins for HEAD."""
        self.assertEqual(self.got(self.pages, "/debug/profile", "HEAD").status, 405)
        self.assertFalse(self.isSampling())


class EndTests(ProfilesTestCase):
    """Whatever happens, the next profile can be made."""

    def test_leaves(self) -> None:
        """Who leaves takes the profile along."""
        self.asked().leave()
        self.assertFalse(self.isSampling())
        self.assertEqual(self.profiles.running, "")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.draw.begun, [])

    def test_leavesDrawing(self) -> None:
        """Who leaves while it is drawn has that end."""
        asked = self.asked()
        self.clock.advance(10)
        asked.leave()
        self.assertEqual(self.draw.cancelled, 1)
        self.assertEqual(self.profiles.running, "")
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_cannotDraw(self) -> None:
        """A failure to draw is in the log, and the answer does not tell of it."""
        asked = self.asked()
        self.clock.advance(10)
        self.draw.begun[0][2].errback(RuntimeError("KILROY"))
        self.assertEqual(asked.answer.status, 500)
        self.assertNotIn(b"KILROY", asked.answer.body)
        self.assertIn("a request of an operator failed", str(self.events))
        self.asked().leave()
