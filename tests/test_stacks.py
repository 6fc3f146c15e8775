"""Tests of L{gows.web.stacks}."""

from __future__ import annotations

import re
import threading
from functools import partial
from typing import Any

from twisted.internet.address import UNIXAddress
from twisted.internet.task import Clock, LoopingCall

from gows.web import stacks
from gows.web.stacks import MOST, Stacks
from tests.asking import AskingTestCase

PASSWORD = "hunter2"


class Socket:
    """Something that a reactor waits for."""

    def __init__(
        self, fd: object, host: object = None, protocol: object = None
    ) -> None:
        """Be at a place."""
        self._fd, self._host = fd, host
        if protocol is not None:
            self.protocol = protocol

    def fileno(self) -> Any:
        """Answer the descriptor."""
        return self._fd

    def getHost(self) -> object:
        """Answer the place, or fail as closed ones do."""
        if self._host is None:
            raise OSError("closed")
        return self._host


class HeldClock(Clock):
    """A clock that waits for sockets as well."""

    def __init__(self) -> None:
        """Wait for none."""
        super().__init__()
        self.readers: list[object] = []
        self.writers: list[object] = []

    def getReaders(self) -> list[object]:
        """Answer them."""
        return self.readers

    def getWriters(self) -> list[object]:
        """Answer them."""
        return self.writers


class Port:
    """A place, as Twisted's addresses are."""

    host = "127.0.0.1"
    port = 8888


class Talk:
    """A protocol, as it were."""

    secret = PASSWORD

    def later(self) -> None:
        """Be called later."""


class StacksTests(AskingTestCase):
    """The page says what the process is doing, and nothing of what it knows."""

    def setUp(self) -> None:
        """Hold nothing."""
        super().setUp()
        self.held = HeldClock()
        self.ages: list[float] = []
        self.pages = self.door({"/debug/stacks": Stacks(self.held, lambda: self.ages)})

    def text(self) -> str:
        """Answer what it shows."""
        answer = self.got(self.pages, "/debug/stacks")
        self.assertEqual(answer.status, 200)
        self.assertNotIn(PASSWORD.encode(), answer.body)
        return answer.body.decode()

    def test_nothing(self) -> None:
        """What is not there is counted as well."""
        text = self.text()
        for title in ("Readers: 0", "Writers: 0", "Delayed calls: 0", "not done: 0"):
            self.assertIn(title, text)

    def test_threads(self) -> None:
        """Each thread is there with its name and where it is."""
        begun, end = threading.Event(), threading.Event()

        def waitsHere(password: str) -> None:
            begun.set()
            end.wait(60)

        thread = threading.Thread(
            target=waitsHere, args=(PASSWORD,), name="the other one", daemon=True
        )
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(end.set)
        begun.wait(60)
        text = self.text()
        self.assertRegex(text, r"## the other one \(\d+, daemon\)")
        self.assertIn("in waitsHere", text)
        self.assertRegex(text, r"\(\d+, answers this request\)")
        self.assertEqual(text.count("answers this request"), 1)

    def test_selectables(self) -> None:
        """Sockets are counted by class, and the first ones named by port."""
        port = Port()
        self.held.readers = [Socket(n, port, Talk()) for n in range(MOST + 3)]
        self.held.writers = [Socket(None), Socket(9, UNIXAddress(b"/run/x")), object()]
        text = self.text()
        self.assertIn(f"Readers: {MOST + 3}", text)
        name = f"{__name__}.Socket"
        self.assertIn(f"{MOST + 3}  {name} of {__name__}.Talk\n", text)
        self.assertIn(f"  fd 0  port 8888  {name} of", text)
        self.assertIn("… and 3 more", text)
        self.assertEqual(text.count("  port 8888"), MOST)
        self.assertIn(f"fd ?  -  {name}\n", text)
        self.assertIn(f"fd 9  UNIXAddress  {name}\n", text)
        self.assertIn("fd ?  -  builtins.object\n", text)

    def test_delayedCalls(self) -> None:
        """Calls are named after what they call, whatever it is wrapped in."""

        def soon(password: str) -> None:
            pass

        loop = LoopingCall(partial(soon, PASSWORD))
        loop.clock = self.held
        loop.start(2, now=False)
        self.addCleanup(loop.stop)
        for _ in range(MOST):
            self.held.callLater(7, partial(soon, PASSWORD))
        self.held.callLater(1, soon, PASSWORD)
        self.held.callLater(0.5, Talk().__str__)
        text = self.text()
        self.assertIn(f"Delayed calls: {MOST + 3}", text)
        self.assertRegex(text, rf"\n +{MOST + 1}  \S+\.soon\n")
        times = [float(found) for found in re.findall(r"in +([\d.]+) s", text)]
        self.assertEqual(times[:4], [0.5, 1, 2, 7])
        self.assertEqual(len(times), MOST)
        self.assertRegex(text, r"LoopingCall of \S+\.soon\n")

    def test_manyDelayedCalls(self) -> None:
        """Of many only as many are named as are listed, though all are counted."""
        named: list[object] = []
        nameOf = stacks._functionName

        def remembered(function: object) -> str:
            named.append(function)
            return nameOf(function)

        self.patch(stacks, "_functionName", remembered)
        for n in range(1000, 0, -1):
            self.held.callLater(n, Talk().later)
            self.held.callLater(n + 0.5, partial(Talk().later))
        text = self.text()
        self.assertRegex(text, r"\n +2000  \S+\.Talk\.later\n")
        times = [float(found) for found in re.findall(r"in +([\d.]+) s", text)]
        self.assertEqual(times, [1 + n / 2 for n in range(MOST)])
        self.assertEqual(len(named), MOST + 1)

    def test_sameName(self) -> None:
        """Functions that are made anew each time are counted as one."""
        for _ in range(3):
            self.held.callLater(1, lambda: None)
        self.assertRegex(self.text(), r"\n +3  \S+\.<lambda>\n")

    def test_callbacks(self) -> None:
        """Of the application's callbacks it is said how many, and the oldest's age."""
        self.ages = [1, 12.5, 3]
        text = self.text()
        self.assertIn("not done: 3", text)
        self.assertIn("oldest has been running for 12.500 s", text)

    def test_noParameters(self) -> None:
        """There is nothing to ask for."""
        self.assertEqual(self.got(self.pages, "/debug/stacks?a=1").status, 400)
