"""Tests for what is said."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.chat.message import Message

PROPERTY = settings(max_examples=50, deadline=None, database=None, derandomize=True)


class MessageTests(SynchronousTestCase):
    """A message is text or binary, and stays as it is."""

    @PROPERTY
    @given(st.text())
    def test_text(self, text: str) -> None:
        """A string becomes UTF-8 text."""
        self.assertEqual(Message.of(text), Message(text.encode("utf-8"), False))

    @PROPERTY
    @given(st.binary(), st.booleans())
    def test_bytes(self, payload: bytes, isBinary: bool) -> None:
        """Bytes stay the same bytes, uncopied, text or binary as was said."""
        message = Message.of(payload, isBinary)
        self.assertIs(message.payload, payload)
        self.assertIs(message.isBinary, isBinary)

    def test_textByDefault(self) -> None:
        """What is not called binary is text."""
        self.assertIs(Message.of(b"hi").isBinary, False)
        self.assertIs(Message(b"hi").isBinary, False)

    def test_binaryString(self) -> None:
        """An application that sends a string as binary is told its mistake."""
        error = self.assertRaises(ValueError, Message.of, "hi", isBinary=True)
        self.assertIn("pass bytes", str(error))

    def test_loneSurrogate(self) -> None:
        """A string that is no text is refused, not sent broken to everyone."""
        self.assertRaises(UnicodeEncodeError, Message.of, "a\ud800")

    def test_immutable(self) -> None:
        """What was said cannot be changed on its way."""
        message = Message.of("hi")
        self.assertRaises(AttributeError, setattr, message, "payload", b"ho")
        self.assertRaises(AttributeError, setattr, message, "isBinary", True)
