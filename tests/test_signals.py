"""Tests for L{gows.signals}: SIGHUP, and impatience."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from gows.signals import Signals, expectHangup
from tests.support import (
    TIMEOUT,
    Server,
    rawWebSocket,
    webSocket,
)

SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)


class Reactor:
    """Runs what it is given when the test says so."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self.waiting: list[Callable[[], object]] = []

    def callWhenRunning(self, call: Callable[[], object]) -> None:
        """Take something to do."""
        self.waiting.append(call)

    callFromThread = callWhenRunning

    def turn(self) -> None:
        """Do what there is to do."""
        waiting, self.waiting = self.waiting, []
        for call in waiting:
            call()


class SignalsTests(SynchronousTestCase):
    """
    The service, with real signals to this process.

    @ivar heard: what came of them, in order
    """

    def setUp(self) -> None:
        """Install handlers as a reactor does, and the service after them."""
        for number in SIGNALS:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
            signal.signal(number, lambda number, _: self.heard.append(f"stop {number}"))
        self.heard: list[str] = []
        self.reactor = Reactor()
        self.service = Signals(
            self.reactor,
            lambda: self.heard.append("reload"),
            lambda: self.heard.append("hurry"),
        )

    def raiseSignals(self, *numbers: signal.Signals) -> list[str]:
        """Raise signals, then run what they asked for; answer what came of it."""
        self.heard.clear()
        for number in numbers:
            signal.raise_signal(number)
        self.reactor.turn()
        return list(self.heard)

    def start(self) -> None:
        """Start the service in a reactor that runs."""
        self.service.startService()
        self.reactor.turn()

    def test_late(self) -> None:
        """Handlers are installed when the reactor has installed its own."""
        self.service.startService()
        before = signal.getsignal(signal.SIGTERM)
        self.reactor.turn()

        self.assertNotEqual(signal.getsignal(signal.SIGTERM), before)

    def test_hangup(self) -> None:
        """SIGHUP reloads, in the reactor's turn and as often as it comes."""
        self.start()
        signal.raise_signal(signal.SIGHUP)
        self.assertEqual(self.heard, [])
        self.reactor.turn()
        self.assertEqual(self.heard, ["reload"])
        self.assertEqual(self.raiseSignals(signal.SIGHUP), ["reload"])

    def test_early(self) -> None:
        """One before the reactor runs ends nothing, and then reloads, once."""
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        expectHangup()
        signal.raise_signal(signal.SIGHUP)
        self.service.startService()
        signal.raise_signal(signal.SIGHUP)
        self.assertEqual(self.heard, [])
        self.reactor.turn()
        self.reactor.turn()
        self.assertEqual(self.heard, ["reload"])
        self.assertEqual(self.raiseSignals(signal.SIGHUP), ["reload"])

    def test_noneEarly(self) -> None:
        """Where none came early there is none to make up for."""
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        expectHangup()
        self.start()
        self.reactor.turn()
        self.assertEqual(self.heard, [])

    def test_handled(self) -> None:
        """Who ignores SIGHUP or handles it does so until the reactor runs."""
        for handler in (signal.SIG_IGN, signal.getsignal(signal.SIGHUP)):
            signal.signal(signal.SIGHUP, handler)
            expectHangup()
            self.assertEqual(signal.getsignal(signal.SIGHUP), handler)

    def test_first(self) -> None:
        """The first SIGTERM is left to who handled it before, and so is SIGINT."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self.setUp()
            self.start()
            self.assertEqual(self.raiseSignals(number), [f"stop {number}"])

    def test_second(self) -> None:
        """A second one, of either kind, hurries, and never reaches Twisted's."""
        self.start()
        self.raiseSignals(signal.SIGTERM)

        self.assertEqual(self.raiseSignals(signal.SIGTERM), ["hurry"])
        self.assertEqual(self.raiseSignals(signal.SIGINT), ["hurry"])

    def test_afterStop(self) -> None:
        """When a stop has begun without a signal, the first one hurries."""
        self.start()
        self.service.stopping()

        self.assertEqual(self.raiseSignals(signal.SIGTERM), ["hurry"])

    def test_ignored(self) -> None:
        """A signal that whoever started us ignores stays ignored."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.start()

        self.assertEqual(self.raiseSignals(signal.SIGINT), [])
        self.assertEqual(signal.getsignal(signal.SIGINT), signal.SIG_IGN)


class SignalsToServerTests(SynchronousTestCase):
    """Signals to a real server."""

    def test_hangup(self) -> None:
        """Without certificate and log file SIGHUP changes nothing."""
        with Server() as server, webSocket(server.wsUrl) as client:
            for number in range(3):
                server.send(signal.SIGHUP)
                client.send(f"message {number}")
                self.assertEqual(client.recv(timeout=TIMEOUT), f"message {number}")
            self.assertFalse(server.hasEnded())
            self.assertRegex(server.log(), r"opened a….*\n\Z")

    def stop(
        self, first: signal.Signals, second: signal.Signals, pause: bool = True
    ) -> int:
        """
        Send two signals to a server whose client would keep it waiting.

        @param pause: whether the first has had its effect before the second
        @return: the status
        """
        patient = ("--drain-timeout", "600", "--close-timeout", "600")
        with Server(*patient, "--ping-interval", "0") as server:
            with rawWebSocket(server.port) as client:
                assert server.process is not None
                os.kill(server.process.pid, first)
                if pause:
                    server.waitForLog("stopping: telling 1 connections")
                    self.assertFalse(server.hasEnded())
                os.kill(server.process.pid, second)
                status = server.wait()
                if pause:
                    self.assertEqual(client.recv(1), b"\x88", "no close frame")
                    self.assertIn("cut 1 connections", server.log())
            self.assertIn("Server Shut Down.", server.log())
            self.assertNotIn("Traceback", server.log())
            self.assertNotIn("Unhandled", server.log())
            return status

    def test_second(self) -> None:
        """A second signal ends the waiting at once, without a traceback."""
        self.assertEqual(self.stop(signal.SIGTERM, signal.SIGTERM), -signal.SIGTERM)
        self.assertEqual(self.stop(signal.SIGTERM, signal.SIGINT), -signal.SIGTERM)
        self.assertEqual(self.stop(signal.SIGINT, signal.SIGINT), -signal.SIGINT)

    def test_noPause(self) -> None:
        """Two signals in a row, without a pause, count as two."""
        status = self.stop(signal.SIGTERM, signal.SIGINT, pause=False)

        self.assertIn(status, (-signal.SIGTERM, -signal.SIGINT))
