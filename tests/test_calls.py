"""Tests for L{gows.web.calls}: reading a request, and what is wrong with one."""

from __future__ import annotations

import json
import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gows.web.calls import MAX_DEPTH, Call
from tests.doors import JSON, DoorTestCase, bearer
from tests.memory import Answer

PROPERTY = settings(max_examples=150, deadline=None, database=None, derandomize=True)

TO_ALL = {"to": "everyone"}


class BodyTests(DoorTestCase):
    """The body of a POST."""

    def publish(self, body: object, **headers: str | None) -> Answer:
        """Try to say something."""
        return self.call("POST", "/api/publish", body, **headers)

    def test_type(self) -> None:
        """It must say that it is JSON: so no form of another site's is taken."""
        for kind in (JSON, f"{JSON}; charset=utf-8", "Application/JSON", f"{JSON};"):
            answer = self.publish({**TO_ALL, "data": 1}, Content_Type=kind)
            self.assertEqual(answer.status, 200, kind)
        for wrong in (None, "", "text/plain", "text/json", f"x;{JSON}", f"{JSON}x"):
            answer = self.publish({**TO_ALL, "data": 1}, Content_Type=wrong)
            self.assertProblem(answer, 415, "unsupported_media_type")
        headers: dict[str, Any] = {**bearer(), "Content-Type": [JSON, JSON]}
        answer = self.send("POST", "/api/publish", {**TO_ALL, "data": 1}, headers)
        self.assertProblem(answer, 400, "bad_request")

    def test_malformed(self) -> None:
        """What is no JSON in UTF-8 is refused, wherever it is broken."""
        for body in (
            *(b"", b" ", b"{", b"nul", b"'x'", b'{"to":"everyone","data":1}x'),
            *(b'{"to":"everyone","data":}', b'{"to":"everyone","data":[1,]}'),
            *(b'{"to":"everyone","data":NaN}', b'{"to":"everyone","data":01}'),
            *(b'{"to":"everyone","data":"\n"}', b'{"to":"everyone","data":"\\q"}'),
            *(b'{"to":"everyone","data":"\xff"}', b'{"to":{"key":"\xff"},"data":1}'),
            *(b'{"to":"everyone","data":"\\ud800"}', b'\xef\xbb\xbf{"to":"everyone"}'),
            '{"to":"everyone","data":1}'.encode("utf-16"),
        ):
            self.assertProblem(self.publish(body), 400, "malformed")

    def test_brokenUtf8(self) -> None:
        """What would close every reader with 1007 reaches none."""
        client = self.opened(self.chat)
        for data in (b'"\xff"', b'{"a":"\xc3"}', b'["\xed\xa0\x80"]', b'"\xf8"'):
            answer = self.publish(b'{"to":"everyone","data":' + data + b"}")
            self.assertProblem(answer, 400, "malformed")
        client.flush()
        self.assertEqual(client.protocol.frames, [])

    def test_deep(self) -> None:
        """JSON goes 64 levels deep, those of the request among them."""
        for depth, status in ((MAX_DEPTH, 200), (MAX_DEPTH + 1, 400), (100_000, 400)):
            inner = depth - 1
            data = b"[" * inner + b"]" * inner
            answer = self.publish(b'{"to":"everyone","data":' + data + b"}")
            self.assertEqual(answer.status, status, depth)
            if status == 400:
                self.assertProblem(answer, 400, "too_deep")
        unclosed = b'{"to":"everyone","data":' + b"[" * 500_000
        self.assertProblem(self.publish(unclosed), 400, "too_deep")
        brackets = {**TO_ALL, "data": "[{" * 1000}
        self.assertEqual(self.publish(brackets).status, 200)

    def test_hostile(self) -> None:
        """A body that looks for the slow way takes no time."""
        start = time.process_time()
        for body in (
            b'"' + b'\\"' * 500_000,
            b"[" * 100 + b'"' + b'\\"' * 500_000,
            b'{"a":' * 200_000,
            b"[" * 1000 + b'"\\' * 250_000,
        ):
            self.assertEqual(self.publish(body).status, 400)
        self.assertLess(time.process_time() - start, 2)

    def test_fields(self) -> None:
        """The field that is wrong is named, in the request's own words."""
        for body, field in (
            ({}, "to"),
            ({"data": 1}, "to"),
            ({"to": "all", "data": 1}, "to"),
            ({"to": 1, "data": 1}, "to"),
            ({"to": {"room": "a b"}, "data": 1}, "to.room"),
            ({"to": {"room": 1}, "data": 1}, "to.room"),
            ({"to": {"key": ""}, "data": 1}, "to.key"),
            ({"to": {"key": "x" * 129}, "data": 1}, "to.key"),
            ({"to": {"room": "a", "key": "b"}, "data": 1}, "to"),
            ({"to": {}, "data": 1}, "to"),
            ({**TO_ALL, "binary": "%"}, "binary"),
            ({**TO_ALL, "binary": 1}, "binary"),
            ({**TO_ALL, "data": 1, "more": 1}, "more"),
            ({**TO_ALL, "data": 1, "binary": ""}, "data"),
            (TO_ALL, "data"),
            ([], None),
            ("x", None),
        ):
            answer = self.publish(body)
            message = self.assertProblem(answer, 400, "invalid", field)
            if field:
                self.assertTrue(message.startswith(f"{field}: "), message)

    def test_inWords(self) -> None:
        """A pattern is not shown, but said."""
        for body, words in (
            ({"to": {"room": "a b"}, "data": 1}, "1 to 64 letters"),
            ({**TO_ALL, "binary": "%"}, "must be base64"),
        ):
            message = self.assertProblem(
                self.publish(body),
                400,
                "invalid",
                "to.room" if "data" in body else "binary",
            )
            self.assertIn(words, message)
            self.assertNotIn("[A-Z", message)

    def test_base64(self) -> None:
        """Base64 is whole, or it is none."""
        for text in ("", "AA==", "AAA=", "AAAA", "+/+/"):
            self.assertEqual(self.publish({**TO_ALL, "binary": text}).status, 200)
        for text in (
            "A",
            "AA",
            "AAA",
            "AA=A",
            "====",
            "AAAA=",
            "-_-_",
            "AA ==",
            "AA==\n",
        ):
            answer = self.publish({**TO_ALL, "binary": text})
            self.assertProblem(answer, 400, "invalid", "binary")

    @PROPERTY
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["to", "data", "binary", "room", "key"])
                    | st.text(),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=10,
        )
    )
    def test_anything(self, body: object) -> None:
        """Whatever comes is answered as documented, and never with a fault of ours."""
        answer = self.publish(json.dumps(body).encode())
        self.assertIn(answer.status, (200, 400))

    @PROPERTY
    @given(st.binary(max_size=100))
    def test_anyBytes(self, body: bytes) -> None:
        """Not even bytes that are no text."""
        self.assertIn(self.publish(body).status, (200, 400))


class QueryTests(DoorTestCase):
    """The parameters of a GET."""

    def test_wrong(self) -> None:
        """The parameter that is wrong is named."""
        for query, field in (
            *(("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit")),
            *(("limit=", "limit"), ("limit=1_0", "limit"), ("after=-1", "after")),
            *(("after=x", "after"), ("room=a%20b", "room"), ("key=", "key")),
            *((f"address={'x' * 65}", "address"), ("limits=1", "limits")),
        ):
            answer = self.call("GET", f"/api/connections?{query}")
            self.assertProblem(answer, 400, "invalid", field)

    def test_broken(self) -> None:
        """What is no query is refused."""
        for query in ("limit=1&limit=2", "key=%", "key=%zz", "key=%ff"):
            answer = self.call("GET", f"/api/connections?{query}")
            self.assertProblem(answer, 400, "bad_request")


class KeyTests(DoorTestCase):
    """The Idempotency-Key."""

    def test_wrong(self) -> None:
        """It is one short word of ASCII, or it is refused, and nothing is done."""
        client = self.opened(self.chat)
        body = {**TO_ALL, "data": 1}
        for key in ("", "a b", "x" * 256, "\xe9", "a\tb"):
            answer = self.call("POST", "/api/publish", body, Idempotency_Key=key)
            self.assertProblem(answer, 400, "invalid", "Idempotency-Key")
        headers: dict[str, Any] = {**bearer(), "Idempotency-Key": ["a", "b"]}
        answer = self.send("POST", "/api/publish", body, headers)
        self.assertProblem(answer, 400, "bad_request")
        client.flush()
        self.assertEqual(client.protocol.frames, [])

    def test_elsewhere(self) -> None:
        """Where nothing is remembered, it does not matter."""
        headers = {"Idempotency_Key": "a b"}
        self.assertEqual(self.call("GET", "/api/info", **headers).status, 200)


class CallTests(DoorTestCase):
    """The table's rows."""

    def test_name(self) -> None:
        """A path that ends in braces takes a name."""
        for path, takes in (("/api/rooms/{name}", True), ("/api/rooms", False)):
            call = Call("GET", path, "", lambda asked: asked, answers=dict)
            self.assertEqual(call.takesName, takes)
