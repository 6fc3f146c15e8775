"""Tests for L{gows.web.apianswers}: what is answered."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from gows.web.apianswers import Answer, BatchPublished, Fault, Published, Refused, Rooms


class AnswersTests(SynchronousTestCase):
    """How answers are written."""

    def assertWritten(self, answer: Answer, text: str) -> None:
        """Assert how an answer goes out."""
        self.assertEqual(msgspec.json.encode(answer).decode(), text)

    def test_whole(self) -> None:
        """Fields are there when they are nothing, too."""
        self.assertWritten(Rooms((), 0, None), '{"rooms":[],"total":0,"next":null}')

    def test_inside(self) -> None:
        """Answers hold others."""
        batch = BatchPublished((Published("a", 1), Published("b", 0)))
        written = '[{"id":"a","readers":1},{"id":"b","readers":0}]'
        self.assertWritten(batch, f'{{"messages":{written}}}')

    def test_fault(self) -> None:
        """A fault names the field that is wrong, if it is about one."""
        for fault, field in (
            (Fault("invalid", "no"), ""),
            (Fault("invalid", "no", "retry_after"), ',"field":"retry_after"'),
        ):
            text = f'{{"error":{{"code":"invalid","message":"no"{field}}}}}'
            self.assertWritten(Refused(fault), text)

    def test_snake(self) -> None:
        """Names are in snake case, as everywhere in JSON."""

        class Retry(Answer, frozen=True):
            retryAfter: int

        self.assertWritten(Retry(5), '{"retry_after":5}')
