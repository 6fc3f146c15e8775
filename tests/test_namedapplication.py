"""Tests for L{gows.namedapplication}: what --app may name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gows.chat.application import BroadcastChat
from gows.errors import CannotStart
from gows.namedapplication import makeApplicationOf
from gows.settings import Settings

LEAVES = """\
import sys

def plain(chat):
    raise SystemExit

def zero(chat):
    sys.exit(0)
"""
"""A module with makers that exit."""


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

    def module(self, name: str, text: str) -> None:
        """Write a module, and let it be found."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        (folder / f"{name}.py").write_text(text)
        self.patch(sys, "path", [str(folder), *sys.path])
        self.addCleanup(sys.modules.pop, name, None)

    def test_raisesOnImport(self) -> None:
        """So is a module that raises, or exits, when it is imported."""
        for number, (statement, words) in enumerate(
            (
                ("raise RuntimeError('not\\ntoday')", "RuntimeError: not today"),
                ("raise SystemExit", "SystemExit"),
                ("import sys; sys.exit(0)", "SystemExit: 0"),
                ("raise SystemExit('enough')", "SystemExit: enough"),
            )
        ):
            module = f"gows_raises_{number}"
            self.module(module, f"{statement}\n")
            line = self.refusal(f"{module}.Chat")
            self.assertIn(f"cannot be imported: {words} (", line)
            self.assertRegex(line, r":\d+\)$")

    def test_exits(self) -> None:
        """A maker that exits ends nothing but the start."""
        self.module("gows_leaves", LEAVES)
        for maker, words in (
            ("plain", r"SystemExit \(.*leaves\.py:4\)"),
            ("zero", r"SystemExit: 0 \(.*leaves\.py:7\)"),
        ):
            line = self.refusal(f"gows_leaves.{maker}")
            self.assertRegex(line, f"cannot be made: {words}$")
