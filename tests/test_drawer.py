"""Tests of L{gows.web.drawer}: a real process."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, inlineCallbacks
from twisted.internet.process import ProcessReader
from twisted.internet.task import deferLater
from twisted.python.reflect import namedAny
from twisted.trial.unittest import TestCase

from gows.web.drawer import CannotDraw, drawerOf
from tests.test_drawing import sampled

reactor: Any = namedAny("twisted.internet.reactor")


class DrawerTests(TestCase):
    """Profiles are drawn by a process of its own."""

    timeout = 60

    @inlineCallbacks
    def test_draws(self) -> Generator[Deferred[Any], Any, None]:
        """What was sampled is drawn, be it much."""
        session = sampled()
        session.frame_records = session.frame_records[:1] * 5000
        page = yield drawerOf(reactor)(session, "html")
        self.assertTrue(page.startswith(b"<!DOCTYPE html>"))
        self.assertIn(b"sampled", page)

    @inlineCallbacks
    def test_fails(self) -> Generator[Deferred[Any], Any, None]:
        """Why it failed is told."""
        failing = drawerOf(reactor)(sampled(), "pdf")
        error = yield self.assertFailure(failing, CannotDraw)
        self.assertIn("KeyError: 'pdf'", str(error))

    @inlineCallbacks
    def test_cancel(self) -> Generator[Deferred[Any], Any, None]:
        """A drawing that nobody wants any more ends, and its process as well."""
        drawing = drawerOf(reactor)(sampled(), "html")
        pipes = [
            each for each in reactor.getReaders() if isinstance(each, ProcessReader)
        ]
        self.assertEqual(len(pipes), 2)
        drawing.cancel()
        yield self.assertFailure(drawing, CancelledError)
        while not {*pipes}.isdisjoint(reactor.getReaders()):
            yield deferLater(reactor, 0.01)
