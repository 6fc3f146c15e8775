"""Tests for L{gows.commands.chatcommand}: a talk with a real server."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

from tests.commands import DoorCommandCase
from tests.support import ROOT, TIMEOUT, environment, freePort, until
from tests.tokens import privateJwk

PROGRAM = "from gows.commands.shell import main; main()"


class ChatTests(DoorCommandCase):
    """gows chat"""

    def test_lines(self) -> None:
        """Lines of standard input are said; what comes is shown; its end is the end."""
        server = self.serve()
        raw = self.client("specialKey=raw&room=den")
        self.type("hello\n/join den\nin the den\n/who\n/nonsense\n")
        lines = self.output("chat", server.wsUrl, "--name", "zoe").splitlines()
        self.assertEqual(lines[0], "* connected as zoe")
        self.assertIn("zoe: hello", lines)
        self.assertIn("[#den] zoe: in the den", lines)
        self.assertIn("* 2 in #den: raw, zoe", lines)
        self.assertEqual(raw.recv(TIMEOUT), "in the den")

    def test_room(self) -> None:
        """One may begin in a room."""
        server = self.serve()
        raw = self.client("specialKey=raw&room=den")
        self.type("hello\n")
        self.output("chat", f"127.0.0.1:{server.port}", "--room", "#den", "--name", "a")
        self.assertEqual(raw.recv(TIMEOUT), "hello")

    def test_token(self) -> None:
        """With a token one is who it says; without one it is told what is missing."""
        key = self.file("key.json", privateJwk("HS256"))
        server = self.serve("--token-key", key)
        token = self.output("token", "--key", key, "--sub", "tia").strip()
        self.type("/quit\n")
        for arguments, variables in (
            (("--token", token), {}),
            ((), {"GOWS_TOKEN": token}),
        ):
            self.type("/quit\n")
            self.variables.update(variables)
            shown = self.output("chat", server.wsUrl, *arguments)
            self.assertIn(shown, ("", "* connected as tia\n"))
        self.variables.clear()
        line = self.fault("chat", server.wsUrl, status=3)
        self.assertIn("401: A token is missing", line)

    def test_closed(self) -> None:
        """That the server closes is told, and is the status."""
        server = self.serve("--max-errors", "1")
        url = f"{server.wsUrl}?specialKey=zoe"
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "chat", url],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        server.waitForLog("opened z")
        self.output("disconnect", "zoe", "--reason", "enough")
        _, err = process.communicate("too late\n", timeout=TIMEOUT)
        self.assertEqual(err, "gows: the server closed with 1008: enough\n")
        self.assertEqual(process.returncode, 3)

    def test_wrong(self) -> None:
        """What is wrong is said."""
        for arguments, status, words in (
            (("ftp://a",), 1, "URL"),
            (("ws://a:x",), 1, "URL"),
            (("a", "b"), 1, "one URL"),
            (("--room", "a b"), 1, "--room"),
            ((f"ws://127.0.0.1:{freePort()}/",), 2, "cannot be reached"),
        ):
            self.assertIn(words, self.fault("chat", *arguments, status=status))
        server = self.serve()
        line = self.fault("chat", f"{server.wsUrl}nowhere", status=3)
        self.assertIn("404", line)

    def test_terminal(self) -> None:
        """On a terminal there is a prompt, and what comes does not disturb it."""
        server = self.serve()
        raw = self.client("specialKey=raw")
        ours, theirs = pty.openpty()
        self.addCleanup(os.close, ours)
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "chat", server.wsUrl, "--name", "zoe"],
            cwd=ROOT,
            env=environment(TERM="xterm", PROMPT_TOOLKIT_NO_CPR="1"),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self.addCleanup(process.kill)
        seen = b""

        def shows(words: bytes) -> bool:
            nonlocal seen
            os.set_blocking(ours, False)
            try:
                seen += os.read(ours, 65536)
            except OSError:
                time.sleep(0.01)
            return words in seen

        until(lambda: shows(b"everyone>"))
        os.write(ours, b"typed\r")
        self.assertEqual(raw.recv(TIMEOUT), "typed")
        raw.send("to you")
        until(lambda: shows(b"raw: to you"))
        os.write(ours, b"\x04")
        self.assertEqual(process.wait(TIMEOUT), 0)
