"""Tests for L{gows.commands.toptables}: what is in a row."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table
from twisted.trial.unittest import SynchronousTestCase

from gows.commands.topstructs import ORDERS, Connection, Room, Warned
from gows.commands.toptables import connections, rooms, safe, warnings


def printed(table: Table, width: int = 80) -> list[str]:
    """Print a table, and answer its lines."""
    out = io.StringIO()
    Console(file=out, width=width).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]


ALICE = Connection(
    session="00ff" * 4,
    key="alice",
    device="phone",
    form="gzip",
    address="203.0.113.7",
    age=65,
    messagesIn=1234,
    bytesOut=2048,
    waiting=3,
    roundTrip=12.5,
)


class TablesTests(SynchronousTestCase):
    """Tables of a screen."""

    def test_connections(self) -> None:
        """By what they are ordered is marked; more is shown where there is room."""
        head, row = printed(connections([ALICE], "age", "", 80))
        self.assertEqual(
            head.split(),
            ["key", "address", "form", "age▼", "in", "out", "waiting", "ping"],
        )
        self.assertEqual(
            " ".join(row.split()),
            "alice 203.0.113.7 gzip 1m 05s 1,234 2 KiB 3 B 12.5 ms",
        )
        head, row = printed(connections([ALICE], "age", "", 120), 120)
        self.assertIn("session", head)
        self.assertIn("phone", row)
        self.assertIn("00ff00ff00ff00ff", row)
        for by in ORDERS:
            head, row = printed(connections([ALICE], by, "", 40), 40)
            self.assertIn("▼", head)
            self.assertEqual(len(head.split()), 3)

    def test_unknown(self) -> None:
        """What the kernel does not tell is no number."""
        row = printed(connections([Connection(key="a")], "age", "", 80))[1]
        self.assertEqual(row.split()[-1], "-")

    def test_selected(self) -> None:
        """One stands out; empty rows follow, if they are wanted."""
        table = connections([ALICE, Connection()], "age", ALICE.session, 80, 5)
        self.assertEqual(
            [row.style for row in table.rows], ["reverse", "", None, None, None]
        )

    def test_rooms(self) -> None:
        """Everyone's room has no name of a room."""
        lines = printed(rooms([Room("*", 3, 4), Room("den", 1, 2)], 80))
        self.assertEqual(
            [line.split() for line in lines],
            [["room", "people"], ["everyone", "3"], ["#den", "1"]],
        )

    def test_hostile(self) -> None:
        """Nothing that came from outside moves the cursor, or is markup."""
        key = "[bold]a\x1b[2J\n\u202e日本\x9b"
        row = printed(connections([Connection(key=key)], "age", "", 200), 200)
        self.assertEqual(len(row), 2)
        self.assertIn(r"[bold]a\x1b[2J\n\u202e日本\x9b", row[1])
        line = printed(warnings([Warned(0, "warn", "[red]x\x1b\n")], 80))
        self.assertEqual(len(line), 1)
        self.assertTrue(line[0].endswith(r"[red]x\x1b\n"))
        line = printed(rooms([Room("[red]\x1b", 1, 1)], 80))
        self.assertIn(r"#[red]\x1b", line[1])
        self.assertLess(len(safe("\0" * 10_000_000)), 2000)

    def test_wide(self) -> None:
        """Wide characters take the room that they need."""
        for line in printed(
            connections([Connection(key="日本語" * 30)], "age", "", 80)
        ):
            self.assertLessEqual(Console().render_str(line).cell_len, 80)
