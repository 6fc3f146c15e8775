"""Tests for the one table of close codes."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.errors import (
    InvalidPayload,
    MessageError,
    MessageTooBig,
    UnsupportedData,
)
from gows.wire import closing

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)


def kindsOf(error: type[MessageError]) -> Iterator[type[MessageError]]:
    """Find all subclasses that gows has of an exception."""
    for kind in error.__subclasses__():
        if kind.__module__.startswith("gows."):
            yield kind
            yield from kindsOf(kind)


class TableTests(SynchronousTestCase):
    """Clients can rely on what each code means."""

    def test_codes(self) -> None:
        """These codes are sent; one has two reasons."""
        codes = [close.code for close in closing.TABLE]
        self.assertEqual(
            codes,
            [1000, 1001, 1002, 1003, 1007, 1008, 1008, 1009, 1011, *range(4001, 4004)],
        )

    def test_returnAfter(self) -> None:
        """Who may come back is told when; who may not, and who knows better, is not."""
        for close in closing.TABLE:
            after = closing.returnAfter(close.code)
            self.assertEqual(after, close.returnAfter if close.mayReturn else None)
        self.assertIsNone(closing.returnAfter(4999))

    def test_complete(self) -> None:
        """The table has every way of closing that there is."""
        named = {id(v) for v in vars(closing).values() if isinstance(v, closing.Close)}
        self.assertEqual(named, {id(close) for close in closing.TABLE})

    def test_reasonsFit(self) -> None:
        """Each reason fits into a close frame, and is printable."""
        for close in closing.TABLE:
            self.assertLessEqual(len(close.reason.encode()), 123)
            self.assertTrue(close.reason.isprintable())

    def test_reasonsDiffer(self) -> None:
        """A reason tells by itself what happened; only a normal end needs none."""
        reasons = [close.reason for close in closing.TABLE]
        self.assertEqual(len(set(reasons)), len(reasons))
        self.assertEqual([c.code for c in closing.TABLE if not c.reason], [1000])

    def test_meanings(self) -> None:
        """Each is explained, in whole sentences."""
        for close in closing.TABLE:
            self.assertTrue(close.meaning.endswith("."), close)

    def test_mayReturn(self) -> None:
        """A client may come back after all of them but a takeover."""
        never = [close.code for close in closing.TABLE if not close.mayReturn]
        self.assertEqual(never, [4001])

    def test_neverSent(self) -> None:
        """What RFC 6455 (7.4.1) forbids to send is not in the table."""
        self.assertEqual((closing.NO_STATUS, closing.ABNORMAL), (1005, 1006))
        codes = {close.code for close in closing.TABLE}
        self.assertEqual(codes & {1004, 1005, 1006, 1015}, set())


class CloseForTests(SynchronousTestCase):
    """Each unacceptable message has its close code."""

    def test_codes(self) -> None:
        """The codes are those that RFC 6455 (7.4.1) has for it."""
        for error, code in (
            (InvalidPayload("x"), 1007),
            (MessageTooBig("x"), 1009),
            (UnsupportedData("x"), 1003),
        ):
            self.assertEqual(closing.closeFor(error).code, code)

    def test_everyKind(self) -> None:
        """There is none without one."""
        kinds = list(kindsOf(MessageError))
        self.assertGreaterEqual(len(kinds), 3)
        for kind in kinds:
            self.assertIn(closing.closeFor(kind("x")), closing.TABLE)

    def test_differ(self) -> None:
        """No two kinds have the same."""
        codes = [closing.closeFor(kind("x")).code for kind in kindsOf(MessageError)]
        self.assertEqual(len(set(codes)), len(codes))


class CheckedReasonTests(SynchronousTestCase):
    """An application closes with its own codes and reasons, within limits."""

    def test_codes(self) -> None:
        """1000 and 3000 to 4999 are an application's."""
        for code in (1000, 3000, 3999, 4000, 4001, 4999):
            self.assertEqual(closing.checkedReason(code, "bye"), b"bye")

    def test_otherCodes(self) -> None:
        """All others are refused, and the application's author is told which."""
        for code in (-1, 0, 1, 999, 1001, 1005, 1006, 1011, 1015, 2999, 5000, 65536):
            error = self.assertRaises(ValueError, closing.checkedReason, code, "")
            self.assertIn(str(code), str(error))
            self.assertIn("1000 or one of 3000 to 4999", str(error))

    def test_empty(self) -> None:
        """A reason may be empty."""
        self.assertEqual(closing.checkedReason(1000, ""), b"")

    def test_longest(self) -> None:
        """123 bytes of UTF-8 are sent, no more."""
        self.assertEqual(closing.checkedReason(1000, "a" * 123), b"a" * 123)
        self.assertEqual(closing.checkedReason(1000, "a" * 124), b"a" * 123)

    def test_notWithinACharacter(self) -> None:
        """A long reason is cut between characters."""
        for reason, sent in (
            ("a" * 122 + "é", "a" * 122),
            ("a" * 121 + "é", "a" * 121 + "é"),
            ("€" * 41 + "a", "€" * 41),
            ("€" * 42, "€" * 41),
            ("\N{GRINNING FACE}" * 31, "\N{GRINNING FACE}" * 30),
        ):
            self.assertEqual(closing.checkedReason(1000, reason), sent.encode())

    @PROPERTY
    @given(st.text() | st.text("a€\N{GRINNING FACE}", min_size=30))
    @example("\N{GRINNING FACE}" * 100)
    def test_anyReason(self, reason: str) -> None:
        """Whatever the reason is, its beginning is sent, as much as fits."""
        sent = closing.checkedReason(1000, reason)
        self.assertTrue(reason.startswith(sent.decode()))
        self.assertLessEqual(len(sent), 123)
        if sent.decode() != reason:
            following = reason[len(sent.decode())]
            self.assertGreater(len(sent) + len(following.encode()), 123)


class LabelOfTests(SynchronousTestCase):
    """What a code is counted as."""

    def test_ours(self) -> None:
        """Each code that gows closes with, or that stands for none, is its own."""
        for code in (*(close.code for close in closing.TABLE), 1005, 1006):
            self.assertEqual(closing.labelOf(code), str(code))

    @PROPERTY
    @given(st.integers())
    def test_any(self, code: int) -> None:
        """Whatever a peer sends, it is one of a few."""
        self.assertIn(closing.labelOf(code), {*closing.LABELS, closing.OTHER})

    def test_other(self) -> None:
        """Codes of applications, and made up ones, are not told apart."""
        for code in (0, 999, 1004, 1016, 3000, 4000, 4999):
            self.assertEqual(closing.labelOf(code), closing.OTHER)
