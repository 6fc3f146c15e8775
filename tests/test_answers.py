"""Tests for L{gows.web.answers}: what is wrong, in JSON."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from gows.errors import GowsError
from gows.web.answers import Problem, lastAnswer, notAllowed, notFound
from tests.doors import DoorTestCase
from tests.memory import answerOf


class ProblemTests(SynchronousTestCase):
    """Why a request is not carried out."""

    def test_problem(self) -> None:
        """It has a status, a code for programs, and words for people."""
        problem = Problem(400, "invalid", "x: must be y.", "x", {"A": "b"})
        self.assertIsInstance(problem, GowsError)
        self.assertEqual((problem.status, problem.headers), (400, {"A": "b"}))
        self.assertEqual(problem.fault.code, "invalid")
        self.assertEqual(problem.fault.field, "x")
        self.assertEqual(str(problem), "400 invalid")
        self.assertRaises(ValueError, Problem, 999, "x", "y")

    def test_methods(self) -> None:
        """GET is HEAD too; what is allowed is said in a header."""
        self.assertEqual(notAllowed(["POST"]).headers, {"Allow": "POST"})
        self.assertEqual(notAllowed(["GET"]).headers, {"Allow": "GET, HEAD"})
        self.assertEqual(notFound().status, 404)


class AnswerTests(DoorTestCase):
    """What every answer has."""

    def test_headers(self) -> None:
        """Nothing is cached, sniffed, or told to another site; who we are is said."""
        for target in ("/api/info", "/openapi.json", "/nowhere", "/signin", "/api/x"):
            headers = self.call("GET", target).headers
            self.assertEqual(headers["server"], "gows")
            self.assertEqual(headers["cache-control"], "no-store")
            self.assertEqual(headers["x-content-type-options"], "nosniff")
            self.assertIn(headers["referrer-policy"], ("no-referrer", "same-origin"))

    def test_last(self) -> None:
        """One without a request is as the others, and the connection ends."""
        usual = self.call("GET", "/nowhere")
        del usual.headers["date"]  # twisted.web's
        last = answerOf(lastAnswer(notFound()))
        self.assertEqual(last.headers.pop("connection"), "close")
        self.assertEqual(last, usual)
        refused = answerOf(lastAnswer(notAllowed(["POST"])))
        self.assertEqual((refused.status, refused.headers["allow"]), (405, "POST"))

    def test_json(self) -> None:
        """An answer is one JSON object and the end of a line."""
        answer = self.call("GET", "/api/info")
        self.assertTrue(answer.body.endswith(b"}\n"))
        self.assertIsInstance(json.loads(answer.body), dict)

    def test_head(self) -> None:
        """HEAD is answered as GET is, without the body."""
        for target in ("/api/info", "/api/rooms", "/openapi.json", "/healthz", "/x"):
            got, head = self.call("GET", target), self.call("HEAD", target)
            self.assertEqual((head.status, head.body), (got.status, b""))
            self.assertEqual(head.headers, got.headers)

    def test_methods(self) -> None:
        """A method that a place does not have is refused in JSON, whatever it is."""
        for target, allowed in (
            ("/healthz", "GET, HEAD"),
            ("/signin", "GET, HEAD, POST"),
            ("/signin.css", "GET, HEAD"),
            ("/signout", "POST"),
            ("/openapi.json", "GET, HEAD"),
            ("/api/publish", "POST"),
            ("/api/info", "GET, HEAD"),
            ("/api/rooms/x", "GET, HEAD"),
        ):
            for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "X"):
                answer = self.call(method, target)
                self.assertProblem(answer, 405, "method_not_allowed")
                self.assertEqual(answer.headers["allow"], allowed, target)
        self.assertEqual(self.call("GET", "/api/publish").status, 405)
        self.assertEqual(self.call("POST", "/api/info", {}).status, 405)
        self.assertEqual(self.call("GET", "/signout").status, 405)
        self.assertEqual(self.call("HEAD", "/signout").status, 405)
