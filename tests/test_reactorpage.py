"""Tests of L{gows.web.reactorpage}."""

from __future__ import annotations

import msgspec

from gows.web.reactorpage import ReactorPage
from tests.asking import AskingTestCase
from tests.test_stacks import HeldClock


class Measured:
    """Lags as they are told."""

    def __init__(self, *history: tuple[float, float]) -> None:
        """Have these, of which the last is the latest."""
        self.history = list(history)
        self.latest = history[-1][1] if history else 0.0


class ReactorPageTests(AskingTestCase):
    """It is seen how late the reactor was, and when."""

    def setUp(self) -> None:
        """Have been late."""
        super().setUp()
        self.held = HeldClock()
        self.held.readers = [object(), object()]
        self.held.advance(100)
        self.lag = Measured((97.0, 0.001), (98.0, 0.25), (99.5, 0.002))
        self.pages = self.door({"/debug/reactor": ReactorPage(self.held, self.lag)})

    def text(self, query: str = "") -> str:
        """Answer what is shown."""
        answer = self.got(self.pages, f"/debug/reactor{query}")
        self.assertEqual(answer.status, 200)
        return answer.body.decode()

    def test_json(self) -> None:
        """As JSON it is the history as it was measured."""
        answer = self.got(self.pages, "/debug/reactor?format=json")
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(
            msgspec.json.decode(answer.body),
            {
                "reactor": "tests.test_stacks.HeldClock",
                "readers": 2,
                "writers": 0,
                "delayedCalls": 0,
                "lag": {
                    "latest": 0.002,
                    "history": [[97.0, 0.001], [98.0, 0.25], [99.5, 0.002]],
                },
            },
        )

    def test_page(self) -> None:
        """As a page it is a table, with the newest first."""
        page = self.text()
        self.assertIn("late by 2.0 ms, at worst by 250.0 ms", page)
        rows = page.partition("<tbody>")[2]
        self.assertEqual(rows.count("<tr>"), 3)
        self.assertIn("<td>2.0 s</td><td>250.0 ms</td>", rows)
        self.assertLess(rows.index("0.5 s"), rows.index("3.0 s"))
        self.assertIn("<dt>readers</dt><dd>2</dd>", page)

    def test_text(self) -> None:
        """As text it is the same."""
        text = self.text("?format=text")
        self.assertIn("readers: 2\n", text)
        self.assertRegex(text, r"2\.0 s ago +250\.0 ms\n")

    def test_nothing(self) -> None:
        """Nothing that was measured is shown as well."""
        pages = self.door({"/debug/reactor": ReactorPage(self.held, Measured())})
        page = self.got(pages, "/debug/reactor").body.decode()
        self.assertIn("late by 0.0 ms, at worst by 0.0 ms", page)

    def test_nonsense(self) -> None:
        """Other formats there are not."""
        self.assertEqual(self.got(self.pages, "/debug/reactor?format=pdf").status, 400)
