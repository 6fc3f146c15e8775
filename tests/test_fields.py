"""Tests for L{gows.dialects.fields}: what fields hold."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from gows.dialects.fields import Body, Id, Key, Room, To, Token, snake


class FieldsTests(SynchronousTestCase):
    """What is allowed passes, and what is not is refused."""

    def assertPass(self, kind: Any, *values: object) -> None:
        """Assert that these are allowed."""
        for value in values:
            self.assertEqual(msgspec.convert(value, kind), value)

    def assertRefused(self, kind: Any, *values: object) -> None:
        """Assert that none of these is."""
        for value in values:
            self.assertRaises(msgspec.ValidationError, msgspec.convert, value, kind)

    def test_id(self) -> None:
        """An id is a short string, or a number that JavaScript can hold."""
        largest = (1 << 53) - 1
        self.assertPass(Id, "x", "x" * 64, 0, largest, -largest)
        self.assertRefused(Id, "", "x" * 65, largest + 1, -largest - 1, 1.5, None)

    def test_room(self) -> None:
        """A room has a short name of few characters, or is everyone's."""
        self.assertPass(Room, "*", "a", ".-_9Z", "a" * 64)
        self.assertRefused(Room, "", "a" * 65, "a b", "a*", "**", "a\n", "é", 7)

    def test_key(self) -> None:
        """A key is any short text that is no control character."""
        self.assertPass(Key, " ", "Zoë: *", "a" * 128)
        self.assertRefused(Key, "", "a" * 129, "a\n", "\x00", "\x7f", "\x9f", 7)

    def test_token(self) -> None:
        """A token is not endless."""
        self.assertPass(Token, "a.b.c", "a" * 8192)
        self.assertRefused(Token, "", "a" * 8193, 7)

    def test_to(self) -> None:
        """Something is for a room or for a person."""
        for given in ({"room": "a"}, {"key": "a"}):
            self.assertEqual(msgspec.convert(given, To), To(**given))
        self.assertRefused(To, {}, {"room": "a", "key": "b"}, {"room": "a b"})


class BodyTests(SynchronousTestCase):
    """How objects are written."""

    def test_snake(self) -> None:
        """Names are in snake case."""
        for name, written in (("id", "id"), ("retryAfter", "retry_after")):
            self.assertEqual(snake(name), written)

    def test_body(self) -> None:
        """What is as it is by default is not written."""

        class Retry(Body, frozen=True):
            retryAfter: int = 0
            isSure: bool = False

        self.assertEqual(msgspec.json.encode(Retry(5)), b'{"retry_after":5}')
