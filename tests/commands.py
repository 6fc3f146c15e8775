"""Runs the commands of ``gows`` in this process."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gows.commands.shell import main
from tests.tokens import written


class CommandCase(SynchronousTestCase):
    """
    Tests that run commands.

    @ivar folder: for files
    @ivar variables: the environment, empty at first
    """

    def setUp(self) -> None:
        """Begin with an empty environment, and nothing on standard input."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.variables: dict[str, str] = {}
        self.patch(os, "environ", self.variables)
        self.type("")

    def type(self, text: str) -> None:
        """Put a text on standard input."""
        self.patch(sys, "stdin", io.StringIO(text))

    def file(self, name: str, content: object) -> str:
        """Write bytes, or anything else as JSON, to a file, and answer its path."""
        return written(self.folder / name, content)

    def output(self, *arguments: str) -> str:
        """Run a command that succeeds, and answer what it writes."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main([*arguments])
        self.assertEqual(err.getvalue(), "")
        return out.getvalue()

    def fault(self, *arguments: str) -> str:
        """
        Run a command that fails.

        @return: its one line, without what all of them begin with
        """
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            ended = self.assertRaises(SystemExit, main, [*arguments])
        self.assertEqual((ended.code, out.getvalue()), (1, ""))
        line = err.getvalue()
        self.assertTrue(line.startswith("gows: ") and line.endswith("\n"), line)
        self.assertTrue(line[:-1].isprintable(), line)
        return line[len("gows: ") : -1]

    def shown(self, *arguments: str) -> str:
        """Run a command that shows something and exits: --help, --version."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            ended = self.assertRaises(SystemExit, main, [*arguments])
        self.assertIn(ended.code, (0, None))
        return out.getvalue()
