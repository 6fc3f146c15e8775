"""Tests for L{gows.rehearsal}: it says what a start would, and opens no port."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.defer import gatherResults, maybeDeferred
from twisted.internet.interfaces import IReactorCore
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from gows.errors import CannotStart
from gows.journal import Journal
from gows.listening import ListeningService, doors
from gows.operatorsport import operatorsPort
from gows.rehearsal import rehearse
from gows.settings import Settings
from tests.support import freePort, recorder, selfSigned

NEEDS_KEYS = "it needs keys (api-key-file)"

ADMIN = {
    "tcp:0": NEEDS_KEYS,
    "tcp:0:interface=0.0.0.0": NEEDS_KEYS,
    "haproxy:tcp:0:interface=127.0.0.1": NEEDS_KEYS,
    "HAProxy:tcp:0:interface=127.0.0.1": NEEDS_KEYS,
    "tcp:0:interface=127.0.0.1": "",
    "tcp:0:interface=127.9.9.9": "",
    "tcp:0:interface=localhost": "",
    "unix:no-keys.sock:mode=660": "",
    "tcp:x": "admin 'tcp:x' is not understood",
    "tls:/no/such:443": "/no/such holds no .pem files",
}
"""Values of admin without keys, and what refuses them; empty: nothing."""

LISTEN = {
    "tcp:0:interface=127.0.0.1": "",
    "haproxy:tcp:0:interface=127.0.0.1": "",
    "unix:public.sock": "",
    "tcp:x": "listen 'tcp:x' is not understood",
    "nonsense:1": "Unknown endpoint type: 'nonsense'",
    "tls:/no/such:443": "/no/such holds no .pem files",
    "ssl:0:privateKey=/no/such.pem": "/no/such.pem: No such file or directory",
    "tcp:65536:interface=127.0.0.1": "cannot listen on tcp:65536:interface=127.0.0.1: ",
    "tcp:0:interface=no host": "cannot listen on tcp:0:interface=no host: ",
}
"""Values of listen, and what refuses them."""


class RehearseTests(TestCase):
    """What is said beforehand, and what a start says."""

    def refusal(self, **settings: Any) -> str:
        """Rehearse, and answer the line that refuses; empty: none does."""
        try:
            rehearse(Settings(**settings))
        except CannotStart as error:
            return str(error)
        return ""

    async def refusalOfStart(self, **settings: Any) -> str:
        """Listen in earnest, and answer the line that refuses; empty: none does."""
        given = Settings(**settings)
        _, observe = recorder()
        journal = Journal("critical", Clock(), observe)
        real = cast(IReactorCore, reactor)
        service = ListeningService(lambda: doors(given, None, real), Factory(), journal)
        try:
            if given.admin is not None:
                service = operatorsPort(
                    given.admin, Factory(), journal, real, hasKeys=False
                )
            service.privilegedStartService()
        except CannotStart as error:
            return str(error)
        finally:
            await gatherResults([maybeDeferred(service.stopService)])
        return ""

    def assertAs(self, expected: str, line: str) -> None:
        """Assert that a line says what it should."""
        self.assertEqual(line.count("\n"), 0)
        self.assertIn(expected, line)
        self.assertEqual(bool(expected), bool(line), line)

    async def test_admin(self) -> None:
        """The operators' door is refused if the start refuses it, in its words."""
        for description, expected in ADMIN.items():
            self.assertAs(expected, self.refusal(admin=description))
            self.assertAs(expected, await self.refusalOfStart(admin=description))

    async def test_listen(self) -> None:
        """So is each public one."""
        for description, expected in LISTEN.items():
            self.assertAs(expected, self.refusal(listen=(description,)))
            self.assertAs(expected, await self.refusalOfStart(listen=(description,)))
            both = "tcp:0:interface=127.0.0.1", description
            self.assertAs(expected, self.refusal(listen=both))

    def test_keys(self) -> None:
        """With keys others may reach the door."""
        for description in ("tcp:0", "haproxy:tcp:0:interface=127.0.0.1"):
            self.assertEqual(self.refusal(admin=description, apiKeyFile="keys"), "")

    def test_ipv6(self) -> None:
        """Addresses may be IPv6 ones."""
        self.assertEqual(self.refusal(admin=r"tcp:0:interface=\:\:1"), "")
        self.assertIn(NEEDS_KEYS, self.refusal(admin=r"tcp:0:interface=\:\:"))

    def test_secure(self) -> None:
        """An endpoint may bring its own certificate."""
        folder = Path(self.mktemp())
        folder.mkdir()
        cert, key = selfSigned(folder)
        own = f"ssl:0:interface=127.0.0.1:certKey={cert}:privateKey={key}"
        self.assertEqual(self.refusal(listen=(own,)), "")
        (folder / "localhost.pem").touch()
        self.assertEqual(self.refusal(listen=(f"tls:{folder}:0",)), "")
        self.assertIn(NEEDS_KEYS, self.refusal(admin=f"tls:{folder}:0"))

    def test_taken(self) -> None:
        """Nothing is opened: a port that somebody has is not minded."""
        port = freePort()
        with socket.create_server(("127.0.0.1", port)):
            self.assertEqual(self.refusal(port=port), "")
        self.assertEqual(self.refusal(listen=("unix:nobody.sock",)), "")
        self.assertFalse(os.path.exists("nobody.sock"))

    def test_twice(self) -> None:
        """A port that two doors of one server would have is found."""
        here = "tcp:7000:interface=127.0.0.1"
        for listen, admin in (
            ((here, here), None),
            ((here,), here),
            ((here, "tcp:7000"), None),
            (("tcp:7000:interface=0.0.0.0", "tcp:7000"), None),
        ):
            line = self.refusal(listen=listen, admin=admin)
            self.assertRegex(line, r"\Acannot listen on tcp:7000.*: Address already")
        for second in (
            "tcp:7001:interface=127.0.0.1",
            "tcp:7000:interface=127.0.0.2",
            r"tcp:7000:interface=\:\:1",
        ):
            self.assertEqual(self.refusal(listen=(here, second)), "", second)
        free = "tcp:0:interface=127.0.0.1"
        self.assertEqual(self.refusal(listen=(free, free), admin=free), "")

    def test_inherited(self) -> None:
        """Sockets of systemd are there at the start only: the others are looked at."""
        inherited = "systemd:domain=INET:name=gows"
        self.assertEqual(self.refusal(listen=(inherited,), admin=inherited), "")
        self.assertEqual(self.refusal(listen=(f"haproxy:{inherited}",)), "")
        self.assertIn("tcp:x", self.refusal(listen=(inherited, "tcp:x")))
        self.assertIn("tcp:x", self.refusal(listen=(inherited,), admin="tcp:x"))
        self.assertIn(NEEDS_KEYS, self.refusal(admin=f"haproxy:{inherited}"))
