"""Tests for L{gows.doorway}: the door, put together, and where it listens."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from twisted.internet import reactor
from twisted.logger import Logger, globalLogPublisher
from twisted.trial.unittest import TestCase

from gows.access.apikeys import ReloadingApiKeys
from gows.doorway import operatorsService, shown
from gows.errors import CannotStart
from gows.listening import ListeningService
from gows.sampling import EVERY, KEPT
from gows.settings import Settings
from gows.sources import TABLE
from tests import tokens
from tests.doors import KEY, DoorTestCase, bearer, written
from tests.memory import MemoryTestCase


class ShownTests(DoorTestCase):
    """Settings, as they are shown."""

    def test_shown(self) -> None:
        """All by their names, and nothing else."""
        settings = shown(Settings(port=7, adminHost=("ops",)))
        self.assertEqual(list(settings), [setting.name for setting in TABLE])
        self.assertEqual((settings["port"], settings["admin-host"]), (7, ("ops",)))

    def test_warnings(self) -> None:
        """Those that the log has are shown, and those that it is not to have."""
        warnings = self.shows.warnings
        warnings.startService()
        self.addCleanup(warnings.stopService)
        Logger(observer=globalLogPublisher).warn("written")
        Logger(observer=self.chat.journal.withheld).warn("not written")
        texts = [warned.text for warned in warnings.kept]
        self.assertEqual(texts, ["written", "not written"])

    def test_history(self) -> None:
        """The feed begins with what was, and the warnings, however long that is."""
        self.shows.sampler.startService()
        self.clock.pump([EVERY] * KEPT)
        asker = self.connected()
        asker.transport.bufferSize = 50 * KEPT  # figures that change are longer
        asker.send(written("GET", "/feed", headers=bearer()))
        self.assertGreater(len(asker.wire.received), asker.transport.bufferSize)
        self.assertIn(b"event: warnings\n", asker.wire.received)

    def test_places(self) -> None:
        """What is free is free, and all else asks for a key."""
        for target, status in (
            *(("/healthz", 200), ("/signin", 200), ("/signin.css", 200)),
            ("/readyz", 200),
            *(("/openapi.json", 401), ("/api/info", 401), ("/signout", 401)),
            *(("/metrics", 401), ("/feed", 401), ("/debug/", 401)),
        ):
            self.assertEqual(self.send("GET", target).status, status, target)


class ListeningTests(MemoryTestCase, TestCase):
    """Where a door may listen."""

    def start(self, description: str, isGuarded: bool) -> ListeningService:
        """Have a door listen, until the test ends."""
        chat = self.factory()
        path = tokens.written(
            Path(self.mktemp()).absolute(), f"backend: {KEY}\n".encode()
        )
        keys = ReloadingApiKeys(path, chat.journal, self.clock)
        service = operatorsService(
            Settings(admin=description),
            chat,
            keys if isGuarded else None,
            chat.journal,
            reactor,
        )
        self.addCleanup(service.stopService)
        service.privilegedStartService()
        [listening] = [one for one in service if isinstance(one, ListeningService)]
        return listening

    def test_here(self) -> None:
        """On loopback and Unix sockets it needs no keys."""
        folder = tempfile.mkdtemp(prefix="gows-test-")
        self.addCleanup(shutil.rmtree, folder)
        path = os.path.join(folder, "door.sock")
        for description in (
            "tcp:0:interface=127.0.0.1",
            "tcp:0:interface=127.9.9.9",
            "tcp:0:interface=localhost",
            f"unix:{path}",
        ):
            listening = self.start(description, isGuarded=False)
            self.assertEqual(len(listening.ports), 1, description)
            self.assertFalse(listening.isOpenToOthers, description)

    def test_open(self) -> None:
        """Where other hosts come it does."""
        for description in ("tcp:0", "tcp:0:interface=0.0.0.0", "haproxy:tcp:0"):
            error = self.assertRaises(CannotStart, self.start, description, False)
            line = str(error)
            self.assertIn("api-key-file", line)
            self.assertEqual(len(line.splitlines()), 1)
            listening = self.start(description, isGuarded=True)
            self.assertTrue(listening.isOpenToOthers, description)

    def test_wrong(self) -> None:
        """What is no endpoint is named as the setting's value."""
        error = self.assertRaises(CannotStart, self.start, "tcp:x", True)
        self.assertIn("admin 'tcp:x' is not understood", str(error))

    def test_proxied(self) -> None:
        """What comes through a proxy is not of this host, wherever the port is."""
        description = "haproxy:tcp:0:interface=127.0.0.1"
        self.assertRaises(CannotStart, self.start, description, False)
        listening = self.start(description, isGuarded=True)
        self.assertEqual(len(listening.ports), 1)
