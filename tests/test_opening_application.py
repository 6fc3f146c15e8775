"""Tests of L{gows.wire.opening}: an application decides on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail, succeed

from gows.access.request import OpeningRequest
from gows.chat.context import Context
from gows.chat.grant import NO_LIMITS
from gows.errors import Refusal
from gows.interfaces import IRequest
from gows.wire.factory import GowsFactory
from gows.wire.opening import MAX_EARLY
from tests.memory import (
    TEXT,
    Answer,
    Chat,
    Client,
    MemoryTestCase,
    answerOf,
    frame,
    opening,
)


class Bouncer(Chat):
    """
    An application that decides as a test tells it.

    @ivar requests: the openings it was asked about
    @ivar decide: what C{onConnect} does
    """

    def __init__(self, chat: Any) -> None:
        """Let everybody in."""
        super().__init__(chat)
        self.requests: list[OpeningRequest] = []
        self.decide: Callable[[IRequest], Any] = lambda request: request.context

    def onConnect(self, request: Any) -> Any:
        """Decide."""
        self.requests.append(request)
        return self.decide(request)


class DecisionTestCase(MemoryTestCase):
    """Tests with an application that decides on openings."""

    def server(self, decide: Callable[[Any], Any], **settings: Any) -> GowsFactory:
        """Make a server whose application decides so."""
        server = self.factory(Bouncer, **settings)
        self.bouncer(server).decide = decide
        return server

    def bouncer(self, server: GowsFactory) -> Bouncer:
        """Answer a server's application."""
        assert isinstance(server.application, Bouncer)
        return server.application

    def refusal(self, server: GowsFactory, head: bytes | None = None) -> Answer:
        """Answer what an opening is refused with."""
        answer = self.ask(server, opening() if head is None else head)
        self.assertGreaterEqual(answer.status, 400)
        return answer


class ApplicationTests(DecisionTestCase):
    """An application's C{onConnect} has the last word."""

    def test_request(self) -> None:
        """It is told all that an opening says."""
        server = self.server(lambda request: request.context)
        self.opened(
            server,
            "specialKey=a&support_gzip=1&topic=7",
            Origin="https://app.example",
            Sec_WebSocket_Protocol=["x, y", "z"],
            Cookie="a=b",
        )
        [request] = self.bouncer(server).requests
        self.assertEqual(
            request.context, Context("a", True, {"topic": "7"}, grant=NO_LIMITS)
        )
        self.assertEqual(request.headers.getRawHeaders("cookie"), ["a=b"])
        self.assertEqual(request.origin, "https://app.example")
        self.assertEqual(request.subprotocols, ("x", "y", "z"))
        self.assertEqual(request.address, "203.0.113.7")
        self.assertFalse(request.isCheck)

    def test_notAsked(self) -> None:
        """It is not asked about openings that are refused anyway."""
        server = self.server(lambda request: request.context, origin=("https://a.b",))
        for head in (
            opening("specialKey="),
            opening(Sec_WebSocket_Key="x"),
            opening(Origin="https://evil.example"),
        ):
            self.refusal(server, head)
        self.assertEqual(self.bouncer(server).requests, [])

    def test_admits(self) -> None:
        """It may answer at once, with a Deferred, or be a coroutine."""

        async def later(request: Any) -> Context:
            answer: Context = await succeed(request.context)
            return answer

        for decide in (
            lambda request: request.context,
            lambda request: succeed(request.context),
            later,
        ):
            server = self.server(decide)
            self.opened(server)
            self.assertEqual(len(server.lookUp("alice:0")), 1)

    def test_refuses(self) -> None:
        """It may return or raise a refusal, now or later, with headers."""
        refusal = Refusal(402, "Pay first.", Retry_After="60")

        def raising(_: Any) -> Context:
            raise refusal

        async def returningLater(_: Any) -> Refusal:
            return await succeed(refusal)

        async def raisingLater(_: Any) -> Context:
            await succeed(None)
            raise refusal

        for decide in (
            lambda _: refusal,
            raising,
            lambda _: succeed(refusal),
            lambda _: fail(refusal),
            returningLater,
            raisingLater,
        ):
            server = self.server(decide)
            answer = self.refusal(server)
            self.assertEqual((answer.status, answer.phrase), (402, "Payment Required"))
            self.assertEqual(answer.body, b"Pay first.\n")
            self.assertEqual(answer.headers["retry-after"], "60")
            self.assertEqual(len(server.registry), 0)
            self.assertEqual(self.calls(server), [])
        self.assertNotIn("Traceback", "\n".join(self.logged()))

    def test_fails(self) -> None:
        """An exception is 500 without its text; the log has the traceback."""

        def raising(_: Any) -> Context:
            raise RuntimeError("the secret is 42")

        async def raisingLater(_: Any) -> Context:
            await succeed(None)
            raise RuntimeError("the secret is 42")

        for decide in (
            raising,
            raisingLater,
            lambda _: fail(RuntimeError("the secret is 42")),
        ):
            server = self.server(decide)
            answer = self.refusal(server)
            self.assertEqual(answer.status, 500)
            self.assertNotIn("42", str(answer))
            [failed] = [e for e in self.events if "log_failure" in e]
            self.assertIn("the secret is 42", str(failed["log_failure"].value))
            self.assertEqual(failed["log_level"].name, "critical")
            self.assertIn("raise", failed["log_failure"].getTraceback())
            self.assertEqual(self.calls(server), [])
            self.events.clear()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_wrongAnswer(self) -> None:
        """An answer that is neither context nor refusal is the same as a failure."""
        wrong: Any
        for wrong in (None, True, "alice", ("alice", True)):

            def decide(_: object, answer: Any = wrong) -> Any:
                return answer

            server = self.server(decide)
            self.assertEqual(self.refusal(server).status, 500)
            [failed] = [e for e in self.events if "log_failure" in e]
            self.assertTrue(failed["log_failure"].check(TypeError))
            self.events.clear()

    def test_cancelsItself(self) -> None:
        """A decision that is cancelled by its application is a failure, too."""
        server = self.server(lambda _: fail(CancelledError()))
        self.assertEqual(self.refusal(server).status, 500)


class WaitingTests(DecisionTestCase):
    """What happens while an opening is decided."""

    def setUp(self) -> None:
        """Have an opening wait for its decision."""
        super().setUp()
        self.cancelled: list[Deferred[Any]] = []
        self.decision: Deferred[Any] = Deferred(self.cancelled.append)
        self.undecided = self.server(lambda _: self.decision, handshakeTimeout=5)
        self.alice: Client = self.wire(self.undecided)
        self.alice.send(opening())
        self.assertEqual(self.alice.protocol.received, b"")

    def admit(self) -> None:
        """Decide that alice may come in."""
        self.decision.callback(Context("alice"))
        self.alice.flush()

    def assertNobodyCame(self) -> None:
        """Check that there is no ghost: nobody is here and nobody was called."""
        self.assertEqual(len(self.undecided.registry), 0)
        self.assertEqual(self.undecided.lookUp("alice:0"), ())
        self.assertEqual(self.calls(self.undecided), [])
        self.assertFalse(any("opened" in line for line in self.logged()))
        self.assertFalse(any("closed" in line for line in self.logged()))
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_comesIn(self) -> None:
        """The answer goes out when it is decided."""
        self.admit()
        self.alice.send(frame(TEXT, b"hi"))
        self.assertEqual(self.alice.protocol.texts, ["hi"])

    def test_peerLeaves(self) -> None:
        """Who leaves meanwhile leaves no ghost, and the decision is cancelled."""
        self.alice.leave()
        self.assertEqual(self.cancelled, [self.decision])
        self.assertNobodyCame()
        self.assertEqual(self.logged(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_peerLeavesAndIsAdmitted(self) -> None:
        """That holds for a decision that will not be cancelled as well."""
        decision: Deferred[Context] = Deferred()

        async def stubborn(_: Any) -> Context:
            try:
                await Deferred()
            except CancelledError:
                return await decision
            raise AssertionError

        self.bouncer(self.undecided).decide = stubborn
        bob = self.wire(self.undecided)
        bob.send(opening("specialKey=bob"))
        bob.leave()
        decision.callback(Context("bob"))
        self.assertNobodyCame()

    def test_keyComesMeanwhile(self) -> None:
        """Who left while it was decided does not replace who came meanwhile."""
        self.alice.leave()
        self.bouncer(self.undecided).decide = lambda request: request.context
        other = self.opened(self.undecided)
        other.flush()
        self.assertEqual(other.protocol.frames, [])

    def test_timeout(self) -> None:
        """A decision that takes longer than the handshake may ends it."""
        self.advance(5.1)
        self.alice.flush()
        self.assertTrue(self.alice.protocol.isLost)
        self.assertEqual(self.cancelled, [self.decision])
        self.assertNobodyCame()

    def test_decidedAfterTimeout(self) -> None:
        """A decision between the timeout and the transport's end does nothing."""
        self.alice.transport.peerReads = False
        self.advance(5.1)
        self.decision.callback(Context("alice"))
        self.assertNobodyCame()
        self.alice.flush()
        self.assertTrue(self.alice.protocol.isLost)
        self.assertEqual(self.alice.protocol.received, b"")
        self.assertNobodyCame()

    def test_refusedAfterTimeout(self) -> None:
        """Neither does a refusal."""
        self.advance(5.1)
        self.decision.callback(Refusal(403, "No."))
        self.alice.flush()
        self.assertEqual(self.alice.protocol.received, b"")
        self.assertNobodyCame()

    def test_early(self) -> None:
        """Frames that come before the answer are taken once it is decided."""
        self.alice.send(frame(TEXT, b"early"))
        self.alice.send(frame(TEXT, b"bird")[:5])
        self.assertEqual(self.calls(self.undecided), [])
        self.admit()
        self.alice.send(frame(TEXT, b"bird")[5:])
        self.assertEqual(self.alice.protocol.texts, ["early", "bird"])

    def test_earlyAndRefused(self) -> None:
        """Frames before a refusal are dropped, and the answer is whole."""
        self.alice.send(frame(TEXT, b"early"))
        self.decision.callback(Refusal(403, "No."))
        self.alice.flush()
        self.assertEqual(answerOf(self.alice.protocol.received).status, 403)
        self.assertNobodyCame()

    def test_tooEarly(self) -> None:
        """Up to a bound: who sends more before the answer is cut."""
        self.alice.send(b"x" * MAX_EARLY)
        self.assertFalse(self.alice.protocol.isLost)
        self.alice.send(b"x")
        self.assertTrue(self.alice.protocol.isLost)
        self.assertTrue(self.alice.transport.wasAborted)
        self.assertEqual(self.cancelled, [self.decision])
        self.assertNobodyCame()

    def test_drain(self) -> None:
        """Who is decided on when the server stops gets 503."""
        done = self.undecided.drain(10)
        self.successResultOf(done)
        self.admit()
        self.assertEqual(answerOf(self.alice.protocol.received).status, 503)
        self.assertNobodyCame()
