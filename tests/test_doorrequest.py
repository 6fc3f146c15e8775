"""Tests for L{gows.web.doorrequest}: how large a body may be, and our own faults."""

from __future__ import annotations

import json
from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import Request

from gows.web.doorrequest import MAX_BODY, MAX_OF_STRANGERS
from tests.asking import AskingTestCase
from tests.doors import FORM, DoorTestCase, bearer, written
from tests.memory import answerOf


def publishOf(size: int) -> bytes:
    """Write a request's body of so many bytes."""
    body = json.dumps({"to": "everyone", "data": ""}).encode()
    return body[:-2] + b"x" * (size - len(body)) + body[-2:]


def chunked(body: bytes, size: int = 50_000) -> bytes:
    """Write a body in chunks."""
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])


IN_CHUNKS = {"Transfer-Encoding": "chunked", "Content-Length": None}


class SizeTests(DoorTestCase):
    """A body has 1 MiB at most, however it comes."""

    def test_largest(self) -> None:
        """So much is read, one byte more is refused."""
        for size, status in ((MAX_BODY, 200), (MAX_BODY + 1, 413)):
            body = publishOf(size)
            self.assertEqual(len(body), size)
            for raw, more in ((body, {}), (chunked(body), IN_CHUNKS)):
                headers = {**bearer(), **more}
                answer = self.send("POST", "/api/publish", raw, headers)
                self.assertEqual(answer.status, status)
        message = self.assertProblem(answer, 413, "too_large")
        self.assertEqual(message, "A body may have 1048576 bytes.")

    def test_nothingKept(self) -> None:
        """What is too large is read and thrown away, and the next request is read."""
        asker = self.connected()
        asker.send(written("POST", "/api/publish", publishOf(2 * MAX_BODY), bearer()))
        asker.send(written("GET", "/healthz"))
        received = asker.wire.received
        self.assertEqual(received.count(b"HTTP/1.1 "), 2)
        self.assertTrue(received.endswith(b"\r\n\r\nok\n"))

    def test_cut(self) -> None:
        """Who goes on for more than 8 MiB is cut."""
        part = b"x" * MAX_BODY
        asker = self.connected()
        headers = {**bearer(), "Content-Length": str(1 << 40)}
        asker.send(written("POST", "/api/publish", part, headers))
        for _ in range(7):
            asker.send(part)
        self.assertFalse(asker.wire.isLost)
        asker.send(part)
        self.assertTrue(asker.wire.isLost)

    def test_strangers(self) -> None:
        """Of who is not let in no more is kept than a form to sign in has."""
        asker = self.connected()
        for headers in ({}, bearer("not-a-key-of-anybody")):
            head = {**headers, "Content-Length": str(MAX_BODY)}
            asker = self.connected()
            part = b"x" * (MAX_BODY - 1)
            asker.send(written("POST", "/api/publish", part, head))
            channel: Any = asker.transport.protocol
            [request] = channel.requests
            self.assertLessEqual(len(request.content.getvalue()), MAX_OF_STRANGERS)
            asker.send(b"x")
            self.assertIn(b" 401 ", asker.wire.received)

    def test_withoutKey(self) -> None:
        """Without a key nobody is told what is too large."""
        answer = self.send("POST", "/api/publish", publishOf(MAX_BODY + 1))
        self.assertProblem(answer, 401, "unauthorized")

    def test_unread(self) -> None:
        """Where no body is wanted, one does not matter."""
        for body in (b"x", b"{", b"\xff" * 1000):
            for target in ("/healthz", "/api/info"):
                answer = self.send("GET", target, body, bearer())
                self.assertEqual(answer.status, 200)

    def test_forms(self) -> None:
        """A form is not parsed, but refused, in an instant."""
        headers = {**bearer(), "Content-Type": FORM}
        answer = self.send("POST", "/api/publish", b"a&" * (MAX_BODY // 2), headers)
        self.assertProblem(answer, 415, "unsupported_media_type")
        headers["Content-Type"] = "multipart/form-data; boundary=x"
        answer = self.send("POST", "/api/publish", b"--x\r\nbroken", headers)
        self.assertProblem(answer, 415, "unsupported_media_type")

    def test_star(self) -> None:
        """Twisted's own answer to OPTIONS * is not given."""
        for method in ("OPTIONS", "GET"):
            answer = self.send(method, "*", None, bearer())
            self.assertProblem(answer, 404, "not_found")
            asker = self.connected()
            asker.send(written(method, "*", headers={"Host": "evil.example"}))
            self.assertEqual(answerOf(asker.wire.received).status, 421)


class Broken(Resource):
    """
    A page that fails.

    @ivar begins: whether it has written something by then
    """

    isLeaf = True

    def __init__(self, begins: bool) -> None:
        """Fail when it is asked for."""
        super().__init__()
        self.begins = begins

    def render(self, request: Request) -> int:
        """Fail."""
        if self.begins:
            request.write(b"x")
        raise RuntimeError("a secret")


class FaultTests(AskingTestCase):
    """What is wrong with the server itself."""

    def test_answer(self) -> None:
        """It is answered as all else is, says nothing, and is in the log."""
        answer = self.got(self.door({"/x": Broken(begins=False)}), "/x")
        self.assertEqual(answer.status, 500)
        self.assertEqual(
            json.loads(answer.body)["error"],
            {"code": "internal", "message": "This request failed; see the log."},
        )
        [failed] = [event for event in self.events if "log_failure" in event]
        self.assertTrue(failed["log_failure"].check(RuntimeError))

    def test_begun(self) -> None:
        """An answer that has begun just ends."""
        asked = self.begin(self.door({"/x": Broken(begins=True)}), "/x")
        self.assertTrue(asked.isEnding)
        self.assertNotIn(b"internal", asked.raw)
        self.assertEqual(len([e for e in self.events if "log_failure" in e]), 1)
