"""Tests for L{gows.commands.chatcommand}: a talk with a real server."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from gows.commands import chatcommand
from tests.commands import DoorCommandCase
from tests.ptys import Pty
from tests.support import ROOT, TIMEOUT, environment, freePort, until
from tests.tokens import privateJwk

V1 = Subprotocol("gows.v1")

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
        """That the server closes is told at once, and is the status."""
        server = self.serve()
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "chat", f"{server.wsUrl}?specialKey=zoe"],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(process.kill)
        server.waitForLog("opened z")
        self.output("disconnect", "zoe", "--reason", "enough")
        assert process.stderr is not None
        line = process.stderr.read()  # nobody types anything
        self.assertEqual(line, "gows: the server closed with 1008: enough\n")
        self.assertEqual(process.wait(TIMEOUT), 3)
        process.communicate()

    def test_drained(self) -> None:
        """A server that stops closes, too."""
        server = self.serve("--drain-timeout", "0")
        with Pty("chat", server.wsUrl, "--name", "zoe") as chat:
            chat.waitForText("everyone>")
            server.terminate()
            self.assertEqual(chat.wait(), 3)
            self.assertIn("the server closed with 1001", chat.seen)

    def test_binary(self) -> None:
        """A binary message is not shown, but told."""
        server = self.serve()
        with Pty("chat", server.wsUrl, "--name", "zoe") as chat:
            chat.waitForText("everyone>")
            self.type(b"\x00" * 10)
            self.output("publish", "--binary", "-")
            chat.waitForText("the server: (10 bytes)")
            chat.press("\x03")
            self.assertEqual(chat.wait(), 130)
            self.assertEqual(chat.attributes(), chat.before)

    def test_input(self) -> None:
        """What is no text in the input is replaced; line ends may be Windows'."""
        server = self.serve()
        raw = self.client("specialKey=raw")
        self.type(b"a\xffb\r\n\r\nlast")
        self.output("chat", server.wsUrl, "--name", "zoe")
        self.assertEqual(raw.recv(TIMEOUT), "a\ufffdb")
        self.assertEqual(raw.recv(TIMEOUT), "last")
        self.patch(sys, "stdin", None)
        self.assertIn("no standard input", self.fault("chat", server.wsUrl))

    def test_secret(self) -> None:
        """What is no token is not shown, nor sent."""
        for token in ("sec ret", "sec\nret", "sec,ret", "s\u00e9cret"):
            line = self.fault("chat", "--token", token)
            self.assertNotIn("ret", line.removeprefix("what is given as a token"))

    def test_garbage(self) -> None:
        """A server that speaks something else is left."""

        def speaking(says: Sequence[str | bytes]) -> Callable[[ServerConnection], None]:
            def speak(peer: ServerConnection) -> None:
                with contextlib.suppress(ConnectionClosed):
                    for text in says:
                        peer.send(text)
                    peer.recv()
                    peer.recv()

            return speak

        for says, isV1, status, words in (
            ([], False, 3, "does not speak gows.v1"),
            (["hello"], True, 3, "what is not gows.v1"),
            (["[]"], True, 3, "what is not gows.v1"),
            (['{"type":"message"}'], True, 3, "what is not gows.v1"),
            ([b"\xff"], True, 3, "what is not gows.v1"),
            ([], True, 2, "does not answer"),
        ):
            with serve(
                speaking(says), "127.0.0.1", 0, subprotocols=[V1] if isV1 else None
            ) as server:
                thread = threading.Thread(target=server.serve_forever)
                thread.start()
                port = server.socket.getsockname()[1]
                self.type("said\n")
                if words == "does not answer":
                    self.patch(chatcommand, "TIMEOUT", 1.0)
                line = self.fault("chat", f"127.0.0.1:{port}", status=status)
                self.assertIn(words, line)
                server.shutdown()
                thread.join(TIMEOUT)

    def test_output(self) -> None:
        """Where what comes cannot be shown, it ends, and says so."""
        server = self.serve()
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, "chat", server.wsUrl, "--name", "zoe"],
                cwd=ROOT,
                env=environment(),
                input=b"x\n" * 100,
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=TIMEOUT,
                check=False,
            )
        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            done.stderr,
            b"gows: the output cannot be written: No space left on device\n",
        )

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
        with Pty("chat", server.wsUrl, "--name", "zoe") as chat:
            chat.waitForText("everyone>")
            chat.press("typed\r")
            self.assertEqual(raw.recv(TIMEOUT), "typed")
            raw.send("to you")
            chat.waitForText("raw: to you")

            def hasEnded() -> bool:
                # While a line is shown, a key that is no line gets lost.
                chat.press("\x04")
                chat.read(time.monotonic() + 0.2)
                return chat.process.poll() is not None

            until(hasEnded)
            self.assertEqual(chat.wait(), 0)
