"""Tests for L{gows.web.door}: what is where, and connections to it."""

from __future__ import annotations

import json
from typing import Any

from gows.web.answers import Problem
from tests.doors import KEY, DoorTestCase, bearer, written
from tests.memory import answerOf


class PathTests(DoorTestCase):
    """What there is, and what there is not."""

    def test_there(self) -> None:
        """Each path of the API, written in one way."""
        for target in ("/api/info", "/api/rooms", "/api/connections", "/openapi.json"):
            self.assertEqual(self.call("GET", target).status, 200)

    def test_notThere(self) -> None:
        """All else is 404, in JSON, and where to look is said."""
        for target in (
            *("/api", "/api/", "/api/info/", "/api//info", "//api/info"),
            *("/api/Info", "/api/%69nfo", "/api/info%20", "/API/info"),
            *("/api/rooms/a/b", "/api/rooms/a/", "/api/../api/info", "/api/info;x"),
            *("/openapi.json/", "/favicon.ico", "/signin.html", "/../etc/passwd"),
            *("/api/rooms/%ff", "/api/rooms/%ed%a0%80", "http://x/api/info", "*"),
        ):
            answer = self.call("GET", target)
            message = self.assertProblem(answer, 404, "not_found")
            self.assertIn("/openapi.json", message)

    def test_query(self) -> None:
        """Where there are no parameters, there must be none."""
        self.assertEqual(self.call("GET", "/api/info?").status, 200)
        answer = self.call("GET", "/api/info?x=1")
        self.assertProblem(answer, 400, "invalid", "x")
        answer = self.call("POST", "/api/publish?x=1", {"to": "everyone", "data": 1})
        self.assertProblem(answer, 400, "invalid", "x")

    def test_escaped(self) -> None:
        """A room's name may be percent-encoded."""
        self.opened(self.chat, "specialKey=alice&room=a.b")
        for name in ("a.b", "%61%2eb", "a%2Eb"):
            self.assertEqual(
                self.answered("GET", f"/api/rooms/{name}")["keys"], ["alice"]
            )
        self.assertEqual(self.answered("GET", "/api/rooms/%2A")["room"], "*")
        for name in (
            "",
            "a%2Fb",
            "%2e%2e%2f",
            "%00",
            "a%20b",
            "%C3%A9",
            "x" * 65,
            "**",
        ):
            message = self.assertProblem(
                self.call("GET", f"/api/rooms/{name}"), 404, "not_found"
            )
            self.assertIn("A room's name is", message)

    def test_logged(self) -> None:
        """A request is logged without its parameters, and without its key."""
        self.call("GET", "/api/rooms?after=secret")
        [line] = [line for line in self.logged() if "answered" in line]
        self.assertEqual(line, "answered 203.0.113.7: GET /api/rooms 200")
        self.call("GET", "/%0a%1b\\x")
        self.assertTrue(all(line.isprintable() for line in self.logged()))
        self.assertNotIn(KEY, str(self.logged()))


class ConnectionTests(DoorTestCase):
    """Requests on one connection."""

    def answers(self, received: bytes) -> list[bytes]:
        """Take apart several answers."""
        bodies = []
        while received:
            head, _, rest = received.partition(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].split(b"\r")[0])
            bodies.append(rest[:length])
            received = rest[length:]
        return bodies

    def test_kept(self) -> None:
        """It stays open for further requests."""
        asker = self.connected()
        for count in (1, 2, 3):
            asker.send(written("GET", "/api/info", headers=bearer()))
            self.assertEqual(len(self.answers(asker.wire.received)), count)
        self.assertFalse(asker.wire.isLost)

    def test_close(self) -> None:
        """Unless the client wants it closed."""
        asker = self.connected()
        headers = {**bearer(), "Connection": "close"}
        asker.send(written("GET", "/api/info", headers=headers))
        self.assertTrue(asker.wire.isLost)
        self.assertEqual(answerOf(asker.wire.received).status, 200)

    def test_pipelined(self) -> None:
        """Requests at once are answered in their order, each with its own key."""
        asker = self.connected()
        publish = {"to": "everyone", "data": "x"}
        asker.send(
            written("POST", "/api/publish", publish, bearer())
            + written("GET", "/api/rooms", headers={"Authorization": None})
            + written("GET", "/api/rooms", headers=bearer())
        )
        first, second, third = map(json.loads, self.answers(asker.wire.received))
        self.assertEqual(first["readers"], 0)
        self.assertEqual(second["error"]["code"], "unauthorized")
        self.assertEqual(third["rooms"], [])

    def test_byteByByte(self) -> None:
        """A request may come one byte at a time."""
        asker = self.connected()
        body = {"to": "everyone", "data": "é"}
        for byte in written("POST", "/api/publish", body, bearer()):
            asker.send(bytes([byte]))
        self.assertEqual(answerOf(asker.wire.received).status, 200)

    def test_chunked(self) -> None:
        """A body may come in chunks."""
        headers = {**bearer(), "Transfer-Encoding": "chunked", "Content-Length": None}
        chunks = b'7\r\n{"to":"\r\n15\r\neveryone","data":"x"}\r\n0\r\n\r\n'
        answer = self.send("POST", "/api/publish", chunks, headers)
        self.assertEqual(answer.status, 200)

    def test_smuggling(self) -> None:
        """A body of two lengths is refused, and the connection ends."""
        hidden = written(
            "POST", "/api/publish", {"to": "everyone", "data": 1}, bearer()
        )
        more: tuple[dict[str, Any], ...] = (
            {"Transfer-Encoding": "chunked"},
            {"Content-Length": ["0", str(len(hidden))]},
        )
        for headers in more:
            asker = self.connected()
            asker.send(written("POST", "/api/disconnect", hidden, bearer() | headers))
            self.assertTrue(asker.wire.received.startswith(b"HTTP/1.1 400 "))
            self.assertTrue(asker.wire.isLost)

    def test_expect(self) -> None:
        """Who asks whether to go on is told so."""
        headers = {**bearer(), "Expect": "100-continue"}
        asker = self.connected()
        asker.send(
            written("POST", "/api/publish", {"to": "everyone", "data": 1}, headers)
        )
        rest = asker.wire.received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.assertEqual(answerOf(rest).status, 200)


class WaitingTests(DoorTestCase):
    """Calls that take a while."""

    def test_later(self) -> None:
        """The answer comes when there is one; the next request waits for it."""
        waited = self.waiting()
        asker = self.connected()
        asker.send(
            written("POST", "/api/tickets", {"key": "a"}, bearer())
            + written("GET", "/healthz")
        )
        self.assertEqual(asker.wire.received, b"")
        waited[0].callback("t")
        asker.pump.flush()
        self.assertEqual(asker.wire.received.count(b"HTTP/1.1 200"), 2)
        self.assertIn(b'"ticket":"t"', asker.wire.received)

    def test_leaves(self) -> None:
        """A client that leaves meanwhile is nobody's fault, and is not waited for."""
        waited = self.waiting()
        asker = self.connected()
        asker.send(written("POST", "/api/tickets", {"key": "a"}, bearer()))
        asker.leave()
        self.assertTrue(waited[0].called)
        self.assertEqual([line for line in self.logged() if "failed" in line], [])

    def test_fails(self) -> None:
        """A fault of ours is 500; what it is stands in the log only."""
        waited = self.waiting()
        asker = self.connected()
        asker.send(written("POST", "/api/tickets", {"key": "a"}, bearer()))
        waited[0].errback(RuntimeError("it broke"))
        asker.pump.flush()
        answer = answerOf(asker.wire.received)
        self.assertProblem(answer, 500, "internal")
        self.assertNotIn(b"broke", answer.body)
        [event] = [e for e in self.events if "log_failure" in e]
        self.assertEqual(event["log_failure"].type, RuntimeError)

    def test_refused(self) -> None:
        """What is refused later is refused as what is refused at once."""
        waited = self.waiting()
        asker = self.connected()
        asker.send(written("POST", "/api/tickets", {"key": "a"}, bearer()))
        waited[0].errback(Problem(503, "too_many", "Later."))
        asker.pump.flush()
        self.assertProblem(answerOf(asker.wire.received), 503, "too_many")

    def test_failsAtOnce(self) -> None:
        """A fault at once is no other."""

        def broken(*_: object) -> None:
            raise RuntimeError("it broke")

        self.patch(self.chat, "accept", broken)
        answer = self.call("POST", "/api/publish", {"to": "everyone", "data": 1})
        self.assertProblem(answer, 500, "internal")
        self.assertNotIn(b"broke", answer.body)
