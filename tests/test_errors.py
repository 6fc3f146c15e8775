"""Tests for the exceptions, and for the HTTP answer that one of them becomes."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http import HTTPStatus
from http.client import HTTPResponse

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows import errors
from gows.errors import GowsError, MessageError, Refusal, refusalAnswer, undecided

PROPERTY = settings(max_examples=50, deadline=None, database=None, derandomize=True)


def exceptions() -> Iterator[type[Exception]]:
    """Find all exceptions that the module defines."""
    for value in vars(errors).values():
        if isinstance(value, type) and issubclass(value, Exception):
            yield value


def understood(answer: bytes, method: str = "GET") -> tuple[HTTPResponse, bytes]:
    """Read an answer as an HTTP client does, to its end."""
    server, client = socket.socketpair()
    with client:
        with server:
            server.sendall(answer)
        response = HTTPResponse(client, method=method)
        response.begin()
        body = response.read()
        rest = client.recv(1)
    assert rest == b"", rest
    return response, body


class TreeTests(SynchronousTestCase):
    """All exceptions of gows are of one family."""

    def test_oneFamily(self) -> None:
        """Whoever catches GowsError catches them all."""
        found = list(exceptions())
        self.assertIn(Refusal, found)
        for exception in found:
            self.assertTrue(issubclass(exception, GowsError), exception)

    def test_refusalIsNoMessageError(self) -> None:
        """What becomes a close code does not become an HTTP status."""
        self.assertFalse(issubclass(Refusal, MessageError))
        self.assertFalse(issubclass(MessageError, Refusal))


class RefusalTests(SynchronousTestCase):
    """A refusal has an error status, one line of text, and perhaps headers."""

    def test_errorStatuses(self) -> None:
        """HTTP's error statuses refuse, and no others do."""
        for status in HTTPStatus:
            if 400 <= status <= 599:
                self.assertEqual(Refusal(status, "no").status, status)
                self.assertEqual(Refusal(status.value, "no").status, status)
            else:
                self.assertRaises(ValueError, Refusal, status, "no")

    def test_noStatus(self) -> None:
        """Numbers that HTTP does not know are refused themselves."""
        for status in (-1, 0, 1, 99, 399, 499, 599, 600, 1000, 4000):
            self.assertRaises(ValueError, Refusal, status, "no")

    def test_controlCharacters(self) -> None:
        """Control characters in the text become blanks."""
        refusal = Refusal(403, "a\r\nb\tc\0d\x7fe\x85f\u2028g\ud800h")
        self.assertEqual(refusal.text, "a  b c d e f g h")

    def test_otherCharacters(self) -> None:
        """All that is printable stays."""
        for text in ("", "No way.", "Grüße, \N{GRINNING FACE}!", "50 % <b>&amp;"):
            self.assertEqual(Refusal(403, text).text, text)

    def test_headers(self) -> None:
        """Underscores in the names of headers become hyphens."""
        refusal = Refusal(503, "Later.", Retry_After="2", X_Why_Not="full")
        self.assertEqual(refusal.headers, {"Retry-After": "2", "X-Why-Not": "full"})

    def test_noHeaders(self) -> None:
        """Without further headers there are none."""
        self.assertEqual(Refusal(403, "No.").headers, {})

    def test_undecided(self) -> None:
        """Where an application fails, the server says so and not why, each anew."""
        refusal = undecided()
        self.assertEqual(refusal.status, 500)
        self.assertIn("failed to decide", refusal.text)
        self.assertIsNot(undecided(), refusal)

    def test_inATraceback(self) -> None:
        """Where it is shown as an exception it says its status and its text."""
        self.assertEqual(str(Refusal(403, "No\nway.")), "403: No way.")


class AnswerTests(SynchronousTestCase):
    """An HTTP client understands a refusal."""

    def test_complete(self) -> None:
        """There is a status, a text, a length, and the connection's end."""
        response, body = understood(refusalAnswer(Refusal(403, "No way.")))
        self.assertEqual((response.version, response.status), (11, 403))
        self.assertEqual(response.reason, "Forbidden")
        self.assertEqual(body, b"No way.\n")
        self.assertEqual(
            dict(response.getheaders()),
            {
                "Server": "gows",
                "Content-Type": "text/plain; charset=utf-8",
                "Content-Length": "8",
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Connection": "close",
            },
        )
        self.assertTrue(response.will_close)

    def test_everyStatus(self) -> None:
        """Each error status is sent with its phrase."""
        for status in HTTPStatus:
            if status >= 400:
                response, _ = understood(refusalAnswer(Refusal(status, "no")))
                self.assertEqual(response.status, status)
                self.assertEqual(response.reason, status.phrase)

    def test_furtherHeaders(self) -> None:
        """A refusal's own headers are sent."""
        refusal = Refusal(426, "Take 13.", Upgrade="websocket", Retry_After="2")
        response, _ = understood(refusalAnswer(refusal))
        self.assertEqual(response.getheader("Upgrade"), "websocket")
        self.assertEqual(response.getheader("Retry-After"), "2")

    def test_head(self) -> None:
        """The answer to HEAD has the same head and no body."""
        refusal = Refusal(404, "Nothing.")
        whole = refusalAnswer(refusal)
        head = refusalAnswer(refusal, withBody=False)
        self.assertEqual(whole, head + b"Nothing.\n")
        response, body = understood(head, "HEAD")
        self.assertEqual(response.getheader("Content-Length"), "9")
        self.assertEqual(body, b"")

    @PROPERTY
    @given(st.text())
    @example("Grüße, \N{GRINNING FACE}!")
    @example("a\r\nSet-Cookie: b=c\r\n\r\nd")
    @example("\ud800")
    def test_anyText(self, text: str) -> None:
        """Whatever the text is, it arrives as the body, on one line."""
        refusal = Refusal(403, text)
        response, body = understood(refusalAnswer(refusal))
        self.assertEqual(body.decode(), refusal.text + "\n")
        self.assertEqual(len(body.decode().splitlines()), 1)
        self.assertEqual(len(response.getheaders()), 6)
