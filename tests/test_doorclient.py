"""Tests for L{gows.commands.doorclient}: a client of the operators' door."""

from __future__ import annotations

import re
import socket
import threading
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gows.commands import doorclient
from gows.commands.doorclient import DoorClient, DoorError, urlOf
from tests import falsedoors
from tests.falsedoors import Door
from tests.support import TIMEOUT, freePort


class UrlTests(SynchronousTestCase):
    """Where a door is follows from where it listens."""

    def test_endpoints(self) -> None:
        """TCP, TLS and Unix endpoints are understood."""
        for endpoint, url in (
            ("tcp:8889:interface=127.0.0.1", "http://127.0.0.1:8889"),
            ("tcp:port=8889", "http://127.0.0.1:8889"),
            ("tcp:8889:interface=0.0.0.0", "http://127.0.0.1:8889"),
            ("tcp6:8889:interface=\\:\\:1", "http://[::1]:8889"),
            ("tcp6:8889", "http://[::1]:8889"),
            ("ssl:8889:privateKey=a.pem:interface=10.0.0.1", "https://10.0.0.1:8889"),
            ("unix:/run/gows.sock:mode=660", "unix:/run/gows.sock"),
            ("unix:address=/a\\:b", "unix:/a:b"),
            ("systemd:domain=INET:index=0", None),
            ("haproxy:tcp:1", None),
        ):
            self.assertEqual(urlOf(endpoint), url, endpoint)

    def test_wrong(self) -> None:
        """What is no place of a door is refused."""
        for url in (
            "",
            "nonsense",
            "ftp://a",
            "http://",
            "http://a:x",
            "http://a/b",
            "http://ops:secret@a",
            "http://a\x00b",
        ):
            self.assertRaises(ValueError, DoorClient, url)


class AnswerTests(SynchronousTestCase):
    """Whatever answers, or does not, there is one line about it."""

    def answered(self, raw: bytes, isUnix: bool = False) -> tuple[str, list[bytes]]:
        """Serve one answer; answer the URL, and where the request will be."""
        requests: list[bytes] = []
        if isUnix:
            path = str(Path(self.mktemp()).absolute())[-90:]
            listener = socket.socket(socket.AF_UNIX)
            path = f"/tmp/{Path(path).name}.sock"
            listener.bind(path)
            self.addCleanup(Path(path).unlink)
            listener.listen()
            url = f"unix:{path}"
        else:
            listener = socket.create_server(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.settimeout(TIMEOUT)

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.settimeout(TIMEOUT)
                data = b""
                while b"\r\n\r\n" not in data:
                    data += peer.recv(65536)
                # A line that is closed with something unread is reset.
                size = re.search(rb"\r\nContent-Length: (\d+)", data)
                end = data.index(b"\r\n\r\n") + 4 + int(size[1] if size else 0)
                while len(data) < end:
                    data += peer.recv(65536)
                requests.append(data)
                peer.sendall(raw)

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(listener.close)
        self.addCleanup(thread.join)
        return url, requests

    def error(self, url: str) -> DoorError:
        """Ask in vain, and answer the error."""
        error = self.assertRaises(DoorError, DoorClient(url).ask, "GET", "/api/info")
        assert isinstance(error, DoorError)
        return error

    def test_answer(self) -> None:
        """JSON is decoded; the key goes along."""
        for isUnix in (False, True):
            url, requests = self.answered(
                b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{"a":1}', isUnix
            )
            answer = DoorClient(url, "k3y").ask("POST", "/x", {"b": 2})
            self.assertEqual(answer, {"a": 1})
            self.assertIn(b"Authorization: Bearer k3y\r\n", requests[0])
            self.assertIn(b"Content-Type: application/json\r\n", requests[0])

    def test_refusal(self) -> None:
        """What the door says is said."""
        body = b'{"error":{"code":"unauthorized","message":"A key is missing."}}'
        head = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: %d\r\n\r\n" % len(body)
        error = self.error(self.answered(head + body)[0])
        self.assertEqual(error.status, 3)
        self.assertIn("A key is missing. (GOWS_API_KEY", str(error))

    def test_another(self) -> None:
        """What is no door is said to be none."""
        for raw, words in (
            (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "404 Not Found"),
            (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "302 Found"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "not JSON"),
            (b"SSH-2.0-OpenSSH\r\n", "cannot be reached"),
            (b"", "cannot be reached"),
        ):
            error = self.error(self.answered(raw)[0])
            self.assertIn(words, str(error), raw)
            self.assertTrue(str(error).isprintable())

    def test_nobody(self) -> None:
        """Where nobody listens it is said what to do."""
        for url in (f"http://127.0.0.1:{freePort()}", "unix:/nowhere.sock"):
            error = self.error(url)
            self.assertEqual(error.status, 2)
            self.assertIn("--admin", str(error))

    def test_noHost(self) -> None:
        """A host that cannot be one is not reached."""
        for host in ("a" * 70, "a..b"):
            error = self.error(f"http://{host}:80")
            self.assertEqual(error.status, 2)

    def test_endless(self) -> None:
        """An answer that does not end, or is too long, is given up."""
        door = self.enterContext(Door({"/api/info": [b""]}))
        client = DoorClient(door.url, timeout=0.05)
        error = self.assertRaises(DoorError, client.ask, "GET", "/api/info")
        self.assertIn("timed out", str(error))
        self.patch(doorclient, "MAX_ANSWER", 10)
        door.answers["/api/info"] = [falsedoors.json(b"1" * 11)]
        self.assertIn("not come to an end", str(self.error(door.url)))
        self.patch(doorclient, "PATIENCE", -1)
        door.answers["/api/info"] = [falsedoors.json(b"1")]
        self.assertIn("not come to an end", str(self.error(door.url)))

    def test_cut(self) -> None:
        """An answer that is cut is none."""
        raw = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{}"
        door = self.enterContext(Door({"/api/info": [raw]}))
        self.assertEqual(self.error(door.url).status, 2)

    def test_hostile(self) -> None:
        """What a refusal says is short."""
        body = b'{"error":{"message":"%b"}}' % (b"x" * 10_000)
        raw = b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        door = self.enterContext(Door({"/api/info": [raw]}))
        self.assertLess(len(str(self.error(door.url))), 500)

    def test_count(self) -> None:
        """A number is one."""
        door = self.enterContext(Door({"/x": [falsedoors.json(b'{"n":3}')]}, "tcp6"))
        client = DoorClient(door.url)
        self.assertEqual(client.count("/x", {}, "n"), 3)
        self.assertRaises(DoorError, client.count, "/x", {}, "m")
        self.assertRaises(DoorError, client.count, "/x", {"a": "\udcff"}, "n")
