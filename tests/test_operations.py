"""Tests for L{gows.web.operations}: what the door asks of the server."""

from __future__ import annotations

import inspect

from twisted.trial.unittest import SynchronousTestCase

from gows.operating import Operating
from gows.web.operations import Operations


class OperationsTests(SynchronousTestCase):
    """The interface, and what implements it."""

    def test_implemented(self) -> None:
        """Each operation is there, takes the same, and says what it does."""
        names = [name for name in vars(Operations) if not name.startswith("_")]
        self.assertEqual(len(names), 8)
        for name in names:
            wanted, found = getattr(Operations, name), getattr(Operating, name)
            self.assertEqual(
                list(inspect.signature(found).parameters),
                list(inspect.signature(wanted).parameters),
            )
            self.assertTrue(wanted.__doc__)
