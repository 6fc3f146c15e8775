"""Tests for L{gows.rehearsal}: it says what a start would, and opens no port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.defer import gatherResults, maybeDeferred
from twisted.internet.interfaces import IReactorCore
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import SkipTest, TestCase

from gows.errors import CannotStart
from gows.journal import Journal
from gows.listening import ListeningService, doors
from gows.operatorsport import operatorsPort
from gows.rehearsal import rehearse
from gows.rehearsedreactor import isDualStack
from gows.settings import Settings
from tests.support import FOREGROUND, freePort, recorder, run, selfSigned
from tests.test_listening import hasIPv6

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
    "TCP6:0:interface=\\:\\:1": "",
    "tcp:x": "listen 'tcp:x' is not understood",
    "TCP:0": "Unknown endpoint type: 'tcp'",
    "UNIX:public.sock": "Unknown endpoint type: 'unix'",
    "HAProxy:TCP:0": "Unknown endpoint type: 'tcp'",
    "nonsense:1": "Unknown endpoint type: 'nonsense'",
    "tls:/no/such:443": "/no/such holds no .pem files",
    "ssl:0:privateKey=/no/such.pem": "/no/such.pem: No such file or directory",
    "tcp:65536:interface=127.0.0.1": "cannot listen on tcp:65536:interface=127.0.0.1: ",
    "tcp:0:interface=no host": "cannot listen on tcp:0:interface=no host: ",
}
"""Values of listen, and what refuses them."""

HERE = "tcp:{}:interface=127.0.0.1"

MAPPED = r"tcp6:{}:interface=\:\:ffff\:127.0.0.1"

SIX = r"tcp6:{}:interface=\:\:1"

PAIRS = (
    ("tcp:{}", "tcp6:{}", True),
    (HERE, "tcp6:{}", True),
    (HERE, r"tcp:{}:interface=\:\:", True),
    (HERE, MAPPED, True),
    ("tcp:{}", MAPPED, True),
    ("tcp6:{}", MAPPED, True),
    ("tcp6:{}", SIX, True),
    ("tcp:{}:interface=127.0.0.2", MAPPED, False),
    (HERE, SIX, False),
    ("tcp:{}", SIX, False),
    (MAPPED, SIX, False),
)
"""Pairs of endpoints of one port, and whether there is place for one only."""

UNIX = {
    "unix:": "No such file or directory",
    "unix:no/folder.sock": "No such file or directory",
    "unix:file/under.sock": "Not a directory",
    "unix:file": "Address already in use",
    "unix:folder": "Address already in use",
    "unix:folder/": "Address already in use",
    "unix:folder:lockfile=0": "Address already in use",
    "unix:nowhere": "Address already in use",
    "unix:locked": "Invalid argument",
    f"unix:{'a' * 108}": "AF_UNIX path too long",
    f"unix:{'a' * 107}": "",
    "unix:locked:lockfile=0": "",
    "unix:folder/in.sock": "",
    "unix:\0gows/rehearsed:lockfile=0": "",
    f"unix:\0{'g' * 107}:lockfile=0": "",
    f"unix:\0{'g' * 108}:lockfile=0": "AF_UNIX path too long",
}
"""Unix sockets, and why they are refused."""


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

    async def test_pairs(self) -> None:
        """What has one port in IPv4 and in IPv6 clashes where it does in earnest."""
        if not (hasIPv6() and isDualStack()):
            raise SkipTest("no IPv6 here that has IPv4 as well")
        for one, two, clash in PAIRS:
            for pair in ((one, two), (two, one)):
                port = freePort()
                listen = tuple(each.format(port) for each in pair)
                expected = f"cannot listen on {listen[1]}: Address already in use"
                line = self.refusal(listen=listen)
                self.assertEqual(line, expected if clash else "", listen)
                self.assertEqual(line, await self.refusalOfStart(listen=listen))

    def test_order(self) -> None:
        """The operators' door comes first, as at the start: the other is refused."""
        port = freePort()
        admin = HERE.format(port)
        line = self.refusal(port=port, interface="0.0.0.0", admin=admin)
        expected = rf"cannot listen on tcp:{port}:interface=0.*: Address already in use"
        self.assertRegex(line, rf"\A{expected}\Z")
        flags = ("--port", str(port), "--interface", "0.0.0.0", "--admin", admin)
        [ended] = run([*FOREGROUND, "gows", *flags], folder=Path())
        self.assertEqual((ended.status, ended.err), (1, f"gows: {line}\n"))

    async def test_unix(self) -> None:
        """Unix sockets are refused where none can be."""
        self.stay()
        Path("file").touch()
        Path("folder").mkdir()
        Path("nowhere").symlink_to("no-such-file")
        Path("locked.lock").touch()
        for description, expected in UNIX.items():
            before = sorted(os.listdir())
            line = self.refusal(listen=(description,))
            self.assertEqual(sorted(os.listdir()), before)
            words = f"cannot listen on {description}: {expected}" if expected else ""
            self.assertEqual(line, words)
            self.assertEqual(line, await self.refusalOfStart(listen=(description,)))

    async def test_unixTwice(self) -> None:
        """A Unix socket that two doors would have is found, whatever its name."""
        self.stay()
        free, lock = ":lockfile=0", "Cannot acquire lock"
        taken = "Address already in use"
        for number, (one, two, expected) in enumerate(
            (("", "", lock), (free, free, taken), ("", free, taken), (free, "", taken))
        ):
            listen = f"unix:{number}{one}", f"unix:../stay/{number}{two}"
            line = self.refusal(listen=listen)
            self.assertEqual(line, f"cannot listen on {listen[1]}: {expected}")
            self.assertEqual(line, await self.refusalOfStart(listen=listen))
        self.assertIn(lock, self.refusal(listen=("unix:a",), admin="unix:a"))
        self.assertEqual(self.refusal(listen=("unix:a", "unix:b")), "")

    async def test_left(self) -> None:
        """What a server that was killed has left is accepted, as by the next one."""
        self.stay()
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        with socket.socket(socket.AF_UNIX) as left:
            left.bind("left.sock")
        os.symlink(str(gone.pid), "left.sock.lock")
        self.assertEqual(self.refusal(listen=("unix:left.sock",)), "")
        self.assertEqual(await self.refusalOfStart(listen=("unix:left.sock",)), "")

    def test_unixInUse(self) -> None:
        """A socket that a server has is not minded: it may be the one that runs."""
        self.stay()
        with socket.socket(socket.AF_UNIX) as used:
            used.bind("used.sock")
            used.listen()
            os.symlink(str(os.getpid()), "used.sock.lock")
            for description in ("unix:used.sock", "unix:used.sock:lockfile=0"):
                self.assertEqual(self.refusal(listen=(description,)), "")

    def stay(self) -> None:
        """Be in a folder of its own until the test is over: paths are short there."""
        folder = Path(self.mktemp()) / "stay"
        folder.mkdir(parents=True)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder)

    def test_inherited(self) -> None:
        """Sockets of systemd are there at the start only: the others are looked at."""
        inherited = "systemd:domain=INET:name=gows"
        self.assertEqual(self.refusal(listen=(inherited,), admin=inherited), "")
        self.assertEqual(self.refusal(listen=(f"haproxy:{inherited}",)), "")
        self.assertIn("tcp:x", self.refusal(listen=(inherited, "tcp:x")))
        self.assertIn("tcp:x", self.refusal(listen=(inherited,), admin="tcp:x"))
        self.assertIn(NEEDS_KEYS, self.refusal(admin=f"haproxy:{inherited}"))
        self.assertEqual(self.refusal(listen=("SYSTEMD:domain=INET:index=0",)), "")

    def test_onlyInherited(self) -> None:
        """Where all sockets are systemd's, --port is nobody's: another may take it."""
        inherited = "systemd:domain=INET:name=gows"
        admin = HERE.format(8888)
        self.assertEqual(self.refusal(listen=(inherited,), admin=admin), "")
        self.assertIn("Address already", self.refusal(admin=admin))
