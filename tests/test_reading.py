"""Tests for L{gows.dialects.reading}: a client's requests in gows.v1."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.dialects.envelopes import (
    ERRORS,
    MAX_DEPTH,
    Join,
    Leave,
    Presence,
    Publish,
    Refresh,
)
from gows.dialects.fields import RULES, To
from gows.dialects.reading import Fault, isDeeper, readRequest

PROPERTY = settings(max_examples=200, deadline=None, database=None, derandomize=True)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
NAMES = st.sampled_from(
    ["type", "id", "to", "room", "key", "data", "watch", "token", "since", "x"]
)
TYPES = st.sampled_from(["publish", "join", "leave", "presence", "refresh"])

# What the library that reads JSON says where something is wrong.
SAYINGS = st.sampled_from(
    [
        "Object missing required field `zzz`",
        "missing required field `room`",
        "x - at `$.zzz`",
        "x - at `$.room`",
        "x - at `$.to.zzz` - at `$[0]`",
        "\n - at `$.zzz`\n",
        "'",
    ]
)


def nested(depth: int) -> str:
    """Nest arrays and objects by turns, with brackets in strings that do not count."""
    text = '"[{]}\\"["'
    for level in range(depth):
        text = f"[{text}]" if level % 2 else f'{{"[{{\\"": {text}}}'
    return text


class ReadingTests(SynchronousTestCase):
    """What is right is read; what is wrong is named."""

    def fault(self, text: str) -> Fault:
        """Assert that a request is refused, and answer why."""
        fault: Fault = self.assertRaises(Fault, readRequest, text.encode())
        self.assertIn(fault.code, ERRORS)
        return fault

    def read(self, **fields: Any) -> Any:
        """Read a request."""
        return readRequest(json.dumps(fields).encode())

    def test_publish(self) -> None:
        """One may speak to everyone, a room, or a person, with or without an id."""
        request = self.read(type="publish", to="everyone", data={"a": [1]}, id="x")
        self.assertIsInstance(request, Publish)
        self.assertEqual((request.to, request.id), ("everyone", "x"))
        self.assertEqual(json.loads(bytes(request.data)), {"a": [1]})
        for to in ({"room": "lobby"}, {"room": "*"}, {"key": "Zoë: *"}):
            request = self.read(type="publish", to=to, data=None, id=-3)
            self.assertEqual(request.to, To(**to))
            self.assertEqual(request.id, -3)

    def test_others(self) -> None:
        """The other requests are read as well; what is not known is ignored."""
        room = {"room": "lobby"}
        join = self.read(type="join", since=[7], new=1, **room)
        self.assertIsInstance(join, Join)
        self.assertEqual(self.read(type="leave", **room), Leave("lobby"))
        self.assertEqual(self.read(type="presence", **room), Presence("lobby"))
        watch = self.read(type="presence", watch=True, id=1, **room)
        self.assertEqual(watch, Presence("lobby", True, 1))
        self.assertEqual(self.read(type="refresh", token="a.b.c"), Refresh("a.b.c"))

    def test_dataAsItCame(self) -> None:
        """Data keeps its blanks, its escapes and the order of its fields."""
        for data in ('{"b" : 1,  "a":[ ] }', '"\\u00e9\\n"', "1.50", "null", '"é"'):
            request = readRequest(
                f'{{"data": {data} , "type":"publish","to":"everyone"}}'.encode()
            )
            assert isinstance(request, Publish)
            self.assertEqual(bytes(request.data).decode(), data)

    def test_malformed(self) -> None:
        """What is no JSON object is none."""
        for text in ("", "hello", "[]", '"x"', "null", "1", '{"type":"join"', "{} {}"):
            fault = self.fault(text)
            self.assertIn(fault.code, ("malformed", "invalid"), text)
            self.assertIs(fault.id, msgspec.UNSET)

    def test_field(self) -> None:
        """A wrong field is named, with what is allowed; so is a missing one."""
        for text, field in (
            ('{"id":5}', "type"),
            ('{"id":5,"type":"join"}', "room"),
            ('{"id":5,"type":"join","room":"a b"}', "room"),
            ('{"id":5,"type":"join","room":"a\\n"}', "room"),
            ('{"id":5,"type":"join","room":""}', "room"),
            ('{"id":5,"type":"leave","room":null}', "room"),
            (f'{{"id":5,"type":"leave","room":"{"a" * 65}"}}', "room"),
            ('{"id":5,"type":"presence","room":"a","watch":1}', "watch"),
            ('{"id":5,"type":"publish","to":"everyone"}', "data"),
            ('{"id":5,"type":"publish","data":1}', "to"),
            ('{"id":5,"type":"publish","data":1,"to":"lobby"}', "to"),
            ('{"id":5,"type":"publish","data":1,"to":{}}', "to"),
            ('{"id":5,"type":"publish","data":1,"to":["a"]}', "to"),
            ('{"id":5,"type":"publish","data":1,"to":{"room":"a","key":"b"}}', "to"),
            ('{"id":5,"type":"publish","data":1,"to":{"room":7}}', "to.room"),
            ('{"id":5,"type":"publish","data":1,"to":{"key":""}}', "to.key"),
            ('{"id":5,"type":"publish","data":1,"to":{"key":"a\\u0000"}}', "to.key"),
            (f'{{"id":5,"type":"refresh","token":"{"a" * 8193}"}}', "token"),
            ('{"id":5,"type":"refresh","token":""}', "token"),
        ):
            fault = self.fault(text)
            self.assertEqual((fault.code, fault.field), ("invalid", field), text)
            self.assertTrue(fault.text.startswith(f"{field} "), fault.text)
            rule = RULES[field.rpartition(".")[2]]
            self.assertTrue(fault.text.endswith(f"must be {rule}."), fault.text)
            self.assertEqual(fault.id, 5)

    def test_id(self) -> None:
        """An id is a short string, or a number that JavaScript can hold."""
        for id in ('""', f'"{"a" * 65}"', "9007199254740992", "1.5", "[]", "true"):
            fault = self.fault(f'{{"type":"join","room":"a","id":{id}}}')
            self.assertEqual((fault.code, fault.field), ("invalid", "id"), id)
            self.assertIs(fault.id, msgspec.UNSET)

    def test_halves(self) -> None:
        """Half a character is named with its field; the rest is JSON, after all."""
        for fields, field in (
            ('"type":"publish","to":"everyone","data":"\\ud83d"', "data"),
            ('"type":"publish","to":"everyone","data":[{"a":"x\\ude00y"}]', "data"),
            ('"type":"publish","to":"everyone","data":{"\\ud83d":1}', "data"),
            ('"type":"publish","to":{"key":"\\udfff"},"data":1', "to"),
            ('"type":"join","room":"\\ud83d\\ud83d"', "room"),
            ('"type":"\\ud83d"', "type"),
        ):
            fault = self.fault(f'{{{fields},"id":5}}')
            self.assertEqual((fault.code, fault.field, fault.id), ("invalid", field, 5))
            self.assertIn("half of a character", fault.text)
        fault = self.fault('{"type":"leave","room":"a","id":"\\ud83d"}')
        self.assertEqual((fault.field, fault.id), ("id", msgspec.UNSET))
        self.assertEqual(self.fault('{"x":"\\ud83d"}').code, "malformed")
        whole = '{"type":"publish","to":"everyone","data":"\\ud83d\\ude00"}'
        self.assertIsInstance(readRequest(whole.encode()), Publish)

    def test_unknownType(self) -> None:
        """A type that there is not is answered with those that there are."""
        for kind in ('"message"', '"Publish"', '"<script>"', "7", "null", "[]"):
            fault = self.fault(f'{{"type":{kind},"id":"x"}}')
            self.assertEqual((fault.code, fault.id), ("unknown_type", "x"))
            self.assertIn("publish", fault.text)
            self.assertNotIn("script", fault.text)

    def test_depth(self) -> None:
        """Arrays and objects may be nested so deeply, the request included."""
        publish = '{"type":"publish","to":"everyone","id":1,"data":%s}'
        readRequest((publish % nested(MAX_DEPTH - 1)).encode())
        fault = self.fault(publish % nested(MAX_DEPTH))
        self.assertEqual((fault.code, fault.id), ("too_deep", 1))
        for depth in (1_000, 30_000):
            self.assertEqual(self.fault(publish % nested(depth)).code, "too_deep")
        self.assertEqual(self.fault("[" * 60_000).code, "malformed")

    def test_wideIsNotDeep(self) -> None:
        """Many brackets side by side, or in strings, are no depth."""
        data: Any
        for data in ([[]] * 5000, "[" * 5000, ["{" * 500, '\\"[' * 500]):
            request = self.read(type="publish", to="everyone", data=data)
            self.assertEqual(json.loads(bytes(request.data)), data)

    @PROPERTY
    @given(VALUES)
    @example([[["\\"]], '"', {"[": "]"}])
    def test_depthOf(self, value: Any) -> None:
        """Depth is what it is by recursion, however the JSON is written."""

        def depthOf(value: Any) -> int:
            if not isinstance(value, list | dict):
                return 0
            inner = value.values() if isinstance(value, dict) else value
            return 1 + max(map(depthOf, inner), default=0)

        for text in (
            json.dumps(value),
            json.dumps(value, ensure_ascii=False, indent=1),
        ):
            depth = depthOf(value)
            self.assertFalse(isDeeper(text.encode("utf-8", "replace"), depth))
            if depth:
                self.assertTrue(isDeeper(text.encode("utf-8", "replace"), depth - 1))

    @PROPERTY
    @given(st.dictionaries(NAMES, VALUES) | VALUES, TYPES, st.booleans())
    def test_anything(self, value: Any, kind: str, typed: bool) -> None:
        """Whatever JSON comes, it is read or refused with a code from the table."""
        if typed and isinstance(value, dict):
            value["type"] = kind
        try:
            request = readRequest(json.dumps(value).encode())
        except Fault as fault:
            self.assertIn(fault.code, ERRORS)
        else:
            self.assertIsInstance(request, Publish | Join | Leave | Presence | Refresh)

    @PROPERTY
    @given(st.dictionaries(NAMES, SAYINGS), TYPES, SAYINGS)
    def test_ownWords(self, value: dict[str, str], kind: str, saying: str) -> None:
        """Who says what an error would say changes nothing about what is wrong."""
        for texts, field in (
            (value | {"type": saying}, "type"),
            ({"type": "publish", "data": 1, "to": saying}, "to"),
            ({"type": "join", "room": saying}, "room"),
        ):
            fault = self.fault(json.dumps(texts))
            self.assertEqual(fault.field, field, texts)
            self.assertIn(fault.code, ("unknown_type", "invalid"))
        with contextlib.suppress(Fault):
            readRequest(json.dumps(value | {"type": kind}).encode())

    @PROPERTY
    @given(st.text() | st.text(alphabet='{}[]":,\\ea1 '))
    def test_anyText(self, text: str) -> None:
        """Whatever text comes, it is read or refused."""
        try:
            readRequest(text.encode("utf-8", "replace"))
        except Fault as fault:
            self.assertIn(fault.code, ERRORS)

    @PROPERTY
    @given(st.text(alphabet='{}[]":,\\ute0d8 \n\t.-+E12é'))
    def test_dataIsJSON(self, text: str) -> None:
        """What passes as data is JSON for another parser as well."""
        whole = f'{{"type":"publish","to":"everyone","data":{text}}}'
        try:
            request = readRequest(whole.encode("utf-8"))
        except Fault:
            return
        if isinstance(request, Publish):
            json.loads(bytes(request.data))
