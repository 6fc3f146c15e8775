"""Tests for L{gows.logfile}, and for what is in the log of a real server."""

from __future__ import annotations

import http.client
import re
import signal
import socket
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import ILogObserver, Logger, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from websockets.exceptions import InvalidStatus
from zope.interface.verify import verifyObject

from gows.errors import CannotStart
from gows.journal import Journal
from gows.logfile import LogFileObserver, checkLogFile
from tests.support import TIMEOUT, Server, recorder, until, webSocket

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \[([\w.]+#(debug|info|warn|error|"
    r"critical)|-)\] \S.*"
)
"""A line of the log: time, namespace, level, text; Twisted's legacy lines say [-]."""

SECRETS = ("s3cretkey", "s3crettoken", "s3cretpayload", "s3cretreason", "s3cretcookie")
"""What clients send in these tests, and no log shall hold."""


class LogFileObserverTests(SynchronousTestCase):
    """The observer itself."""

    def setUp(self) -> None:
        """Name a file in a folder."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.path = self.folder / "gows.log"
        self.events, self._observe = recorder()
        self.journal = Journal("info", Clock(), self._observe)

    def observer(self, level: str = "info") -> LogFileObserver:
        """Open the file."""
        return LogFileObserver(str(self.path), level)

    def write(self, observer: LogFileObserver, text: str, level: str = "info") -> None:
        """Have a line logged."""
        log = Logger("gows.test", observer=observer.observer)
        getattr(log, level)("{text}", text=text)

    def test_check(self) -> None:
        """Beforehand the same is refused in the same words, and no file is made."""
        checkLogFile(str(self.path))
        checkLogFile("gows.log")
        self.assertEqual(list(self.folder.iterdir()), [])
        for path in (str(self.folder), str(self.folder / "none" / "gows.log")):
            said = [
                str(self.assertRaises(CannotStart, refuses, path))
                for refuses in (checkLogFile, partial(LogFileObserver, level="info"))
            ]
            self.assertEqual(said[0], said[1])
        self.path.touch()
        checkLogFile(str(self.path))

    def test_lines(self) -> None:
        """Each event is a line of time, namespace, level and text."""
        observer = self.observer()
        verifyObject(ILogObserver, observer.observer)
        self.write(observer, "first")
        self.write(observer, "second ✓", "error")

        first, second = self.path.read_text("utf-8").splitlines()
        self.assertRegex(first, LINE)
        self.assertTrue(first.endswith(" [gows.test#info] first"), first)
        self.assertTrue(second.endswith(" [gows.test#error] second ✓"), second)

    def test_level(self) -> None:
        """Events below the level are not written."""
        observer = self.observer("warn")
        for level in ("debug", "info", "warn", "error", "critical"):
            self.write(observer, level, level)

        self.assertEqual(
            re.findall(r"\w+$", self.path.read_text(), re.MULTILINE),
            ["warn", "error", "critical"],
        )

    def test_appends(self) -> None:
        """What is in the file stays."""
        self.path.write_text("of yesterday\n")
        self.write(self.observer(), "of today")

        self.assertRegex(self.path.read_text(), r"\Aof yesterday\n.*of today\n\Z")

    def test_cannotBeOpened(self) -> None:
        """A folder in place of the file, or none around it: one line says so."""
        for path, reason in (
            (self.folder, "Is a directory"),
            (self.folder / "none" / "gows.log", "No such file or directory"),
        ):
            error = self.assertRaises(CannotStart, LogFileObserver, str(path), "info")
            self.assertEqual(
                str(error), f"the log file {path} cannot be opened: {reason}"
            )

    def test_reopen(self) -> None:
        """After a rename, new lines go to a new file of the old name."""
        observer = self.observer()
        self.write(observer, "old")
        rotated = self.path.rename(self.folder / "gows.log.1")
        self.write(observer, "late")
        observer.reopen(self.journal)
        self.write(observer, "new")

        self.assertEqual(
            re.findall(r"\w+$", rotated.read_text(), re.MULTILINE), ["old", "late"]
        )
        self.assertRegex(self.path.read_text(), r"\A.* new\n\Z")
        self.assertEqual(
            [formatEvent(e) for e in self.events], ["log file opened anew"]
        )

    def test_cannotBeReopened(self) -> None:
        """If that fails the old file goes on, and an error says why."""
        observer = self.observer()
        rotated = self.path.rename(self.folder / "gows.log.1")
        self.path.mkdir()
        observer.reopen(self.journal)
        self.write(observer, "late")

        self.assertRegex(rotated.read_text(), r" late\n\Z")
        [event] = self.events
        self.assertEqual(event["log_level"].name, "error")
        self.assertIn("the old one stays: Is a directory", formatEvent(event))


class LogOfServerTests(SynchronousTestCase):
    """The log of a real server."""

    def serve(self, *arguments: str, **options: Any) -> Server:
        """Run a server with a log file until the test is over."""
        return self.enterContext(
            Server("--log-file", "gows.log", *arguments, logName="gows.log", **options)
        )

    def chat(self, server: Server) -> None:
        """Connect, say something, and close, with secrets in everything."""
        url = "specialKey=s3cretkey&token=s3crettoken"
        headers = {"Cookie": "session=s3cretcookie"}
        with webSocket(server.wsUrl, url, additional_headers=headers) as client:
            client.send("s3cretpayload")
            client.recv(timeout=TIMEOUT)
            client.close(1000, "s3cretreason")

    def get(self, server: Server, target: str) -> int:
        """Send a plain request, and answer the status."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, TIMEOUT)
        try:
            connection.request("GET", target, headers={"Cookie": "a=s3cretcookie"})
            return connection.getresponse().status
        finally:
            connection.close()

    def refuse(self, server: Server) -> None:
        """Ask for an opening that is refused, with secrets in it."""
        with self.assertRaises(InvalidStatus):
            webSocket(server.wsUrl, "specialKey=s3cretkey&support_gzip=s3crettoken")

    def test_events(self) -> None:
        """
        One line each for an opening, its end, and a refusal, and none besides.

        All lines have a time, a namespace and a level.
        """
        server = self.serve()
        self.chat(server)
        self.refuse(server)
        server.waitForLog("closed s3c")
        server.waitForLog("refused")

        lines = server.log().splitlines()
        self.assertEqual([line for line in lines if not LINE.fullmatch(line)], [])
        [opened, closed, refused] = [
            line.partition(" [gows.connection#info] ")[2]
            for line in lines
            if "[gows.connection" in line
        ]
        self.assertRegex(opened, r"^opened s3c…:0 from 127\.0\.0\.1, 1 open$")
        self.assertRegex(
            closed,
            r"^closed s3c…:0 from 127\.0\.0\.1 after \d+\.\d{3} s, "
            r"code sent 1000, received 1000, messages in 1, out 1, dropped 0, "
            r"ignored 0$",
        )
        self.assertRegex(refused, r"^refused 127\.0\.0\.1: 400 support_gzip must be")

    def test_secrets(self) -> None:
        """
        At debug level, too, nothing that clients send is in the log.

        Query strings, keys, cookies, payloads, close reasons; of plain requests
        the path is shown.
        """
        server = self.serve("--log-level", "debug")
        self.chat(server)
        self.refuse(server)
        for target in ("/?specialKey=s3cretkey", "/check?specialKey=s3cretkey"):
            self.assertEqual(self.get(server, target), 200)
        self.assertEqual(self.get(server, "/s3crettoken"), 404)
        for raw in (
            b"s3cretpayload\r\n\r\n",
            b"GET /?specialKey=s3cretkey HTTP/1.1\r\nCookie : s3cretcookie\r\n\r\n",
            b"GET /?specialKey=s3cretkey HTTP/1.1\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: s3crettoken\r\n\r\n",
            b"\x16\x03\x01s3crettoken\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as peer:
                peer.sendall(raw)
                self.assertIn(b"HTTP/1.1 400", peer.recv(1000))
        server.waitForLog("answered 127.0.0.1: GET /check 200")
        until(lambda: server.log().count("refused") >= 6)

        for secret in SECRETS:
            self.assertNotIn(secret, server.log())
            self.assertNotIn(secret, server.output())

    def test_controlCharacters(self) -> None:
        """What a client sends cannot break a line of the log, or forge one."""
        server = self.serve("--log-level", "debug")
        key = "%E2%80%A8%E2%80%AEabcdefghijkl"  # a line separator; right to left
        with webSocket(server.wsUrl, f"specialKey={key}"):
            server.waitForLog(r"opened \\u2028\\u202eab…:0 from")
        self.assertEqual(self.get(server, "/healthz%0Aforged"), 404)
        for line in server.log().splitlines():
            self.assertRegex(line, LINE)

    def test_level(self) -> None:
        """With --log-level warn nothing of gows is written below that."""
        server = Server(
            "--log-level", "warn", "--log-file", "gows.log", logName="gows.log", doors=0
        )
        with server:
            until(lambda: self.answers(server))
            self.chat(server)
            self.refuse(server)
            server.folder.joinpath("gows.log").rename(server.folder / "gone.log")
            server.folder.joinpath("gows.log").mkdir()
            server.send(signal.SIGHUP)
            gone = server.folder / "gone.log"
            until(lambda: "#error] the log file was not opened" in gone.read_text())

            self.assertEqual(len(gone.read_text().splitlines()), 1, gone.read_text())

    def answers(self, server: Server) -> bool:
        """Tell whether a server that logs nothing has begun to serve."""
        try:
            return self.get(server, "/healthz") == 200
        except ConnectionRefusedError:
            return False

    def test_reopened(self) -> None:
        """
        After a rename and SIGHUP new lines go to a new file.

        If it cannot be opened, the old one goes on, with an error in it.
        """
        server = self.serve()
        log = server.folder / "gows.log"
        self.chat(server)
        rotated = log.rename(server.folder / "gows.log.1")
        server.send(signal.SIGHUP)
        server.waitForLog(r"\A.*#info\] log file opened anew\n")
        self.chat(server)
        server.waitForLog("closed s3c")
        self.assertEqual(rotated.read_text().count("opened s3c"), 1)

        second = log.rename(server.folder / "gows.log.2")
        log.mkdir()
        server.send(signal.SIGHUP)
        until(lambda: "#error] the log file was not opened anew" in second.read_text())
        self.chat(server)
        until(lambda: second.read_text().count("closed s3c") == 2)
        log.rmdir()
        server.send(signal.SIGHUP)
        server.waitForLog("log file opened anew")
        self.assertNotIn("Traceback", rotated.read_text() + second.read_text())

    def test_twist(self) -> None:
        """Under twist --log-file is written as well, and reopened."""
        server = self.serve(program=("twist",))
        self.chat(server)
        server.waitForLog("closed s3c")
        self.assertEqual(
            [line for line in server.log().splitlines() if not LINE.fullmatch(line)], []
        )

        rotated = (server.folder / "gows.log").rename(server.folder / "gows.log.1")
        server.send(signal.SIGHUP)
        server.waitForLog("log file opened anew")
        self.assertEqual(rotated.read_text().count("opened s3c"), 1)
