"""Tests for L{gows.web.apirequests}: what may be asked."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.web import apirequests
from gows.web.apirequests import Disconnect, NewTicket, Publish

PROPERTY = settings(max_examples=200, deadline=None, database=None, derandomize=True)


class StructTests(SynchronousTestCase):
    """The structs' own rules."""

    def decode(self, kind: type, value: Any) -> Any:
        """Read a value as a request's body."""
        return msgspec.json.decode(msgspec.json.encode(value), type=kind)

    def test_oneThing(self) -> None:
        """There is one thing to say, and one whom it is about."""
        for kind, value in (
            (Publish, {"to": "everyone"}),
            (Publish, {"to": "everyone", "data": 1, "binary": ""}),
            (Publish, {"to": {"key": "a", "room": "b"}, "data": 1}),
            (Disconnect, {}),
            (Disconnect, {"key": "a", "session": "0" * 16}),
        ):
            self.assertRaises(msgspec.ValidationError, self.decode, kind, value)

    def test_null(self) -> None:
        """Null is something to say."""
        publish = self.decode(Publish, {"to": "everyone", "data": None})
        self.assertEqual(bytes(publish.data), b"null")

    def test_codes(self) -> None:
        """Codes that no server may send are refused."""
        for code in (1000, 1001, 1008, 1013, 3000, 4999, 3000.0):
            self.assertEqual(
                self.decode(Disconnect, {"key": "a", "code": code}).code, code
            )
        wrong: tuple[object, ...] = (
            0,
            999,
            1002,
            1005,
            1006,
            1015,
            2999,
            5000,
            3000.5,
            "1000",
            None,
        )
        for bad in wrong:
            self.assertRaises(
                msgspec.ValidationError,
                self.decode,
                Disconnect,
                {"key": "a", "code": bad},
            )

    def test_unknown(self) -> None:
        """A field that there is not is a mistake."""
        for kind, value in (
            (Publish, {"to": "everyone", "data": 1, "dta": 1}),
            (Disconnect, {"key": "a", "retryAfter": 1}),
            (NewTicket, {"key": "a", "room": {}}),
        ):
            self.assertRaises(msgspec.ValidationError, self.decode, kind, value)

    @PROPERTY
    @given(st.text("AB+/=-_ \n", max_size=9))
    def test_base64(self, text: str) -> None:
        """What passes as base64 can be decoded, and what can be decoded passes."""
        try:
            base64.b64decode(text, validate=True)
            isGood = True
        except binascii.Error:
            isGood = False
        try:
            self.decode(Publish, {"to": "everyone", "binary": text})
            passes = True
        except msgspec.ValidationError:
            passes = False
        self.assertEqual(passes, isGood, text)

    def test_inWords(self) -> None:
        """Each field with a pattern is told in words too."""
        source = msgspec.json.schema(Publish), msgspec.json.schema(Disconnect)
        self.assertTrue(re.search("pattern", str(source)))
        for field in ("binary", "session", "device", "rooms", "room", "key"):
            self.assertGreater(len(apirequests.RULES[field]), 5)
