"""Tests for L{gows.web.api}: the table of calls."""

from __future__ import annotations

from gows.doorway import shown
from gows.operating import Operating
from gows.settings import Settings
from gows.web.api import callsOf
from tests.doors import DoorTestCase


class TableTests(DoorTestCase):
    """All calls, in a table."""

    def test_table(self) -> None:
        """Each reads or does; what is done twice by mistake can be told apart."""
        operating = Operating(self.chat, shown(Settings()))
        calls = callsOf(operating, self.chat.journal)
        self.assertEqual(len({(call.method, call.path) for call in calls}), len(calls))
        for call in calls:
            self.assertIn(call.method, ("GET", "POST"))
            self.assertTrue(call.path.startswith("/api/"))
            self.assertEqual(call.takes is not None, call.method == "POST")
            self.assertTrue(call.summary.endswith("."))
            self.assertLessEqual(call.isIdempotent, call.method == "POST")
        self.assertEqual(
            [call.path for call in calls if call.isIdempotent],
            ["/api/publish", "/api/publish/batch"],
        )

    def test_who(self) -> None:
        """Who closes connections is logged; who looks is not."""
        self.opened(self.chat, "specialKey=a")
        self.call("GET", "/api/connections")
        self.call("POST", "/api/disconnect", {"key": "a"})
        self.call("POST", "/api/disconnect", {"key": "nobody"})
        lines = [line for line in self.logged() if "backend" in line]
        self.assertEqual(
            lines,
            [f"backend at 203.0.113.7 closes {count} connections" for count in (1, 0)],
        )
