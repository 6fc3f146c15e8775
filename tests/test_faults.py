"""Tests for L{gows.web.faults}: whatever is wrong, its field and rule are said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, get_type_hints
from urllib.parse import urlencode

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import structs

from gows.doorway import shown
from gows.operating import Operating
from gows.settings import Settings
from gows.web.api import callsOf
from gows.web.calls import Call
from gows.web.faults import MAX_NAME, problemOf
from tests.doors import DoorTestCase
from tests.memory import Answer

PROPERTY = settings(max_examples=200, deadline=None, database=None, derandomize=True)

MESSAGE: Final[dict[str, Any]] = {"to": "everyone", "data": 1}

RIGHT: Final[dict[str, dict[str, Any]]] = {
    "/api/publish": MESSAGE,
    "/api/publish/batch": {"messages": [MESSAGE]},
    "/api/disconnect": {"key": "alice"},
    "/api/tickets": {"key": "alice"},
}
"""A body that each call takes."""

TEXTS: Final = ("", "a b", "lob**", "\0", "x" * 200, "é", "-1", "1001", "%")

VALUES: Final[tuple[Any, ...]] = (
    *TEXTS,
    *(None, True, 0, -1, 1.5, 1e9, 10**30, [], [1], {}),
    *({"room": "a b"}, {"room": 1}, {"key": ""}, {"key": "\0"}),
    *({"room": "a", "key": "b"}, {"a b": "r"}, {"lob**": "r"}, {"a": "x"}, {"a": 1}),
    *([{}], [MESSAGE, 1], [MESSAGE, {"to": 1}], [MESSAGE, {**MESSAGE, "x y": 1}]),
    *([MESSAGE, {**MESSAGE, "to": to}] for to in ({"room": "a b"}, {}, "all", None)),
    *([{**MESSAGE, "binary": binary}] for binary in ("%", "", 1)),
    *([{"to": "everyone"}], [MESSAGE] * 1001, {str(n): "r" for n in range(201)}),
)
"""What is wrong in some field."""

ANYTHING: Final = ("data", "app")
"""Fields that take any JSON."""

JSON_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(VALUES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["to", "data", "binary", "room", "key"]) | st.text(),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


def isRight(value: object, hint: Any, *, isText: bool = False) -> bool:
    """Tell whether a field of a type takes a value, or a parameter a text."""
    try:
        if isText:
            msgspec.convert(value, hint, strict=False)
        else:
            msgspec.json.decode(json.dumps(value), type=hint)
    except ValueError:
        return False
    return True


class FaultsTests(DoorTestCase):
    """All calls, all fields, with what they do not take."""

    table: tuple[Call, ...]

    def setUp(self) -> None:
        """Make a door, and look what can be called there."""
        super().setUp()
        operating = Operating(self.chat, shown(Settings()))
        self.table = callsOf(operating, self.chat.journal)

    def renewDoor(self) -> None:
        """Make another door: one lets only so many connections stay."""
        self.makeDoor(self.chat)

    def fieldsOf(self, kind: type) -> Iterator[tuple[str, Any]]:
        """Find the fields of a request, as they are called in JSON, and their types."""
        hints = get_type_hints(kind, include_extras=True)
        for field in structs.fields(kind):
            yield field.encode_name, hints[field.name]

    def post(self, call: Call, **fields: object) -> Answer:
        """Send a body that is right but for these fields."""
        return self.call("POST", call.path, {**RIGHT[call.path], **fields})

    def get(self, call: Call, **parameters: str) -> Answer:
        """Ask with these parameters."""
        path = call.path.replace("{name}", "lobby")
        return self.call("GET", f"{path}?{urlencode(parameters)}")

    def assertExplained(self, answer: Answer, field: str) -> str:
        """Assert that a field, or one in it, is named, with what is allowed."""
        self.assertEqual(answer.status, 400, answer.body)
        error = json.loads(answer.body)["error"]
        self.assertEqual(error["code"], "invalid")
        named = error["field"]
        self.assertRegex(f"{named}.", rf"\A{field}[.\[]")
        start, words = f"{named}: ", error["message"]
        self.assertTrue(words.startswith(start), words)
        for word in ("what is allowed", "regex", "enum", "[A-Z", "$", "at `"):
            self.assertNotIn(word, words)
        self.assertGreater(len(words), len(start) + 8, words)
        return str(words)

    def test_bodies(self) -> None:
        """Each field of each body, with each value that it does not take."""
        tried = set()
        for call in self.table:
            for field, hint in self.fieldsOf(call.takes) if call.takes else ():
                self.renewDoor()
                for value in VALUES:
                    if not isRight(value, hint):
                        answer = self.post(call, **{field: value})
                        self.assertExplained(answer, field)
                        tried.add((call.path, field))
        expected = {
            (call.path, field)
            for call in self.table
            for field, _ in (self.fieldsOf(call.takes) if call.takes else ())
            if field not in ANYTHING
        }
        self.assertEqual(tried, expected)

    def test_queries(self) -> None:
        """Each parameter of each URL, with each text that it does not take."""
        tried = set()
        for call in self.table:
            for field, hint in self.fieldsOf(call.asks) if call.asks else ():
                for value in TEXTS:
                    if not isRight(value, hint, isText=True):
                        self.assertExplained(self.get(call, **{field: value}), field)
                        tried.add((call.path, field))
        self.assertEqual(
            {field for _, field in tried},
            {"room", "key", "address", "limit", "after", "by"},
        )

    def test_own(self) -> None:
        """What no single field's type says is said of one of them."""
        [disconnect] = [call for call in self.table if call.path == "/api/disconnect"]
        for code in (1002, 1000.5, 2999):
            answer = self.post(disconnect, code=code)
            self.assertIn("3000 to 4999", self.assertExplained(answer, "code"))
        both = self.post(disconnect, session="0" * 16)
        self.assertIn("not both", self.assertExplained(both, "key"))

    def test_missing(self) -> None:
        """A field that is not there is named."""
        for path, field in (
            ("/api/publish", "to"),
            ("/api/publish/batch", "messages"),
            ("/api/disconnect", "key"),
            ("/api/tickets", "key"),
        ):
            self.assertExplained(self.call("POST", path, {}), field)

    def test_unknown(self) -> None:
        """So is one that there is not, whatever it is called, but cut if it is long."""
        names = (
            "x",
            "a b",
            ".x",
            "Zoë",
            "x\ny",
            "regex - at `$.foo",
            "lob` `**",
            "x" * 999,
        )
        for call in self.table:
            for name in names:
                answer = self.get(call, **{name: "1"})
                if call.takes:
                    answer = self.post(call, **{name: 1})
                self.assertProblem(answer, 400, "invalid", name[:MAX_NAME])
        body = {"messages": [MESSAGE, {**MESSAGE, "a b": 1}]}
        answer = self.call("POST", "/api/publish/batch", body)
        self.assertProblem(answer, 400, "invalid", "messages[1].a b")

    def test_words(self) -> None:
        """The rule is the field's, in a batch and in the keys of an object too."""
        for path, body, field, words in (
            (
                "/api/publish/batch",
                {"messages": [MESSAGE, {"to": {"room": "a b"}, "data": 1}]},
                "messages[1].to.room",
                "must be 1 to 64 letters",
            ),
            (
                "/api/publish/batch",
                {"messages": [{**MESSAGE, "to": "all"}]},
                "messages[0].to",
                'must be "everyone", {"room": ...} or {"key": ...}',
            ),
            *(
                (
                    "/api/tickets",
                    {"key": "a", "rooms": rooms},
                    "rooms",
                    "must be rights",
                )
                for rooms in ({"a b": "r"}, {"lob**": "r"}, {"a": "x"})
            ),
        ):
            answer = self.call("POST", path, body)
            message = self.assertProblem(answer, 400, "invalid", field)
            self.assertIn(words, message)

    @PROPERTY
    @given(st.data())
    def test_anything(self, data: st.DataObject) -> None:
        """Whatever comes in a field, it is said of that field."""
        calls = {call.path: call for call in self.table}
        call = calls[data.draw(st.sampled_from(sorted(RIGHT)))]
        assert call.takes is not None
        field, hint = data.draw(st.sampled_from(list(self.fieldsOf(call.takes))))
        value = data.draw(JSON_VALUES)
        assume(not isRight(value, hint))
        problem = problemOf(
            self.refusal(call.takes, {**RIGHT[call.path], field: value})
        )
        self.assertRegex(f"{problem.fault.field}.", rf"\A{field}[.\[]")

    def refusal(self, kind: type, body: object) -> msgspec.ValidationError:
        """Answer why the library refuses a body."""
        error: msgspec.ValidationError = self.assertRaises(
            msgspec.ValidationError, msgspec.json.decode, json.dumps(body), type=kind
        )
        return error

    def test_noField(self) -> None:
        """What is no object has no field."""
        answer = self.call("POST", "/api/publish", [])
        message = self.assertProblem(answer, 400, "invalid")
        self.assertEqual(message, "Expected `object`, got `array`.")
