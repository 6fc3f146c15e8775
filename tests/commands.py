"""Runs the commands of ``gows`` in this process."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from websockets.sync.client import ClientConnection
from websockets.typing import Subprotocol

from gows.commands.shell import main
from tests.support import Server, freePort, webSocket
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

    def type(self, text: str | bytes) -> None:
        """Put a text on standard input."""
        path = self.folder / "stdin"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        stdin = path.open(encoding="utf-8")
        self.addCleanup(stdin.close)
        self.patch(sys, "stdin", stdin)

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

    def fault(self, *arguments: str, status: int = 1) -> str:
        """
        Run a command that fails.

        @param status: with which it ends
        @return: its one line, without what all of them begin with
        """
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            ended = self.assertRaises(SystemExit, main, [*arguments])
        self.assertEqual((ended.code, out.getvalue()), (status, ""))
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


class DoorCommandCase(CommandCase):
    """
    Tests that run commands against a real server.

    @ivar server: that; its door is where the environment says
    """

    def setUp(self) -> None:
        """Start nothing yet."""
        super().setUp()
        self.server: Any = None

    def serve(self, *arguments: str) -> Server:
        """Start a server with an operators' door."""
        port = freePort()
        admin = f"tcp:{port}:interface=127.0.0.1"
        server = self.enterContext(Server("--admin", admin, *arguments, doors=2))
        self.server = server
        self.variables["GOWS_DOOR"] = f"http://127.0.0.1:{port}"
        return server

    def client(self, query: str, *protocols: str) -> ClientConnection:
        """Connect a client."""
        return self.enterContext(
            webSocket(
                self.server.wsUrl,
                query,
                subprotocols=[Subprotocol(name) for name in protocols] or None,
            )
        )
