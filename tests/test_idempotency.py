"""Tests for L{gows.web.idempotency}: what comes again is not done again."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred

from gows.access import ledger
from gows.eager import started
from gows.web.answers import Problem
from gows.web.apianswers import Published
from gows.web.calls import Asked, Call
from gows.web.guard import Operator
from gows.web.idempotency import REMEMBERED, Idempotency
from tests.doors import KEY, OTHER_KEY, DoorTestCase, bearer
from tests.memory import Answer

SAID = {"to": "everyone", "data": "x"}


class PublishTests(DoorTestCase):
    """A backend that repeats a publish."""

    def publish(
        self,
        body: object = None,
        key: str | None = "1",
        target: str = "/api/publish",
        apiKey: str = KEY,
    ) -> Answer:
        """Say something, with a key."""
        headers = {**bearer(apiKey), "Idempotency-Key": key}
        return self.send("POST", target, body or SAID, headers)

    def test_again(self) -> None:
        """It is said once; the second answer is the first, byte by byte."""
        client = self.opened(self.chat)
        first = self.publish()
        self.assertEqual(json.loads(first.body)["readers"], 1)
        client.leave()
        self.assertEqual(self.publish().body, first.body)
        self.assertEqual(client.protocol.texts, ["x"])

    def test_sameBody(self) -> None:
        """How a body is written does not matter, but its data's own text."""
        first = self.publish()
        body = b'{ "data":"x",\n "to":"everyone" }'
        self.assertEqual(self.publish(body).body, first.body)

    def test_other(self) -> None:
        """Another key, another caller, or another call is another request."""
        answers = [
            json.loads(answer.body)
            for answer in (
                self.publish(),
                self.publish(key="2"),
                self.publish(key=None),
                self.publish(key=None),
                self.publish(apiKey=OTHER_KEY),
                self.publish({"messages": [SAID]}, target="/api/publish/batch"),
            )
        ]
        self.assertEqual(len({str(answer) for answer in answers}), len(answers))

    def test_mismatch(self) -> None:
        """The same key with another body is a mistake, and says nothing."""
        client = self.opened(self.chat)
        self.publish()
        answer = self.publish({"to": "everyone", "data": "y"})
        self.assertProblem(answer, 422, "idempotency_mismatch", "Idempotency-Key")
        client.flush()
        self.assertEqual(client.protocol.texts, ["x"])

    def test_forgotten(self) -> None:
        """After five minutes it is said again."""
        first = self.publish().body
        self.clock.advance(REMEMBERED - 1)
        self.assertEqual(self.publish().body, first)
        self.clock.advance(1)
        self.assertNotEqual(self.publish().body, first)

    def test_refused(self) -> None:
        """What was refused may be tried again with the same key."""
        self.assertEqual(self.publish({"to": "everyone"}).status, 400)
        self.assertEqual(self.publish().status, 200)

    def test_failed(self) -> None:
        """What failed may be tried again."""

        def broken(*_: object) -> None:
            raise RuntimeError

        patch = self.patch(self.chat, "accept", broken)
        self.assertEqual(self.publish().status, 500)
        patch.restore()
        self.assertEqual(self.publish().status, 200)

    def test_batch(self) -> None:
        """A batch is remembered whole."""
        body = {"messages": [SAID, {"to": {"key": "a"}, "data": 1}]}
        first = self.publish(body, target="/api/publish/batch")
        again = self.publish(body, target="/api/publish/batch")
        self.assertEqual(again.body, first.body)

    def test_full(self) -> None:
        """With too many kept nothing is said; the last that fits is remembered."""
        self.patch(ledger, "MAX_KEPT", 1)
        first = self.publish()
        self.assertEqual(first.status, 200, first.body)
        self.assertEqual(self.publish().body, first.body)
        self.assertProblem(self.publish(key="2"), 503, "too_many")
        self.assertEqual(self.publish(key=None).status, 200)

    def test_noRoomForAnswer(self) -> None:
        """What was said is answered as said; its repeat is not, and says nothing."""
        client = self.opened(self.chat)
        self.patch(ledger, "MAX_SIZE", 120)
        answer = self.publish()
        self.assertEqual((answer.status, json.loads(answer.body)["readers"]), (200, 1))
        self.assertProblem(self.publish(), 409, "already_done")
        mismatch = self.publish({"to": "everyone", "data": "y"})
        self.assertProblem(mismatch, 422, "idempotency_mismatch", "Idempotency-Key")
        client.flush()
        self.assertEqual(client.protocol.texts, ["x"])
        self.clock.advance(REMEMBERED)
        self.assertEqual(self.publish().status, 200)


class OnceTests(DoorTestCase):
    """Requests that come again while the first is being done."""

    def test_inProgress(self) -> None:
        """The second is told so; a first that is given up leaves nothing behind."""
        waited: list[Deferred[Any]] = []

        async def do(asked: Asked) -> object:
            waited.append(Deferred())
            answer: object = await waited[-1]
            return answer

        memory = Idempotency(self.chat.ledger)
        call = Call("POST", "/x", "", do, answers=Published, isIdempotent=True)
        asked = Asked(Operator("ops", "::1"), {"a": 1}, idempotencyKey="1")
        first = started(memory.once(call, asked))
        assert isinstance(first, Deferred)
        second = self.assertRaises(Problem, started, memory.once(call, asked))
        self.assertEqual((second.status, second.fault.code), (409, "in_progress"))
        first.addErrback(lambda _: None)
        first.cancel()
        third = started(memory.once(call, asked))
        assert isinstance(third, Deferred)
        waited[-1].callback(Published("id", 3))
        self.assertEqual(bytes(self.successResultOf(third)), b'{"id":"id","readers":3}')
