"""Tests for L{gows.commands.toplive}: in a terminal, with a real server."""

from __future__ import annotations

import os
import pty
import select
import signal
import time
from threading import Event, Thread

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase
from websockets.exceptions import ConnectionClosed

from gows.commands.doorclient import DoorClient, DoorError
from gows.commands.toplive import LiveTop
from tests import falsedoors
from tests.commands import DoorCommandCase
from tests.falsedoors import Door
from tests.ptys import Pty
from tests.support import TIMEOUT, freePort

ALTERNATE = "\x1b[?1049h"
NORMAL = "\x1b[?1049l"
FEED = b"event: hello\ndata: {}\n\nevent: sample\ndata: {}\n\n"
SHOWN = "\x1b[?25h"


class LiveTests(DoorCommandCase):
    """gows top, in a terminal"""

    def top(self, *arguments: str, columns: int = 80, lines: int = 24) -> Pty:
        """Start it."""
        return self.enterContext(
            Pty(
                "top",
                *arguments,
                columns=columns,
                lines=lines,
                variables=self.variables,
            )
        )

    def assertRestored(self, top: Pty) -> None:
        """Check that the terminal is as it was."""
        self.assertEqual(top.seen.count(ALTERNATE), top.seen.count(NORMAL))
        self.assertGreater(top.seen.rfind(SHOWN), top.seen.rfind("\x1b[?25l"))
        self.assertEqual(top.attributes(), top.before)

    def test_shown(self) -> None:
        """All of it is on a small screen; another size is filled at once."""
        self.serve("--interface", "0.0.0.0")
        self.client("specialKey=[red]wörld&room=den")
        top = self.top()
        lines = top.waitFor("[red]wörld", "#den", "1 person", "q quit")
        self.assertEqual(len(lines), 24)
        self.assertTrue(all(len(line) <= 80 for line in lines))
        text = "\n".join(lines)
        for words in (
            "gows ",
            "messages/s",
            "deliveries/s",
            "fan-out p99",
            "CPU",
            "waiting▼",
            "#den",
            "NO TOKENS ARE ASKED FOR",
        ):
            self.assertIn(words, text)
        top.resize(120, 30)
        lines = top.waitFor("session", "q quit")
        self.assertEqual(len(lines), 30)
        top.press("q")
        self.assertEqual(top.wait(), 0)
        self.assertRestored(top)

    def test_order(self) -> None:
        """Letters and arrow keys choose the order."""
        self.serve()
        top = self.top("--by", "age")
        top.waitFor("by age")
        top.press("m")
        top.waitFor("by messages_in")
        top.press("\x1b[C")
        top.waitFor("by bytes_out")
        top.press("\x1b[D\x1b[D")
        top.waitFor("by waiting")
        top.press("\x03")
        self.assertEqual(top.wait(), 130)
        self.assertRestored(top)

    def test_kick(self) -> None:
        """A connection is disconnected after a question, and no other is."""
        self.serve()
        alice = self.client("specialKey=alice")
        bob = self.client("specialKey=bob")
        top = self.top("--by", "age")
        top.waitFor("bob")
        top.press("k")
        top.waitFor("select a connection first")
        top.press("\x1b[B\x1b[B")
        top.press("k")
        top.waitFor("Disconnect bob from 127.0.0.1? (y/n)")
        top.press("n")
        top.waitFor("nobody is disconnected")
        top.press("k")
        top.waitFor("Disconnect bob from 127.0.0.1? (y/n)")
        top.press("y")
        top.waitFor("bob is disconnected")
        closed = self.assertRaises(ConnectionClosed, bob.recv, TIMEOUT)
        assert isinstance(closed, ConnectionClosed)
        assert closed.rcvd is not None
        self.assertEqual(closed.rcvd.code, 1008)
        top.waitFor("(1)")
        alice.send("still here")
        self.assertEqual(alice.recv(TIMEOUT), "still here")

    def test_lost(self) -> None:
        """Where the server goes, that is shown; when it is back, it is shown again."""
        server = self.serve()
        top = self.top()
        top.waitFor("q quit")
        server.kill()
        top.waitFor("connection lost, retrying")
        server.start()
        lines = top.waitFor("q quit")
        self.assertNotIn("lost", lines[0])
        top.process.send_signal(signal.SIGTERM)
        self.assertEqual(top.wait(), 128 + signal.SIGTERM)
        self.assertRestored(top)

    def test_unreachable(self) -> None:
        """Without a server the screen is left alone."""
        self.variables["GOWS_DOOR"] = f"http://127.0.0.1:{freePort()}"
        top = self.top()
        self.assertEqual(top.wait(), 2)
        self.assertTrue(top.seen.startswith("gows: http://127.0.0.1:"))
        self.assertNotIn(ALTERNATE, top.seen)

    def test_tiny(self) -> None:
        """However small the terminal is, nothing breaks."""
        self.serve()
        top = self.top(columns=1, lines=1)
        for columns, lines in ((20, 3), (63, 9), (200, 5), (3, 60)):
            top.resize(columns, lines)
            os.kill(top.process.pid, 0)
        top.resize(80, 24)
        top.waitFor("q quit")
        top.press("\x1a\x1b[5~xq")
        self.assertEqual(top.wait(), 0)


class KeysTests(SynchronousTestCase):
    """What keys do, with a door that always says the same."""

    def setUp(self) -> None:
        """Open that door, and a terminal."""
        self.missed: tuple[str, str] | None = None
        found = (
            b'{"connections":[{"session":"1","key":"al"},{"session":"2","key":"bo"}]}'
        )
        self.door = self.enterContext(
            Door(
                {
                    "/feed": [falsedoors.events(FEED), falsedoors.events(b"")],
                    "/api/top": [falsedoors.json(found)],
                    "/api/rooms": [falsedoors.json(b"{}")],
                    "/api/disconnect": [
                        falsedoors.json(b'{"connections":0}'),
                        b"HTTP/1.1 400 Bad\r\n\r\n",
                    ],
                }
            )
        )
        self.ours, self.theirs = pty.openpty()
        self.addCleanup(os.close, self.ours)
        self.addCleanup(os.close, self.theirs)

    def person(self, steps: tuple[tuple[str, str], ...], isOver: Event) -> None:
        """
        Wait for each text, press the keys that belong to it, and look on.

        Who waits in vain remembers for what, and leaves.
        """
        left = [*steps]
        seen = ""
        deadline = time.monotonic() + TIMEOUT
        while not isOver.is_set():
            if left and time.monotonic() > deadline:
                self.missed = left[0][0], seen[-4000:]
                left = []
                os.write(self.ours, b"n")
                time.sleep(0.1)
                os.write(self.ours, b"q")
            if not select.select([self.ours], [], [], 0.05)[0]:
                continue
            seen += os.read(self.ours, 65536).decode("utf-8", "replace")
            if left and left[0][0] in seen:
                os.write(self.ours, left.pop(0)[1].encode())
                seen = ""
                deadline = time.monotonic() + TIMEOUT

    def use(self, *steps: tuple[str, str]) -> None:
        """Let a person use it until she quits."""
        isOver = Event()
        person = Thread(target=self.person, args=[steps, isOver], daemon=True)
        person.start()
        with os.fdopen(os.dup(self.theirs), "w") as out:
            console = Console(file=out, force_terminal=True, width=100, height=30)
            LiveTop(DoorClient(self.door.url), "age", self.theirs, console).run()
        isOver.set()
        person.join(TIMEOUT)
        self.assertIsNone(self.missed)

    def test_used(self) -> None:
        """One after the other, each is answered."""
        self.use(
            ("bo", "k"),
            ("select a connection first", "\x1b[A\x1b[A\x1b[B"),
            ("by age", "k"),
            ("Disconnect bo from", "q"),
            ("nobody is disconnected", "k"),
            ("Disconnect bo from", "y"),
            ("bo was gone already", "k"),
            ("Disconnect bo from", "y"),
            ("400 Bad", "w"),
            ("by waiting", "\x1b[C"),
            ("by messages_in", "\x1b[D\x1b[D"),
            ("by age", "x"),
            ("connection lost", "q"),
        )
        bodies = [r for r in self.door.requests if r.startswith("POST /api/disconnect")]
        self.assertEqual(len(bodies), 2)

    def test_refused(self) -> None:
        """That something is refused is shown, and does not end it."""
        self.door.answers["/api/top"] = [b"HTTP/1.1 403 No\r\n\r\n"]
        self.use(("403 No", "q"))

    def test_gone(self) -> None:
        """Without a feed there is nothing; one that is none later is read again."""
        door = DoorClient(f"http://127.0.0.1:{freePort()}")
        self.assertRaises(DoorError, LiveTop(door, "age", self.theirs).run)
        self.door.answers["/feed"] = [
            falsedoors.events(FEED + b"event: sample\ndata: x\n\n")
        ]
        self.use(("no feed", "q"))
