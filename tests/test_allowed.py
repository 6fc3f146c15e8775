"""Tests for L{gows.allowed}: the checks that a type alone does not make."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from gows import allowed
from gows.allowed import Check, told


def checkOf(kind: Any) -> Check:
    """Find the check of a type."""
    [check] = kind.__metadata__
    assert isinstance(check, Check)
    return check


class AllowedTests(SynchronousTestCase):
    """Each takes what it says, and raises ValueError for all else."""

    CASES = (
        (allowed.FileName, ("x", "/a b"), ("", "  ", "a\0b")),
        (allowed.Text, ("x", "é"), ("", "\t", "\0")),
        (allowed.Interface, ("::1", "0.0.0.0"), ("localhost", "1", "")),
        (allowed.Endpoint, ("tcp:1", "unix:/x", "x:"), ("tcp", ":1", " :1", "")),
        (allowed.Origin, ("null", "https://a.example"), ("a.example", "", "*")),
        (allowed.Proxy, ("unix", "10.0.0.0/8"), ("UNIX", "10.0.0.1/8", "")),
        (allowed.DottedName, ("a.b", "a.b.C"), ("a", "a.", ".b", "a.b-c")),
        (
            allowed.HostName,
            ("a", "A.b", "a-b.c_d", "1.2.3.4", "x" * 63),
            (
                *("", "-a", "a:1", "a/b", "a.", ".a", "a..b", "*", "[::1]", "é", "a\n"),
                *("x" * 64, ".".join(["a" * 60] * 5)),
            ),
        ),
    )

    def test_checks(self) -> None:
        """Good ones pass, bad ones do not, and what is allowed is said."""
        for kind, good, bad in self.CASES:
            check = checkOf(kind)
            self.assertGreater(len(check.allowed), 10)
            for text in good:
                check.parse(text)
            for text in bad:
                self.assertRaises(ValueError, check.parse, text)

    def test_told(self) -> None:
        """What a setting does, and what it should be, is kept with its type."""
        meta = told("does it", advice="1", example='"x"')
        self.assertIsInstance(meta, msgspec.Meta)
        self.assertEqual(meta.description, "does it")
        self.assertEqual(meta.extra, {"advice": "1", "example": '"x"'})
