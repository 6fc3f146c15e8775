"""Tests for L{gows.operatorsport}: whom it lets through without keys, in memory."""

from __future__ import annotations

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from gows.errors import CannotStart
from gows.journal import Journal
from gows.listening import ListeningService
from gows.operatorsport import operatorsPort
from tests.support import recorder


class OperatorsPortTests(SynchronousTestCase):
    """The port; with real sockets it is tested with the door that is behind it."""

    def port(self, description: str, hasKeys: bool) -> ListeningService:
        """Make the port."""
        self.events, observe = recorder()
        journal = Journal("debug", Clock(), observe)
        return operatorsPort(
            description, Factory(), journal, MemoryReactorClock(), hasKeys=hasKeys
        )

    def test_proxied(self) -> None:
        """Through a proxy others come: without keys the port is not even made."""
        for description in ("haproxy:tcp:1:interface=127.0.0.1", "HAProxy:unix:/x"):
            error = self.assertRaises(CannotStart, self.port, description, False)
            self.assertIn("it needs keys (api-key-file)", str(error))
            self.assertEqual(self.port(description, True).ports, ())

    def test_others(self) -> None:
        """Without keys no port that others reach is left open."""
        refused = self.port("tcp:1", False)
        error = self.assertRaises(CannotStart, refused.privilegedStartService)
        self.assertIn("it needs keys (api-key-file)", str(error))
        allowed = self.port("tcp:1", True)
        allowed.privilegedStartService()
        self.assertEqual(len(allowed.ports), 1)

    def test_log(self) -> None:
        """The log says whose port it is."""
        self.port("tcp:1", True).privilegedStartService()
        self.assertEqual(
            [formatEvent(event) for event in self.events],
            ["listening on 0.0.0.0:1: the operators' door"],
        )
