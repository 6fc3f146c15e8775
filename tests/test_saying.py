"""Tests for L{gows.dialects.saying}: one message in both dialects."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.chat.audience import toKey, toRoom
from gows.chat.message import Message
from gows.dialects.saying import envelopeOf, rawForm
from tests.test_reading import VALUES

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)


class RawFormTests(SynchronousTestCase):
    """What is said as JSON is heard by raw readers."""

    @PROPERTY
    @given(st.text(), st.booleans())
    def test_strings(self, text: str, ascii: bool) -> None:
        """A string is heard as it is, whatever its escapes."""
        data = json.dumps(text, ensure_ascii=ascii).encode("utf-8")
        self.assertEqual(rawForm(data).decode("utf-8"), text)

    def test_others(self) -> None:
        """All else is heard as the JSON that it was, blanks included."""
        for data in (b'{"a" : [1, 2]}', b"null", b"1.50", b"[ ]", b'["a"]'):
            self.assertIs(rawForm(data), data)

    def test_loneSurrogate(self) -> None:
        """Half of a character is no text, and is refused."""
        for data in (b'"\\ud800"', b'"a\\udc00b"', b'"\\ud800\\ud800"'):
            self.assertRaises(ValueError, rawForm, data)


class EnvelopeTests(SynchronousTestCase):
    """What is said raw is heard in gows.v1."""

    def read(self, message: Message) -> Any:
        """Put a message into its envelope, and read that."""
        return json.loads(envelopeOf(message))

    def test_everyone(self) -> None:
        """A raw client's text is a string, said by it in everyone's room."""
        message = Message("Grüße".encode(), sender="alice", id="1f", time=1234)
        self.assertEqual(
            self.read(message),
            {
                "type": "message",
                "id": "1f",
                "time": 1234,
                "data": "Grüße",
                "room": "*",
                "from": "alice",
            },
        )

    def test_room(self) -> None:
        """A room is named; the application has no name."""
        read = self.read(Message(b"hi", audience=toRoom("lobby")))
        self.assertEqual(read["room"], "lobby")
        self.assertNotIn("from", read)
        self.assertNotIn("key", read)

    def test_person(self) -> None:
        """What is for one person has her key, and no room."""
        read = self.read(Message(b"hi", audience=toKey("bob:0"), sender="alice"))
        self.assertEqual((read["key"], read["from"]), ("bob:0", "alice"))
        self.assertNotIn("room", read)

    def test_binary(self) -> None:
        """A binary message is base64, and says so."""
        read = self.read(Message(b"\xff\x00", isBinary=True))
        self.assertEqual(read["encoding"], "base64")
        self.assertEqual(base64.b64decode(read["data"]), b"\xff\x00")

    @PROPERTY
    @given(VALUES)
    def test_data(self, value: Any) -> None:
        """JSON goes through byte by byte."""
        data = json.dumps(value, indent=1).encode()
        envelope = envelopeOf(Message(b"", data=data))
        self.assertIn(b'"data":' + data, envelope)
        self.assertEqual(json.loads(envelope)["data"], value)

    @PROPERTY
    @given(st.text())
    def test_text(self, text: str) -> None:
        """Any text is a string for who reads JSON."""
        self.assertEqual(self.read(Message.of(text))["data"], text)
