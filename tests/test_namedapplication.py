"""Tests for L{gows.namedapplication}: what --app may name."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gows.chat.application import BroadcastChat
from gows.errors import CannotStart
from gows.namedapplication import makeApplicationOf
from gows.settings import Settings


class ApplicationTests(SynchronousTestCase):
    """What --app may name."""

    def refusal(self, name: str) -> str:
        """Answer the line that refuses an application."""
        error = self.assertRaises(CannotStart, self.make, name)
        self.assertNotIn("\n", str(error))
        self.assertIn(f"app {name} ", str(error))
        return str(error)

    def make(self, name: str) -> object:
        """Make an application by its name."""
        chat: Any = object()
        return makeApplicationOf(name)(chat)

    def test_default(self) -> None:
        """The default is the broadcast chat, which gets what it is to talk to."""
        chat: Any = object()
        application = makeApplicationOf(Settings().app)(chat)

        assert isinstance(application, BroadcastChat)
        self.assertIs(application.chat, chat)

    def test_notFound(self) -> None:
        """No such module, or nothing of that name in it: it cannot be imported."""
        for name in ("no_such_module.Chat", "gows.no_such.Chat", "os.NoSuchThing"):
            self.assertIn("cannot be imported", self.refusal(name))

    def test_notCallable(self) -> None:
        """A module or a constant makes no application."""
        self.assertIn("no class or callable", self.refusal("os.path"))
        self.assertIn("no class or callable", self.refusal("os.sep"))

    def test_notAnApplication(self) -> None:
        """What it makes must have the callbacks."""
        line = self.refusal("builtins.id")

        self.assertIn("does not provide gows.interfaces.IApplication", line)

    def test_raises(self) -> None:
        """A constructor that raises is named with the place where it did."""
        line = self.refusal("fractions.Fraction")

        self.assertIn("cannot be made: TypeError: ", line)
        self.assertRegex(line, r"fractions\.py:\d+\)$")
