"""Tests of L{gows.web.parameters}."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from gows.web.answers import Problem
from gows.web.parameters import Parameters


class ParametersTests(SynchronousTestCase):
    """What a URL asks for is taken strictly."""

    def problemOf(self, take: Callable[[], object]) -> Problem:
        """Answer the problem that comes of something."""
        problem = self.assertRaises(Problem, take)
        assert isinstance(problem, Problem)
        self.assertEqual(problem.status, 400)
        return problem

    def test_number(self) -> None:
        """A number may be left out, and may be at both ends of its range."""
        given = Parameters({"a": "1", "b": "2.5", "c": "60"})
        self.assertEqual(given.number("a", 9, 1, 60), 1)
        self.assertEqual(given.number("b", 9, 1, 60), 2.5)
        self.assertEqual(given.number("c", 9, 1, 60), 60)
        self.assertEqual(given.number("d", 9, 1, 60), 9)
        given.end()

    def test_noNumber(self) -> None:
        """Nonsense, and what is out of range, is refused, and the field named."""
        for text in (
            "",
            "ten",
            "nan",
            "inf",
            "-inf",
            "-1",
            "0.9",
            "60.1",
            "1e3",
            "0x9",
        ):
            given = Parameters({"seconds": text})
            problem = self.problemOf(partial(given.number, "seconds", 9, 1, 60))
            self.assertEqual(problem.fault.field, "seconds", text)
            self.assertIn("a number from 1 to 60", problem.fault.message)

    def test_choice(self) -> None:
        """A word may be left out, or be one of those that there are."""
        given = Parameters({"a": "text", "b": "html", "c": "HTML"})
        self.assertEqual(given.choice("a", "html", ["text"]), "text")
        self.assertEqual(given.choice("b", "html", ["text"]), "html")
        self.assertEqual(given.choice("d", "html", ["text"]), "html")
        problem = self.problemOf(lambda: given.choice("c", "html", ["text"]))
        self.assertEqual(problem.fault.field, "c")
        self.assertIn("must be html or text", problem.fault.message)

    def test_left(self) -> None:
        """What nobody asked for is refused."""
        given = Parameters({"second": "5"})
        problem = self.problemOf(given.end)
        self.assertEqual(
            (problem.fault.code, problem.fault.field), ("invalid", "second")
        )
