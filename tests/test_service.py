"""Tests for L{gows.service}: the start, the failing start, and the end."""

from __future__ import annotations

import gzip
import http.client
import os
import resource
import signal
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from twisted.application.service import Application, IService
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import ILogObserver, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from websockets.sync.client import ClientConnection

from gows.errors import CannotStart
from gows.listening import Door, ListeningService
from gows.logfile import LogFileObserver
from gows.service import GowsService, Reloading
from gows.terminal import Terminal
from tests.memory import MemoryTestCase
from tests.support import (
    BIN,
    FOREGROUND,
    TIMEOUT,
    Ended,
    Server,
    freePort,
    issue,
    pemOfChain,
    pemOfKey,
    rawOpening,
    rawWebSocket,
    received,
    run,
    until,
    untilClosed,
    webSocket,
)
from tests.test_listening import serverOfSystemd

WITHOUT_PRIVILEGES = (
    sys.executable,
    "-c",
    "import ctypes, os, sys\n"
    "for capability in (1, 2, 10):  # read any file; bind any port\n"
    "    ctypes.CDLL(None).prctl(24, capability)\n"
    "os.execv(sys.argv[1], sys.argv[1:])",
)
"""Runs a command as an ordinary user's, also where root runs the tests."""

REFUSED = rb"(?s)\AHTTP/1.1 503 .*\r\nRetry-After: 2\r\n.*stopping"
"""What an opening is answered while the server stops."""

UNPRIVILEGED_PORTS = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")


def isHealthy(port: int) -> bool:
    """Tell whether a server answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, TIMEOUT)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()


def isRunning(pid: int) -> bool:
    """Tell whether a process that is not our child runs."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


class MemoryServiceTests(MemoryTestCase):
    """The service without sockets."""

    def setUp(self) -> None:
        """Keep the limit of open files as it is for other tests."""
        super().setUp()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        self.terminal = self.enterContext(tempfile.TemporaryFile())
        self.listens: list[str] = []
        self.fault: CannotStart | None = None

    def service(self, logFile: LogFileObserver | None = None) -> GowsService:
        """Put a service together that listens in memory."""
        factory = self.factory()
        reactor: Any = MemoryReactorClock()

        def doors() -> list[Door]:
            if self.fault is not None:
                raise self.fault
            self.listens.append("doors")
            return [Door("tcp:1", False, TCP4ServerEndpoint(reactor, 1))]

        return GowsService(
            factory,
            ListeningService(doors, factory, factory.journal),
            None,
            reloading=Reloading(logFile=logFile),
            drainTimeout=5,
            journal=factory.journal,
            terminal=Terminal(descriptor=self.terminal.fileno()),
            reactor=reactor,
        )

    def test_twistd(self) -> None:
        """Under twistd the ports are opened in the privileged part, once."""
        service = self.service()
        service.privilegedStartService()
        self.assertEqual(self.listens, ["doors"])
        self.assertFalse(service.running)
        service.startService()

        self.assertEqual(self.listens, ["doors"])
        self.assertTrue(service.running)

    def test_twist(self) -> None:
        """The other way to run a plugin, twist, knows no privileged part."""
        service = self.service()
        service.startService()

        self.assertEqual(self.listens, ["doors"])
        self.assertEqual(len(service.listening.ports), 1)

    def test_openFiles(self) -> None:
        """The soft limit of open files is raised to the hard one, and logged."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
        self.service().privilegedStartService()

        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), (hard, hard))
        self.assertRegex(
            self.logged()[0],
            rf"^open files are limited to {hard}: room for about \d+ connections$",
        )

    def test_stop(self) -> None:
        """A stop waits for the clients, and closes the ports then."""
        service = self.service()
        service.startService()
        client = self.client(service.factory)
        stopped = service.stopService()

        self.assertEqual(len(service.listening.ports), 1)
        self.assertTrue(service.running)
        self.assertNoResult(stopped)
        client.flush()
        self.assertEqual(client.protocol.closed, (True, 1001, "the server is stopping"))
        self.successResultOf(stopped)
        self.assertEqual(service.listening.ports, ())
        self.assertFalse(service.running)

    def test_stopIsBounded(self) -> None:
        """It waits for no more than the drain timeout."""
        service = self.service()
        service.startService()
        self.client(service.factory)
        stopped = service.stopService()
        self.clock.advance(4.9)
        self.assertNoResult(stopped)
        self.clock.advance(0.2)

        self.successResultOf(stopped)

    def test_reload(self) -> None:
        """A reload without certificate and log file does nothing."""
        service = self.service()
        service.startService()
        before = self.logged()
        service.reload()

        self.assertEqual(self.logged(), before)

    def test_logObserver(self) -> None:
        """With a log file twistd is told to log there, before it begins to log."""
        logFile = LogFileObserver(self.mktemp(), "info")
        told, untold = Application("gows"), Application("gows")
        self.service(logFile).setServiceParent(told)
        self.service().setServiceParent(untold)

        self.assertIs(ILogObserver(told), logFile.observer)
        self.assertIsNone(ILogObserver(untold, None))
        self.assertTrue(IService(told))

    def test_cannotStart(self) -> None:
        """If a port cannot be opened that is logged, and the process is to end."""
        self.fault = CannotStart("the sky is falling")
        self.assertRaises(SystemExit, self.service().privilegedStartService)
        event = self.events[-1]
        self.assertEqual(formatEvent(event), "cannot start: the sky is falling")
        self.assertEqual(event["log_level"].name, "error")


class FailingStartTests(SynchronousTestCase):
    """
    A server that cannot start says why in one line, and leaves nothing behind.

    @ivar cases: arguments, the line they get, whether privileges are dropped first
    """

    def setUp(self) -> None:
        """Prepare everything that can be wrong."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        taken = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        port = taken.getsockname()[1]
        issued, other = issue("gows.test"), issue("other.test")
        cert = self.write("cert.pem", pemOfChain(issued))
        key = self.write("key.pem", pemOfKey(issued))
        secret = self.write("secret.pem", pemOfKey(issued))
        os.chmod(secret, 0)
        misfit = self.write("misfit.pem", pemOfKey(other))
        encrypted = self.write("encrypted.pem", pemOfKey(issued, b"secret"))
        missing = str(self.folder / "missing.pem")
        free = ("--port", "0")
        self.cases = [
            (
                ("--port", str(port)),
                rf"cannot listen on tcp:{port}:\S+: Address already in use",
            ),
            (
                (*free, "--cert", missing, "--key", key),
                rf"{missing} cannot be read: No such file or directory",
            ),
            (
                (*free, "--cert", cert, "--key", misfit),
                rf"the key in {misfit} does not fit the certificate in {cert}",
            ),
            (
                (*free, "--cert", cert, "--key", encrypted),
                rf"the key in {encrypted} is encrypted: it must not be",
            ),
            (
                (*free, "--cert", cert, "--key", secret),
                rf"{secret} cannot be read: Permission denied",
            ),
            (
                ("--listen", "tcp:0", "--listen", f"unix:{self.folder}/no/socket"),
                r"cannot listen on unix:\S+: No such file or directory",
            ),
        ]
        if int(UNPRIVILEGED_PORTS.read_text()) > 1:
            self.cases.append(
                (("--port", "1"), r"cannot listen on tcp:1:\S+: Permission denied")
            )

    def write(self, name: str, pem: bytes) -> str:
        """Write a file, and answer its path."""
        path = self.folder / name
        path.write_bytes(pem)
        return str(path)

    def start(self, *runner: str) -> list[Ended]:
        """Start a server for each case, its number in what C{runner} says."""
        twistd = str(BIN / "twistd")
        return run(
            *(
                [
                    *WITHOUT_PRIVILEGES,
                    twistd,
                    *(word.format(number) for word in runner),
                    "gows",
                    *arguments,
                ]
                for number, (arguments, _) in enumerate(self.cases)
            ),
            folder=self.folder,
        )

    def assertNothingLeft(self) -> None:
        """Check that there is no pid file and no crash file."""
        # A daemon's parent ends when it is told, which is a little before the daemon.
        until(lambda: not list(self.folder.glob("*.pid")))
        self.assertEqual(list(self.folder.glob("TWISTD-CRASH*")), [])

    def test_foreground(self) -> None:
        """One line on standard error, one in the log, status 1, no traceback."""
        for ended, (_, line) in zip(
            self.start("-n", "--pidfile={}.pid"), self.cases, strict=True
        ):
            self.assertEqual(ended.status, 1, ended)
            self.assertNotIn("Traceback", ended.out)
            self.assertRegex(ended.out, rf"#error\] cannot start: {line}\n")
            self.assertRegex(ended.err, rf"\Agows: {line}\n\Z")
        self.assertNothingLeft()

    def test_daemon(self) -> None:
        """
        Daemonised, the line is on the terminal and in the log.

        The terminal shows twistd's own two lines below it; the status is 1.
        """
        self.cases = self.cases[:5:2]
        for number, (ended, (_, line)) in enumerate(
            zip(
                self.start("--pidfile={}.pid", "--logfile={}.log"),
                self.cases,
                strict=True,
            )
        ):
            self.assertEqual((ended.status, ended.out), (1, ""), ended)
            first, second, third = ended.err.splitlines()
            self.assertRegex(first, f"^gows: {line}$")
            self.assertIn("An error has occurred", second)
            self.assertEqual(third, "Please look at log file for more information.")
            log = (self.folder / f"{number}.log").read_text()
            self.assertRegex(log, rf"#error\] cannot start: {line}\n")
            self.assertNotIn("Traceback", log)
        self.assertNothingLeft()

    def test_logElsewhere(self) -> None:
        """In the foreground, too, the line is on the terminal and in the log file."""
        arguments, line = self.cases[0]
        for ended in run(
            [*FOREGROUND, "--logfile=one.log", "gows", *arguments],
            [*FOREGROUND, "gows", "--log-file=two.log", *arguments],
            folder=self.folder,
        ):
            self.assertEqual((ended.status, ended.out), (1, ""), ended)
            self.assertRegex(ended.err, rf"\Agows: {line}\n\Z")
        for name in ("one.log", "two.log"):
            log = (self.folder / name).read_text()
            self.assertRegex(log, rf"#error\] cannot start: {line}\n")
            self.assertNotIn("Traceback", log)

    def test_twist(self) -> None:
        """Under twist it is the same line, once, and the same status."""
        arguments, line = self.cases[0]
        [ended] = run(["twist", "gows", *arguments], folder=self.folder)

        self.assertEqual((ended.status, ended.out), (1, ""), ended)
        self.assertRegex(ended.err, rf"\Agows: {line}\n\Z")

    def test_beforeTheDaemon(self) -> None:
        """What is wrong before twistd daemonises is one line, and no pid file."""
        [ended] = run(
            [
                "twistd",
                "--pidfile=0.pid",
                "--logfile=0.log",
                "gows",
                "--app",
                "no.Such",
            ],
            folder=self.folder,
        )

        self.assertEqual((ended.status, ended.out), (1, ""), ended)
        self.assertRegex(ended.err, r"\Agows: app no\.Such cannot be imported.*\n\Z")
        self.assertNothingLeft()


class DaemonTests(SynchronousTestCase):
    """A daemonised server that starts well."""

    def setUp(self) -> None:
        """Make a folder to run in."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.pidFile = self.folder / "gows.pid"

    def start(self, *runner: str) -> tuple[int, int]:
        """Start a server; answer its port and its pid. It ends with the test."""
        port = freePort()
        [ended] = run(
            ["twistd", "--pidfile=gows.pid", *runner, "--port", str(port)],
            folder=self.folder,
        )
        self.assertEqual(ended, Ended(0, "", ""))
        pid = int(self.pidFile.read_text())
        self.addCleanup(self.end, pid)
        return port, pid

    def end(self, pid: int) -> None:
        """End the daemon, if the test has not."""
        if isRunning(pid):
            os.kill(pid, signal.SIGKILL)
            until(lambda: not isRunning(pid))

    def test_daemon(self) -> None:
        """
        The terminal is free when it serves, and the pid file tells where it is.

        SIGTERM ends it and the pid file; its log knows of both.
        """
        port, pid = self.start("--logfile=gows.log", "gows")
        log = self.folder / "gows.log"
        self.assertTrue(isHealthy(port))
        with webSocket(f"ws://127.0.0.1:{port}/") as client:
            client.send("hello")
            self.assertEqual(client.recv(timeout=TIMEOUT), "hello")
            os.kill(pid, signal.SIGTERM)
            self.assertEqual(untilClosed(client).code, 1001)

        until(lambda: not isRunning(pid))
        self.assertFalse(self.pidFile.exists())
        self.assertIn(f"listening on 127.0.0.1:{port}", log.read_text())
        self.assertIn("Server Shut Down.", log.read_text())
        self.assertNotIn("Traceback", log.read_text())

    def test_logFile(self) -> None:
        """With --log-file that is where everything goes, from the first line on."""
        port, pid = self.start("gows", "--log-file", "gows.log")
        self.assertTrue(isHealthy(port))
        os.kill(pid, signal.SIGTERM)
        until(lambda: not isRunning(pid))

        self.assertEqual([path.name for path in self.folder.iterdir()], ["gows.log"])
        log = (self.folder / "gows.log").read_text()
        self.assertRegex(log, r"\A\S+ \[\S+#info\] twistd \S+ .*starting up\.\n")
        self.assertIn("Server Shut Down.", log)


class OpenFilesTests(SynchronousTestCase):
    """The limit of open files."""

    def test_raised(self) -> None:
        """A soft limit that is too low for a crowd is raised at the start."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        low = ("/bin/sh", "-c", 'ulimit -Sn 64 && exec "$@"', "sh")
        with Server(launcher=low) as server:
            assert server.process is not None
            limits = Path(f"/proc/{server.process.pid}/limits").read_text()
            self.assertRegex(limits, rf"Max open files +{hard} +{hard} ")
            found = server.waitForLog(
                r"#info\] open files are limited to (\d+): room for about (\d+) conn"
            )

            self.assertEqual(int(found[1]), hard)
            self.assertLess(hard - 100, int(found[2]))
            for _ in range(100):
                peer = socket.create_connection(("127.0.0.1", server.port), TIMEOUT)
                self.addCleanup(peer.close)
            self.assertTrue(isHealthy(server.port))
            self.assertNotIn("Too many open files", server.log())


class StopTests(SynchronousTestCase):
    """SIGTERM to a real server with clients."""

    def serve(self, *arguments: str, **options: Any) -> Server:
        """Run a server until the test is over."""
        return self.enterContext(Server(*arguments, **options))

    def join(self, server: Server, key: str, **options: Any) -> ClientConnection:
        """Open a WebSocket."""
        return self.enterContext(
            webSocket(server.wsUrl, f"specialKey={key}", **options)
        )

    def test_goodbye(self) -> None:
        """
        A stop lets nobody in any more, and tells everyone with 1001.

        It waits for a client that takes its time, and for no longer than that.
        """
        server = self.serve()
        quick, half = self.join(server, "quick"), self.dial(server)
        half.sendall(rawOpening("specialKey=half")[:20])
        self.assertTrue(isHealthy(server.port))
        with rawWebSocket(server.port, "specialKey=slow"):
            server.terminate()
            farewell = untilClosed(quick)
            self.assertEqual(
                (farewell.code, farewell.reason), (1001, "the server is stopping")
            )
            self.assertRegex(self.opening(server), REFUSED)
            half.sendall(rawOpening("specialKey=half")[20:])
            self.assertRegex(received(half), REFUSED)
            self.assertFalse(server.hasEnded())

        self.assertEqual(server.wait(), -signal.SIGTERM)
        self.assertIn("stopping: telling 2 connections, waiting", server.log())
        self.assertNotIn("cut", server.log())
        self.assertNotIn("Traceback", server.log())

    def opening(self, server: Server) -> bytes:
        """Answer what a new opening is answered."""
        peer = self.dial(server)
        peer.sendall(rawOpening("specialKey=late"))
        return received(peer)

    def get(self, server: Server, path: str) -> tuple[int, str | None, bytes]:
        """Ask; answer the status, the Retry-After header, and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, TIMEOUT)
        with closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Retry-After"), answer.read()

    def test_ready(self) -> None:
        """
        From the signal on until the end /readyz answers 503, and openings get it.

        The ports are closed last. A second signal is that end.
        """
        server = self.serve("--drain-timeout", "600", "--close-timeout", "600")
        self.assertEqual(self.get(server, "/readyz"), (200, None, b"ready\n"))
        with rawWebSocket(server.port, "specialKey=slow") as slow:
            server.terminate()
            until(lambda: self.get(server, "/readyz")[0] == 503)
            self.assertEqual(slow.recv(2)[:1], b"\x88")  # told; it does not answer
            self.assertEqual(self.get(server, "/readyz"), (503, "2", b"draining\n"))
            status, again, text = self.get(server, "/check?specialKey=late")
            self.assertEqual((status, again), (503, "2"))
            self.assertIn(b"stopping", text)
            self.assertRegex(self.opening(server), REFUSED)
            self.assertEqual(self.get(server, "/healthz")[0], 200)
            self.assertFalse(server.hasEnded())
            server.terminate()
            self.assertEqual(server.wait(), -signal.SIGTERM)
        self.assertRaises(ConnectionRefusedError, self.dial, server)
        self.assertNotIn("Traceback", server.log())

    def test_systemd(self) -> None:
        """A socket that systemd holds is answered until the end as well."""
        server = self.enterContext(serverOfSystemd())
        with rawWebSocket(server.port, "specialKey=slow"):
            server.terminate()
            server.waitForLog("stopping: telling 1 connections")
            self.assertRegex(self.opening(server), REFUSED)
            self.assertEqual(self.get(server, "/readyz")[0], 503)
        self.assertEqual(server.wait(), -signal.SIGTERM)

    def test_unix(self) -> None:
        """A Unix socket is there until the end, and then it is gone."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "socket"
            server = self.serve("--listen", f"unix:{path}", doors=1, listens=False)
            slow, late = (
                self.enterContext(socket.socket(socket.AF_UNIX)) for _ in "ab"
            )
            for peer in (slow, late):
                peer.settimeout(TIMEOUT)
            slow.connect(str(path))
            slow.sendall(rawOpening("specialKey=slow"))
            self.assertTrue(slow.recv(12).startswith(b"HTTP/1.1 101"))
            server.terminate()
            server.waitForLog("stopping: telling 1 connections")
            late.connect(str(path))
            late.sendall(rawOpening("specialKey=late"))
            self.assertRegex(received(late), REFUSED)
            self.assertTrue(path.exists())
            slow.close()
            self.assertEqual(server.wait(), -signal.SIGTERM)
            self.assertFalse(path.exists())

    def test_spread(self) -> None:
        """Connections are closed one after the other, as the time allows."""
        server = self.serve("--drain-timeout", "3")
        clients = [self.join(server, f"client{number}") for number in range(40)]
        times = []
        with ThreadPoolExecutor(len(clients)) as pool:
            began = time.monotonic()

            def ended(client: ClientConnection) -> float:
                self.assertEqual(untilClosed(client).code, 1001)
                return time.monotonic() - began

            waiting = [pool.submit(ended, client) for client in clients]
            server.terminate()
            times = sorted(future.result() for future in waiting)

        self.assertEqual(server.wait(), -signal.SIGTERM)
        for part in (0.25, 0.5, 0.75):
            at = times[int(len(times) * part)]
            self.assertLess(abs(at - part * 0.8 * 3), 0.6, times)
        self.assertLess(times[-1], 3)
        self.assertNotIn("cut", server.log())

    def dial(self, server: Server) -> socket.socket:
        """Connect, without a word."""
        peer = socket.create_connection(("127.0.0.1", server.port), TIMEOUT)
        self.addCleanup(peer.close)
        return peer

    def test_interrupt(self) -> None:
        """Ctrl-C ends it the same way, and as twistd ends by that signal."""
        server = self.serve()
        client = self.join(server, "alice")
        server.send(signal.SIGINT)

        self.assertEqual(untilClosed(client).code, 1001)
        self.assertEqual(server.wait(), -signal.SIGINT)
        self.assertNotIn("Traceback", server.log())

    def test_acceptedBefore(self) -> None:
        """
        What was accepted before the signal reaches everyone who reads.

        The signal comes right when the sender of a burst has its echo, while the
        others have not begun to read what fills their connections.
        """
        server = self.serve()
        readers = []
        for number in range(20):
            peer = socket.socket()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
            peer.connect(("127.0.0.1", server.port))
            key = f"reader{number}&support_gzip={number % 2}"
            readers.append(self.join(server, key, sock=peer, max_queue=1))
        sender = self.join(server, "sender")
        texts = [f"{number:02} {os.urandom(24000).hex()}" for number in range(20)]
        for text in texts:
            sender.send(text)
        echoes = [sender.recv(timeout=TIMEOUT) for _ in texts]
        server.terminate()

        self.assertEqual(echoes, texts)
        self.assertEqual(untilClosed(sender).code, 1001)
        for number, reader in enumerate(readers):
            farewell = untilClosed(reader)
            self.assertEqual(farewell.code, 1001)
            got = [
                gzip.decompress(message).decode()
                if isinstance(message, bytes)
                else message
                for message in farewell.messages
            ]
            self.assertEqual(got, texts, number)
        self.assertEqual(server.wait(), -signal.SIGTERM)
        self.assertNotIn("cut", server.log())

    def test_drainTimeout(self) -> None:
        """A client that never answers the close is cut after --drain-timeout."""
        server = self.serve("--drain-timeout", "0.5", "--close-timeout", "600")
        with rawWebSocket(server.port) as silent:
            server.terminate()

            self.assertEqual(server.wait(), -signal.SIGTERM)
            self.assertTrue(received(silent).startswith(b"\x88"), "no close frame")
        self.assertIn("cut 1 connections", server.log())
        self.assertNotIn("Traceback", server.log())

    def test_nobody(self) -> None:
        """With nobody there a stop waits for nothing, whatever the timeout."""
        server = self.serve("--drain-timeout", "600")
        self.assertTrue(isHealthy(server.port))
        server.terminate()

        self.assertEqual(server.wait(), -signal.SIGTERM)

    def test_twist(self) -> None:
        """Under twist a stop is as orderly."""
        options = ("twist", "--log-format=text")
        server = self.enterContext(Server(program=options))
        client = self.join(server, "alice")
        server.terminate()

        self.assertEqual(untilClosed(client).code, 1001)
        self.assertEqual(server.wait(), -signal.SIGTERM)
        self.assertNotIn("Traceback", server.log())
