"""Tests for L{gows.listening}: endpoints, in memory and with real sockets."""

from __future__ import annotations

import socket
import ssl
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase
from websockets.sync.client import ClientConnection

from gows.errors import CannotStart
from gows.journal import Journal
from gows.listening import BACKLOG, ListeningService, doors
from gows.settings import Settings
from tests.support import (
    FOREGROUND,
    TIMEOUT,
    Server,
    freePort,
    issue,
    pemOfChain,
    pemOfKey,
    recorder,
    run,
    selfSigned,
    webSocket,
)

NO_CERTIFICATE = CertificateOptions()
"""Stands for a certificate where nobody connects."""

PROXY_HEADER = b"PROXY TCP4 203.0.113.7 127.0.0.1 40000 8888\r\n"
"""What HAProxy sends ahead of a client's bytes (PROXY protocol, version 1)."""

SYSTEMD = """\
import os, socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Passes a listening socket to a command, as systemd does."""

REFUSED = {
    "tcp:": "is not understood",
    "tcp:http-or-so": "is not understood",
    "tcp:1:backlog=many": "is not understood",
    "tcp:1:no=such": "is not understood",
    "tcp:1:2:3:4": "is not understood",
    "tcp:1\\": "is not understood",
    "nonsense:1": "Unknown endpoint type: 'nonsense'",
    "http://127.0.0.1:8888/": "Unknown endpoint type: 'http'",
    "ssl:1:privateKey=/no/such.pem": "/no/such.pem: No such file or directory",
    "tls:/no/such/folder:https": "/no/such/folder holds no .pem files",
    "systemd:domain=INET:name=nobody": "'nobody'",
    "systemd:domain=INET:index=7": "is not understood",
    "SYSTEMD:domain=INET:index=7": "is not understood: list index out of range",
    "TCP:1": "Unknown endpoint type: 'tcp'",
    "systemd:domain=NOTHING:index=0": "is not understood",
    "systemd:name=web": "is not understood",
    "haproxy:": "is not understood",
    "haproxy:nonsense:1": "Unknown endpoint type: 'nonsense'",
    "stdio:": "no port to listen on",
    "haproxy:stdio:": "no port to listen on",
    "haproxy:ssl:1": "take haproxy:tcp:... with --cert and --key",
    "haproxy:tls:/etc/ssl:1": "take haproxy:tcp:... with --cert and --key",
    "HAProxy:SSL:1": "take haproxy:tcp:... with --cert and --key",
    "haproxy:haproxy:ssl:1": "take haproxy:tcp:... with --cert and --key",
}
"""Endpoint strings, and what the line says that refuses them."""


def hasIPv6() -> bool:
    """Tell whether this machine has ::1."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def serverOfSystemd() -> Server:
    """Describe a server whose socket comes from systemd, so to speak."""
    port = freePort()
    return Server(
        *("--listen", "systemd:domain=INET:name=web"),
        port=port,
        listens=False,
        launcher=(sys.executable, "-c", SYSTEMD, str(port)),
    )


class MemoryListeningCase(SynchronousTestCase):
    """
    Listens in memory.

    @ivar reactor: remembers who listens where
    """

    def setUp(self) -> None:
        """Begin with a reactor that nobody listens at."""
        self.reactor: Any = MemoryReactorClock()
        self.events, self._observe = recorder()
        self.factory = Factory()

    def service(self, certificate: Any = None, **settings: Any) -> ListeningService:
        """Make the service for these settings."""
        return ListeningService(
            partial(doors, Settings(**settings), certificate, self.reactor),
            self.factory,
            Journal("debug", Clock(), self._observe),
        )

    def logged(self) -> list[str]:
        """Answer the log's lines."""
        return [formatEvent(event) for event in self.events]


class SimpleWayTests(MemoryListeningCase):
    """--port and --interface."""

    def listener(self, **settings: Any) -> tuple[Any, ...]:
        """Answer what the reactor was asked for: port, factory, backlog, address."""
        service = self.service(**settings)
        service.privilegedStartService()
        [listener] = self.reactor.tcpServers
        return tuple(listener)

    def test_default(self) -> None:
        """Without settings it is 8888 on loopback, and 1024 may wait in line."""
        self.assertEqual(BACKLOG, 1024)
        self.assertEqual(self.listener(), (8888, self.factory, 1024, "127.0.0.1"))

    def test_given(self) -> None:
        """--port and --interface say otherwise."""
        self.assertEqual(
            self.listener(port=80, interface="0.0.0.0"),
            (80, self.factory, 1024, "0.0.0.0"),
        )

    def test_ipv6(self) -> None:
        """An interface may be an IPv6 address."""
        self.assertEqual(
            self.listener(interface="::1"), (8888, self.factory, 1024, "::1")
        )

    def test_secure(self) -> None:
        """With a certificate the factory is behind TLS, and the log says so."""
        _, factory, backlog, _ = self.listener(certificate=NO_CERTIFICATE)

        self.assertIs(factory.wrappedFactory, self.factory)
        self.assertEqual(backlog, 1024)
        self.assertRegex(self.logged()[0], r"^listening on \S+ \(TLS\)$")


class DoorsTests(MemoryListeningCase):
    """--listen."""

    def test_refused(self) -> None:
        """What cannot be understood is refused in one line that quotes it."""
        for description, expected in REFUSED.items():
            service = self.service(listen=(description,))
            error = self.assertRaises(CannotStart, service.privilegedStartService)
            self.assertIn(repr(description), str(error))
            self.assertIn(expected, str(error))
            self.assertNotIn("\n", str(error))
            self.assertFalse(self.reactor.tcpServers, description)

    def test_tlsFolder(self) -> None:
        """A tls: endpoint whose folder is not there, or holds nothing, is refused."""
        for folder in (Path("/no/such/folder"), self.mkdir()):
            service = self.service(listen=(f"tls:{folder}:1",))
            error = self.assertRaises(CannotStart, service.privilegedStartService)
            self.assertIn(str(folder), str(error))

    def test_sslMethod(self) -> None:
        """An ssl: endpoint with a method that OpenSSL has not is refused."""
        certFile, keyFile = selfSigned(self.mkdir())
        service = self.service(
            listen=(f"ssl:1:certKey={certFile}:privateKey={keyFile}:sslmethod=NONE",)
        )

        error = self.assertRaises(CannotStart, service.privilegedStartService)
        self.assertIn("is not understood", str(error))

    def test_notAPemFile(self) -> None:
        """An ssl: endpoint whose certificate is no PEM is refused in one line."""
        path = Path(self.mktemp())
        path.write_text("nonsense")
        service = self.service(listen=(f"ssl:1:privateKey={path}",))

        error = self.assertRaises(CannotStart, service.privilegedStartService)
        self.assertIn("its certificate or key is no good PEM", str(error))

    def test_replacesPort(self) -> None:
        """With --listen nobody listens at --port; each is opened, in order."""
        service = self.service(
            port=1, listen=("tcp:2", "tcp:3:backlog=5:interface=127.0.0.1")
        )
        service.privilegedStartService()

        self.assertEqual(
            [tuple(listener) for listener in self.reactor.tcpServers],
            [(2, self.factory, 50, ""), (3, self.factory, 5, "127.0.0.1")],
        )
        self.assertEqual(len(service.ports), 2)

    def test_tlsOnce(self) -> None:
        """A certificate goes to plain endpoints, not to those with their own."""
        certFile, keyFile = selfSigned(self.mkdir())
        own = f"ssl:1:certKey={certFile}:privateKey={keyFile}"
        made = list(
            doors(
                Settings(listen=(own, "tcp:2", "haproxy:tcp:3")),
                NO_CERTIFICATE,
                self.reactor,
            )
        )

        self.assertEqual([door.isSecure for door in made], [True, True, True])
        made[0].endpoint.listen(self.factory)
        self.assertIs(self.reactor.sslServers[0][1], self.factory)

    def mkdir(self) -> Path:
        """Make a folder."""
        path = Path(self.mktemp())
        path.mkdir()
        return path


class FailingReactor(MemoryReactorClock):
    """Has nothing but one port taken by somebody else."""

    def listenTCP(self, port: int, *args: Any, **options: Any) -> Any:
        """Listen, unless that port is asked for."""
        if port == 2:
            raise CannotListenError("", port, OSError(98, "Address already in use"))
        return super().listenTCP(port, *args, **options)


class ListeningServiceTests(MemoryListeningCase):
    """Starting and stopping."""

    def test_taken(self) -> None:
        """A port that is taken ends the start with its name and the reason."""
        self.reactor = FailingReactor()
        service = self.service(listen=("tcp:1", "tcp:2"))

        error = self.assertRaises(CannotStart, service.privilegedStartService)
        self.assertEqual(str(error), "cannot listen on tcp:2: Address already in use")

    def test_startedOnce(self) -> None:
        """Ports are opened once, with or without a privileged start."""
        privileged, plain = self.service(), self.service(port=1)
        privileged.privilegedStartService()
        privileged.startService()
        plain.startService()

        self.assertEqual([each[0] for each in self.reactor.tcpServers], [8888, 1])

    def test_stop(self) -> None:
        """Once stopped it has no ports."""
        service = self.service()
        service.startService()

        self.successResultOf(service.stopService())
        self.assertEqual(service.ports, ())
        self.assertFalse(service.running)


class SocketCase(SynchronousTestCase):
    """Tests with real servers, and certificates that clients trust."""

    def setUp(self) -> None:
        """Make a certificate."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.certFile, self.keyFile = selfSigned(self.folder)
        self.trusting = ssl.create_default_context(cafile=str(self.certFile))

    def serve(self, *arguments: str, **options: Any) -> Server:
        """Run a server until the test is over."""
        return self.enterContext(Server(*arguments, **options))

    def dial(self, port: int, host: str = "127.0.0.1") -> socket.socket:
        """Connect, without a word."""
        peer = socket.create_connection((host, port), TIMEOUT)
        self.addCleanup(peer.close)
        return peer

    def join(self, key: str, url: str, **options: Any) -> ClientConnection:
        """Open a WebSocket."""
        client = webSocket(url, f"specialKey={key}", **options)
        return self.enterContext(client)

    def assertChat(self, clients: Iterable[ClientConnection]) -> None:
        """Check that what one says the others hear, whatever door they took."""
        clients = list(clients)
        for number, client in enumerate(clients):
            client.send(f"message {number}")
            for other in clients:
                self.assertEqual(other.recv(timeout=TIMEOUT), f"message {number}")


class DoorsOnSocketsTests(SocketCase):
    """Every kind of endpoint, with a client of its own, all in one chat."""

    def test_everyKind(self) -> None:
        """One server listens on many endpoints; PROXY headers tell the client."""
        pems = self.folder / "pems"
        pems.mkdir()
        issued = issue("localhost")
        pems.joinpath("one.pem").write_bytes(pemOfKey(issued) + pemOfChain(issued))
        trusting = ssl.create_default_context(cadata=pemOfChain(issued).decode())
        tcp, own, tls, proxied, six = (freePort() for _ in range(5))
        # A Unix socket's path has room for some 100 bytes, wherever the tests run.
        path = self.enterContext(tempfile.TemporaryDirectory(prefix="gows-")) + "/s"
        listen = [
            f"tcp:{tcp}:interface=127.0.0.1",
            f"unix:{path}",
            f"ssl:{own}:interface=127.0.0.1:"
            f"certKey={self.certFile}:privateKey={self.keyFile}",
            f"tls:{pems}:{tls}:interface=127.0.0.1",
            f"haproxy:tcp:{proxied}:interface=127.0.0.1",
        ]
        if hasIPv6():
            listen.append(f"tcp6:{six}:interface=\\:\\:1")
        flags = [word for each in listen for word in ("--listen", each)]
        server = self.serve(*flags, listens=False, doors=len(listen))
        unix = socket.socket(socket.AF_UNIX)
        self.addCleanup(unix.close)
        unix.connect(path)
        behindProxy = self.dial(proxied)
        behindProxy.sendall(PROXY_HEADER)

        clients = [
            self.join("plain", f"ws://127.0.0.1:{tcp}/"),
            self.join("unix", "ws://localhost/", sock=unix),
            self.join("own", f"wss://localhost:{own}/", ssl=self.trusting),
            self.join("folder", f"wss://localhost:{tls}/", ssl=trusting),
            self.join("proxied", "ws://localhost/", sock=behindProxy),
        ]
        if hasIPv6():
            clients.append(self.join("six", f"ws://[::1]:{six}/"))
            server.waitForLog(r"opened s….* from ::1, ")
        self.assertChat(clients)
        for key, address in (
            ("p", "127.0.0.1"),
            ("u", "unix"),
            ("pr", "203.0.113.7"),
        ):
            server.waitForLog(rf"opened {key}….* from {address}, ")

    def test_interface(self) -> None:
        """--interface ::1 listens there, and not on 127.0.0.1."""
        host, other = ("::1", "127.0.0.1") if hasIPv6() else ("127.0.0.2", "127.0.0.1")
        server = self.serve("--interface", host)

        url = f"ws://[{host}]" if ":" in host else f"ws://{host}"
        self.assertChat([self.join("alice", f"{url}:{server.port}/")])
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection((other, server.port), TIMEOUT)

    def test_certificate(self) -> None:
        """--cert secures every plain --listen; the PROXY header stays outside."""
        tcp, proxied = freePort(), freePort()
        server = self.serve(
            *("--cert", str(self.certFile), "--key", str(self.keyFile)),
            *("--listen", f"tcp:{tcp}:interface=127.0.0.1"),
            *("--listen", f"haproxy:tcp:{proxied}:interface=127.0.0.1"),
            listens=False,
            doors=2,
        )
        behindProxy = self.dial(proxied)
        behindProxy.sendall(PROXY_HEADER)

        self.assertChat(
            [
                self.join("plain", f"wss://localhost:{tcp}/", ssl=self.trusting),
                self.join(
                    "proxied", "wss://localhost/", sock=behindProxy, ssl=self.trusting
                ),
            ]
        )
        server.waitForLog(r"opened pr….* from 203\.0\.113\.7, ")
        with self.dial(tcp) as peer:
            peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            try:
                answer = peer.recv(1000)
            except ConnectionResetError:
                answer = b""
            self.assertNotIn(b"HTTP/1.1 200", answer)

    def test_systemd(self) -> None:
        """A socket that systemd passes on is served, found by its name."""
        server = self.enterContext(serverOfSystemd())
        self.assertChat([self.join("alice", server.wsUrl)])
        server.waitForLog(rf"listening on 127\.0\.0\.1:{server.port}$")

    def test_backlog(self) -> None:
        """A crowd that connects at once is queued: none of it is turned away."""
        server = self.serve()
        with ExitStack() as stack:
            crowd = [stack.enter_context(self.dial(server.port)) for _ in range(200)]
            for peer in crowd:
                peer.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            for peer in crowd:
                self.assertIn(b" 200 OK", peer.recv(100))


class RefusedOnStartTests(SocketCase):
    """A wrong endpoint ends the real twistd."""

    def test_oneLine(self) -> None:
        """One line on standard error names the endpoint; status 1."""
        cases = (
            ("haproxy:ssl:0", "--cert"),
            ("stdio:", "no port"),
            ("systemd:domain=INET:name=web", "'web'"),
            ("tcp:0\\", "not understood"),
        )
        commands = [[*FOREGROUND, "gows", "--listen", case] for case, _ in cases]
        for ended, (case, expected) in zip(
            run(*commands, folder=self.folder), cases, strict=True
        ):
            self.assertEqual(ended.status, 1, ended)
            self.assertNotIn("Traceback", ended.out + ended.err)
            self.assertTrue(ended.err.startswith("gows: "), ended)
            self.assertEqual(ended.err.count("\n"), 1, ended.err)
            self.assertIn(repr(case), ended.err)
            self.assertIn(expected, ended.err)
