"""The operators' door of a real twistd, over TCP and a Unix socket."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import shutil
import signal
import socket
import ssl
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from twisted.trial.unittest import SynchronousTestCase
from websockets.exceptions import InvalidStatus

from tests.doors import KEY, OTHER_KEY, WRONG_KEY
from tests.support import (
    FOREGROUND,
    ROOT,
    TIMEOUT,
    Server,
    freePort,
    received,
    run,
    selfSigned,
    untilClosed,
    webSocket,
)
from tests.tokens import publicJwk, written

CURL = shutil.which("curl") or "curl"


class UnixConnection(http.client.HTTPConnection):
    """A connection over a Unix socket."""

    def __init__(self, path: str) -> None:
        """Connect to a path."""
        super().__init__("localhost", timeout=TIMEOUT)
        self._path = path

    def connect(self) -> None:
        """Connect."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


class Reply(NamedTuple):
    """An answer; a body in JSON is read."""

    status: int
    body: Any
    headers: http.client.HTTPMessage


class DoorCase(SynchronousTestCase):
    """
    Tests with a server that has a door.

    @ivar adminPort: where that is
    """

    def serve(self, *arguments: str, keys: str | None = f"backend: {KEY}\n") -> Server:
        """Start a server; without keys none are asked for."""
        self.adminPort = freePort()
        given = ["--admin", f"tcp:{self.adminPort}:interface=127.0.0.1", *arguments]
        if keys is not None:
            given += ["--api-key-file", "keys"]
        server = Server(*given, doors=2)
        if keys is not None:
            (server.folder / "keys").write_text(keys)
        written(server.folder / "token-key.json", publicJwk("EdDSA"))
        stack = ExitStack()
        self.addCleanup(stack.close)
        return stack.enter_context(server)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        key: str | None = KEY,
        connection: http.client.HTTPConnection | None = None,
        **headers: str,
    ) -> Reply:
        """Ask something."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if key is not None:
            named["Authorization"] = f"Bearer {key}"
        raw = None
        if body is not None:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            named.setdefault("Content-Type", "application/json")
        if connection is None:
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.adminPort, timeout=TIMEOUT
            )
        try:
            connection.request(method, path, raw, named)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        isJson = answer.headers.get_content_type() == "application/json"
        return Reply(
            answer.status,
            json.loads(content) if isJson and content else content,
            answer.headers,
        )


class TcpTests(DoorCase):
    """A door on a TCP port."""

    def test_publish(self) -> None:
        """Raw clients, raw ones with gzip, and gows.v1 all hear it."""
        server = self.serve()
        self.assertIn(
            f"listening on 127.0.0.1:{self.adminPort}: the operators' door",
            server.log(),
        )
        with (
            webSocket(server.wsUrl, "specialKey=raw") as raw,
            webSocket(server.wsUrl, "specialKey=gz&support_gzip=1") as zipped,
            webSocket(server.wsUrl, "specialKey=v1", subprotocols=["gows.v1"]) as v1,
        ):
            session = json.loads(v1.recv(timeout=TIMEOUT))["session"]
            body = {"to": "everyone", "data": "héllo"}
            first = self.ask("POST", "/api/publish", body, Idempotency_Key="1")
            again = self.ask("POST", "/api/publish", body, Idempotency_Key="1")
            self.assertEqual((first.status, first.body["readers"]), (200, 3))
            self.assertEqual(again.body, first.body)
            self.ask("POST", "/api/publish", {**body, "data": "end"})
            self.assertEqual(raw.recv(timeout=TIMEOUT), "héllo")
            self.assertEqual(raw.recv(timeout=TIMEOUT), "end")
            packed = zipped.recv(timeout=TIMEOUT)
            assert isinstance(packed, bytes)
            self.assertEqual(gzip.decompress(packed).decode(), "héllo")
            message = json.loads(v1.recv(timeout=TIMEOUT))
            self.assertEqual(message["data"], "héllo")
            self.assertEqual(message["id"], first.body["id"])

            found = self.ask("GET", "/api/connections").body
            self.assertEqual(found["total"], 3)
            byKey = {one["key"]: one for one in found["connections"]}
            self.assertEqual(byKey["v1"]["session"], session)
            self.assertEqual(byKey["gz"]["form"], "gzip")
            self.assertEqual(byKey["raw"]["messages_out"], 2)
            self.assertGreater(byKey["raw"]["bytes_in"], 100)

            gone = {"session": session, "code": 4100, "retry_after": 2500}
            self.assertEqual(
                self.ask("POST", "/api/disconnect", gone).body, {"connections": 1}
            )
            farewell = untilClosed(v1)
            self.assertEqual(farewell.code, 4100)
            closing = json.loads(farewell.messages[-1])
            self.assertEqual(
                (closing["type"], closing["retry_after"]), ("closing", 2500)
            )

    def test_ticket(self) -> None:
        """A ticket lets in whom it is for, once."""
        server = self.serve("--token-key", "token-key.json")
        body = {"key": "alice", "rooms": {"lobby": "rw"}}
        ticket = self.ask("POST", "/api/tickets", body).body["ticket"]
        with webSocket(server.wsUrl, f"ticket={ticket}&room=lobby"):
            presence = self.ask("GET", "/api/rooms/lobby").body
            self.assertEqual(presence["keys"], ["alice"])
            again = self.assertRaises(
                InvalidStatus, webSocket, server.wsUrl, f"ticket={ticket}&room=lobby"
            )
            self.assertEqual(again.response.status_code, 401)
        self.assertNotIn(ticket, server.log())

    def test_keys(self) -> None:
        """Keys open it, and no others; SIGHUP has them read again."""
        server = self.serve()
        self.assertEqual(self.ask("GET", "/healthz", key=None).status, 200)
        self.assertEqual(self.ask("GET", "/api/info", key=None).status, 401)
        self.assertEqual(self.ask("GET", "/api/info", key=WRONG_KEY).status, 401)
        server.waitForLog("a wrong API key came from 127.0.0.1")
        info = self.ask("GET", "/api/info").body
        self.assertEqual(info["settings"]["api-key-file"], "keys")
        self.assertNotIn(KEY, json.dumps(info))

        (server.folder / "keys").write_text(f"ops: {OTHER_KEY}\n")
        server.send(signal.SIGHUP)
        server.waitForLog("(?s)API keys read from keys: 1.*API keys read from keys: 1")
        self.assertEqual(self.ask("GET", "/api/info").status, 401)
        self.assertEqual(self.ask("GET", "/api/info", key=OTHER_KEY).status, 200)

        (server.folder / "keys").write_text("broken\n")
        server.send(signal.SIGHUP)
        server.waitForLog("the API keys were not read again, the old ones stay")
        self.assertEqual(self.ask("GET", "/api/info", key=OTHER_KEY).status, 200)
        for key in (KEY, OTHER_KEY, WRONG_KEY):
            self.assertNotIn(key, server.log())

    def test_signIn(self) -> None:
        """
        A browser signs in with a form, and goes on with its cookie.

        When its key is taken away its session is over, and stays so.
        """
        server = self.serve()
        form: dict[str, Any] = {"Content_Type": "application/x-www-form-urlencoded"}
        answer = self.ask("POST", "/signin", f"key={KEY}".encode(), None, **form)
        self.assertEqual(answer.status, 303)
        cookie = str(answer.headers["Set-Cookie"]).partition(";")[0]
        for times, key, status in ((2, KEY, 200), (3, OTHER_KEY, 401), (4, KEY, 401)):
            (server.folder / "keys").write_text(f"ops: {key}\n")
            server.send(signal.SIGHUP)
            server.waitForLog(f"(?s)(?:API keys read from keys.*){{{times}}}")
            found = self.ask("GET", "/api/info", None, None, Cookie=cookie)
            self.assertEqual(found.status, status, key)

    def test_enemy(self) -> None:
        """Other names, other origins and broken requests get nothing."""
        server = self.serve(keys=None)
        cases: tuple[tuple[dict[str, Any], int], ...] = (
            ({"Host": "evil.example"}, 421),
            ({"Origin": "null"}, 403),
            ({"Origin": "http://127.0.0.1:1"}, 403),
            ({"Sec_Fetch_Site": "cross-site"}, 403),
            ({"X_Forwarded_For": "\xff"}, 403),
        )
        for headers, status in cases:
            found = self.ask("GET", "/api/info", key=None, **headers)
            self.assertEqual(found.status, status, headers)
        hidden = b"POST /api/publish HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for raw in (
            b"\xff\xfe\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
            b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + hidden,
            b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
            b"Content-Length: 9\r\n\r\n" + hidden,
            b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00",
        ):
            with socket.create_connection(("127.0.0.1", self.adminPort)) as peer:
                peer.settimeout(TIMEOUT)
                peer.sendall(raw)
                peer.shutdown(socket.SHUT_WR)
                answer = received(peer)
                self.assertNotIn(b" 200 ", answer)
                if b"\r\n" in raw:
                    error = json.loads(answer.partition(b"\r\n\r\n")[2])["error"]
                    self.assertIn(error["code"], ("bad_request", "wrong_host"))
        with socket.create_connection(("127.0.0.1", self.adminPort)) as peer:
            peer.sendall(
                b"POST /api/publish HTTP/1.1\r\nHost: localhost\r\n"
                b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
            )
        self.assertEqual(self.ask("GET", "/healthz", key=None).status, 200)
        self.assertNotIn("Traceback", server.log())
        self.assertNotIn("/api/publish", server.log())


class PipelineTests(DoorCase):
    """Clients that send many requests at once."""

    PUBLISH = (
        "POST /api/publish HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
        f"{KEY}\r\nContent-Type: application/json\r\nContent-Length: 29\r\n\r\n"
        '{"to":"everyone","data":"hi"}'
    ).encode()
    SIGN_IN = b"GET /signin HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def sentUntilHeld(self, peer: socket.socket, data: bytes) -> None:
        """Send something again and again, until nothing is taken for two seconds."""
        peer.settimeout(2)
        for _ in range(10_000):
            try:
                peer.sendall(data)
            except TimeoutError:
                return
        self.fail("all was taken")

    def test_all(self) -> None:
        """All are answered, though the client has ended its side of the connection."""
        self.serve()
        for count in (1, 2, 200):
            with socket.create_connection(("127.0.0.1", self.adminPort)) as peer:
                peer.settimeout(TIMEOUT)
                peer.sendall(self.SIGN_IN + self.PUBLISH * (count - 1))
                peer.shutdown(socket.SHUT_WR)
                self.assertEqual(received(peer).count(b"HTTP/1.1 200 OK"), count)

    def test_left(self) -> None:
        """But what goes on while somebody looks ends, as if the client were gone."""
        self.serve()
        head = f" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n\r\n"
        for path, count in (
            *(("/feed", 2), ("/debug/profile?seconds=60", 1)),
            *(("/debug/profile?seconds=60", 1), ("/debug/cmdline", 3)),
        ):
            with socket.create_connection(("127.0.0.1", self.adminPort)) as peer:
                peer.settimeout(TIMEOUT)
                asked = f"GET {path}{head}".encode()
                peer.sendall(self.SIGN_IN + asked + self.PUBLISH)
                peer.shutdown(socket.SHUT_WR)
                self.assertEqual(received(peer).count(b"HTTP/1.1 200 OK"), count)

    def test_secure(self) -> None:
        """Over TLS as well, more than fits the line; TLS is ended as it should be."""
        port = freePort()
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        cert, key = selfSigned(folder)
        where = f"ssl:{port}:interface=127.0.0.1:certKey={cert}:privateKey={key}"
        (folder / "keys").write_text(f"backend: {KEY}\n")
        flags = "--admin", where, "--api-key-file", str(folder / "keys")
        self.enterContext(Server(*flags, doors=2))
        trusting = ssl.create_default_context(cafile=cert)
        plain = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        last = self.SIGN_IN.replace(b"Host", b"Connection: close\r\nHost")
        with trusting.wrap_socket(
            plain, server_hostname="localhost", suppress_ragged_eofs=False
        ) as peer:
            peer.sendall((self.PUBLISH + self.SIGN_IN) * 1000 + last)
            self.assertEqual(received(peer).count(b"HTTP/1.1 200 OK"), 2001)

    def test_unread(self) -> None:
        """Who reads no answers is read no more; others, and the memory, do not mind."""
        server = self.serve()
        self.assertEqual(self.ask("GET", "/healthz", key=None).status, 200)
        before = server.memory()
        with socket.create_connection(("127.0.0.1", self.adminPort)) as peer:
            self.sentUntilHeld(peer, self.SIGN_IN * 100)
            self.assertEqual(self.ask("GET", "/healthz", key=None).status, 200)
            self.assertLess(server.memory() - before, 8 * 1024 * 1024)
            self.assertIn(b"HTTP/1.1 200 OK", peer.recv(1024))


class FeedTests(DoorCase):
    """Many who read the feed, or do not."""

    FEED = (
        f"GET /feed HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    ).encode()

    def reader(self) -> socket.socket:
        """Begin to read: some of it, until the server has said hello."""
        peer = socket.create_connection(("127.0.0.1", self.adminPort), TIMEOUT)
        self.addCleanup(peer.close)
        peer.sendall(self.FEED)
        self.assertIn(b"HTTP/1.1 200 OK", peer.recv(15, socket.MSG_WAITALL))
        return peer

    def test_unread(self) -> None:
        """Those who never read keep nobody out; who has to go is told until when."""
        self.serve()
        first, *_ = [self.reader() for _ in range(100)]
        late = self.reader()
        with late.makefile("rb") as lines:
            self.assertIn(b"event: hello\n", lines)
            self.assertIn(b"event: sample\n", lines)
        with first.makefile("rb") as lines:
            self.assertIn(b"retry: 10000\n", lines)


class DocsTests(DoorCase):
    """docs/operations.md says what there is."""

    def setUp(self) -> None:
        """Read the section."""
        text = (ROOT / "docs" / "operations.md").read_text("utf-8")
        _, _, behind = text.partition("## The operators' door\n")
        self.section = behind.partition("\n## ")[0]

    def test_curl(self) -> None:
        """Its examples work as they stand, and each call has one."""
        server = self.serve("--token-key", "token-key.json")
        joined = self.section.replace("\\\n", " ")
        [exported] = re.findall(r"^    (export .*)$", joined, re.MULTILINE)
        commands = re.findall(r"^    (curl .*)$", joined, re.MULTILINE)
        self.assertEqual(len(commands), 11)
        here = [one for one in commands if "--unix-socket" not in one]
        script = "\n".join([exported, *(f"{one} -sS --fail-with-body" for one in here)])
        moved = script.replace("127.0.0.1:8889", f"127.0.0.1:{self.adminPort}")
        [ended] = run(
            ["/bin/sh", "-ec", moved], folder=server.folder, variables={"KEY": KEY}
        )
        self.assertEqual((ended.status, ended.err), (0, ""), ended.out)
        answers = [json.loads(line) for line in ended.out.splitlines()]
        self.assertEqual(len(answers), len(here))
        paths = json.loads(json.dumps(self.ask("GET", "/openapi.json").body))["paths"]
        for path in paths:
            self.assertIn(path.replace("{name}", "lobby"), moved)

    def test_tables(self) -> None:
        """Its tables have every call, and every error that there is."""
        self.serve()
        paths = self.ask("GET", "/openapi.json").body["paths"]
        calls = {
            f"{method.upper()} {path}" for path, one in paths.items() for method in one
        }
        self.assertEqual(
            set(re.findall(r"^\| `((?:GET|POST) [^`]+)` \|", self.section, re.M)), calls
        )
        source = "".join(
            path.read_text("utf-8")
            for path in [
                *(ROOT / "gows" / "web").glob("*.py"),
                ROOT / "gows/operating.py",
            ]
        )
        codes = re.findall(r"Problem\(\s*\d{3},\s*\"(\w+)\"", source)
        rows = re.findall(r"^\| \d{3}.*? \| (`.*?) \|", self.section, re.MULTILINE)
        told = re.findall(r"`(\w+)`", " ".join(rows))
        self.assertEqual(set(told), set(codes))


class UnixTests(DoorCase):
    """A door on a Unix socket."""

    def test_unix(self) -> None:
        """It needs no key there, and curl reaches it as localhost."""
        server = Server("--admin", "unix:door.sock:mode=600", doors=2)
        with server:
            self.assertIn("listening on unix:door.sock", server.log())
            path = server.folder / "door.sock"
            self.assertEqual(path.stat().st_mode & 0o777, 0o600)
            connection = UnixConnection(str(path))
            found = self.ask("GET", "/api/info", key=None, connection=connection)
            self.assertEqual(found.body["name"], "gows")
            [ended] = run(
                [CURL, "-sS", "--unix-socket", "door.sock", "http://localhost/healthz"],
                folder=server.folder,
            )
            self.assertEqual(ended.out, "ok\n")
            server.terminate()
            server.wait()
            self.assertFalse(path.exists())


class RefusedTests(DoorCase):
    """A server that does not start."""

    def test_refused(self) -> None:
        """On an address that others reach it needs keys; a broken file is named."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        (folder / "broken").write_text("x\n")
        (folder / "keys").write_text(f"backend: {KEY}\n")
        port = ("--port", "0")
        ended = run(
            *(
                [*FOREGROUND, "gows", *port, *arguments]
                for arguments in (
                    ("--admin", "tcp:0"),
                    ("--admin", "tcp:0:interface=0.0.0.0"),
                    ("--admin", "tcp6:0"),
                    ("--admin", "tcp:0", "--api-key-file", "broken"),
                    ("--admin", "tcp:0", "--api-key-file", "missing"),
                    ("--admin", "x:1"),
                )
            ),
            folder=folder,
        )
        reasons = (
            *("admin is a port that other hosts reach: it needs keys (api-key-file)",)
            * 3,
            "line 1 of broken is not name: key",
            "missing cannot be read: No such file or directory",
            "admin 'x:1' is not understood",
        )
        for one, reason in zip(ended, reasons, strict=True):
            self.assertNotEqual(one.status, 0)
            lines = one.err.splitlines()
            self.assertEqual(len(lines), 1, one.err)
            self.assertIn(reason, lines[0])

    def test_withKeys(self) -> None:
        """With keys it starts there."""
        port = freePort()
        server = Server("--admin", f"tcp:{port}", "--api-key-file", "keys", doors=2)
        (server.folder / "keys").write_text(f"backend: {KEY}\n")
        with server:
            self.assertIn(f"listening on 0.0.0.0:{port}", server.log())
