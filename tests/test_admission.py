"""Tests for the one place that decides on openings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import structs
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gows.access.admission import Admission, Conditions
from gows.access.ledger import MemoryLedger
from gows.access.origins import AllowedOrigins
from gows.access.request import RequestHead
from gows.chat.context import Context
from gows.chat.grant import NO_LIMITS, Grant, RoomRights
from gows.chat.registry import Registry
from gows.eager import started
from gows.errors import Refusal
from gows.interfaces import Holder, IRequest
from tests.test_ledger import Somebody

APP = "https://app.example"
ADDRESS = "203.0.113.7"
ALICE = Context("alice")
BOB = Context("bob")

OnConnect = Callable[[IRequest], Context | Refusal | Awaitable[Context | Refusal]]


class SlowLedger(MemoryLedger):
    """
    A ledger whose answers take their time, as if another process was asked.

    @ivar answered: fires when they come
    """

    def __init__(self, clock: Clock, waits: str) -> None:
        """Let a method wait."""
        super().__init__(clock)
        self._waits = waits
        self.answered: Deferred[None] = Deferred()

    async def enter(self, name: str, limit: int) -> bool:
        """Count, and answer later."""
        result = await super().enter(name, limit)
        if self._waits == "enter":
            await self.answered
        return result

    async def hold(self, key: str, holder: Holder, mayReplace: bool) -> bool:
        """Hold, and answer later."""
        result = await super().hold(key, holder, mayReplace)
        if self._waits == "hold":
            await self.answered
        return result


class AdmissionCase(SynchronousTestCase):
    """
    Asks an admission for its decisions.

    @ivar asked: the openings that the application was asked about
    @ivar alice: her connection, once she is here
    @ivar bob: his
    """

    alice: Somebody
    bob: Somebody

    def setUp(self) -> None:
        """Begin with nobody."""
        self.registry: Registry[Somebody] = Registry()
        self.clock = Clock()
        self.ledger = MemoryLedger(self.clock)
        self.asked: list[IRequest] = []

    def asTheURLSays(self, request: IRequest) -> Context:
        """Let everybody in, as the default application does, and remember."""
        self.asked.append(request)
        return request.context

    def admission(self, onConnect: Any = None, **rules: Any) -> Admission:
        """Make an admission with these conditions, by default those of gows."""
        origins = AllowedOrigins(rules.pop("origin", []))
        return Admission(
            onConnect or self.asTheURLSays,
            self.registry,
            self.ledger,
            Conditions(origins, **rules),
            credentials=None,
            now=self.clock.seconds,
        )

    def come(self, context: Context) -> Somebody:
        """Have somebody be here."""
        somebody = Somebody()
        self.registry.add(context, somebody)
        self.assertTrue(started(self.ledger.hold(context.key, somebody, False)))
        return somebody

    def leave(self, context: Context, somebody: Somebody) -> None:
        """Have somebody go."""
        self.registry.remove(somebody)
        started(self.ledger.release(context.key, somebody))

    def decide(
        self,
        admission: Admission,
        query: str = "specialKey=alice",
        *,
        origin: str | None = None,
        isCheck: bool = False,
        address: str = ADDRESS,
        fields: bytes = b"",
    ) -> Deferred[Context]:
        """Have an admission decide on an opening."""
        raw = f"GET /?{query} HTTP/1.1\r\n".encode() + fields + b"\r\n"
        return Deferred.fromCoroutine(
            admission.admit(
                RequestHead.parse(raw), address, origin, None if isCheck else Somebody()
            )
        )

    def assertAdmitted(self, decision: Deferred[Context], context: Context) -> None:
        """Assert who was let in."""
        granted = structs.replace(context, grant=NO_LIMITS)
        self.assertEqual(self.successResultOf(decision), granted)

    def refused(self, decision: Deferred[Context], status: int) -> Refusal:
        """Assert that an opening was refused, and answer how."""
        refusal = self.failureResultOf(decision, Refusal).value
        assert isinstance(refusal, Refusal)
        self.assertEqual(refusal.status, status)
        return refusal


class RulesTests(AdmissionCase):
    """Openings are held to the rules that the operator set."""

    def test_letIn(self) -> None:
        """Whom nothing speaks against comes in as who the URL says."""
        decision = self.decide(self.admission(), "specialKey=alice&support_gzip=1&a=b")
        self.assertAdmitted(decision, Context("alice", True, {"a": "b"}))

    def test_origin(self) -> None:
        """A page of another origin is refused with 403."""
        admission = self.admission(origin=[APP])
        self.refused(self.decide(admission, origin="https://evil.example"), 403)
        self.assertEqual(self.asked, [])
        self.assertAdmitted(self.decide(admission, origin=APP), ALICE)
        self.assertAdmitted(self.decide(admission, origin=None), ALICE)

    def test_originFirst(self) -> None:
        """A page of another origin does not learn what else is wrong."""
        admission = self.admission(origin=[APP])
        self.refused(self.decide(admission, "", origin="https://evil.example"), 403)

    def test_context(self) -> None:
        """A URL that says not who comes is refused with 400."""
        for query in ("", "specialKey=", "specialKey=a&support_gzip=2", "specialKey=%"):
            self.refused(self.decide(self.admission(), query), 400)
        self.assertEqual(self.asked, [])

    def test_anonymous(self) -> None:
        """With --anonymous who has no specialKey gets a made-up one."""
        admission = self.admission(newKey=lambda: "made-up")
        self.assertAdmitted(self.decide(admission, ""), Context("made-up"))
        self.assertAdmitted(self.decide(admission), ALICE)

    def test_draining(self) -> None:
        """A server that stops refuses with 503 and says when to come again."""
        admission = self.admission()
        admission.draining = True
        refusal = self.refused(self.decide(admission), 503)
        self.assertIn("stopping", refusal.text)
        self.assertEqual(refusal.headers, {"Retry-After": "2"})
        self.assertEqual(self.asked, [])


class DuplicateTests(AdmissionCase):
    """--duplicate says what happens when a live key connects again."""

    def setUp(self) -> None:
        """Have alice be here."""
        super().setUp()
        self.alice = self.come(ALICE)

    def test_replace(self) -> None:
        """By default the new one comes in."""
        self.assertAdmitted(self.decide(self.admission()), ALICE)

    def test_allow(self) -> None:
        """With allow the new one comes in, too."""
        self.assertAdmitted(self.decide(self.admission(duplicate="allow")), ALICE)

    def test_refuse(self) -> None:
        """With refuse the new one gets 409; another key comes in."""
        admission = self.admission(duplicate="refuse")
        refusal = self.refused(self.decide(admission), 409)
        self.assertIn("connected already", refusal.text)
        self.assertNotIn("alice", refusal.text)
        self.assertAdmitted(self.decide(admission, "specialKey=bob"), BOB)

    def test_refuseByKey(self) -> None:
        """Who reads gzip has another key than who does not."""
        admission = self.admission(duplicate="refuse")
        decision = self.decide(admission, "specialKey=alice&support_gzip=1")
        self.assertAdmitted(decision, Context("alice", True))

    def test_refuseUntilGone(self) -> None:
        """Once the old one is gone, the new one comes in."""
        self.leave(ALICE, self.alice)
        self.assertAdmitted(self.decide(self.admission(duplicate="refuse")), ALICE)


class FullTests(AdmissionCase):
    """--max-connections says how many may be here."""

    def setUp(self) -> None:
        """Have two be here."""
        super().setUp()
        self.alice = self.come(ALICE)
        self.bob = self.come(BOB)

    def assertFull(self, decision: Deferred[Context]) -> None:
        """Assert that an opening was refused because there is no room."""
        refusal = self.refused(decision, 503)
        self.assertIn("full", refusal.text)
        self.assertEqual(refusal.headers, {"Retry-After": "2"})

    def test_noLimit(self) -> None:
        """0 is no limit."""
        decision = self.decide(self.admission(maxConnections=0), "specialKey=c")
        self.assertAdmitted(decision, Context("c"))

    def test_room(self) -> None:
        """As many as the limit come in."""
        decision = self.decide(self.admission(maxConnections=3), "specialKey=c")
        self.assertAdmitted(decision, Context("c"))

    def test_full(self) -> None:
        """One more gets 503 and is told when to come again."""
        for limit in (1, 2):
            admission = self.admission(maxConnections=limit)
            self.assertFull(self.decide(admission, "specialKey=c"))

    def test_takeover(self) -> None:
        """Who replaces a connection needs no room."""
        self.assertAdmitted(self.decide(self.admission(maxConnections=2)), ALICE)

    def test_allowIsNoTakeover(self) -> None:
        """With allow a second connection of a key needs room."""
        self.assertFull(
            self.decide(self.admission(maxConnections=2, duplicate="allow"))
        )

    def test_refuseFirst(self) -> None:
        """With refuse a live key gets 409 on a full server, too."""
        admission = self.admission(maxConnections=2, duplicate="refuse")
        self.refused(self.decide(admission), 409)
        self.assertFull(self.decide(admission, "specialKey=c"))


class ApplicationTests(AdmissionCase):
    """The application has the last word on who comes."""

    def test_whatItSees(self) -> None:
        """It is shown who wants in, from where, and how."""
        self.successResultOf(
            self.decide(
                self.admission(),
                "specialKey=alice&a=b",
                origin=APP,
                fields=b"X: y\r\nSec-WebSocket-Protocol: gows.v1, raw\r\n",
            )
        )
        [request] = self.asked
        expected = Context("alice", False, {"a": "b"}, grant=NO_LIMITS)
        self.assertEqual(request.context, expected)
        self.assertEqual(request.headers.getRawHeaders("X"), ["y"])
        self.assertEqual(request.address, ADDRESS)
        self.assertEqual(request.origin, APP)
        self.assertEqual(tuple(request.subprotocols), ("gows.v1", "raw"))
        self.assertIs(request.isCheck, False)

    def test_check(self) -> None:
        """It is told when somebody only asks."""
        self.successResultOf(self.decide(self.admission(), isCheck=True))
        self.assertIs(self.asked[0].isCheck, True)

    def test_returnsRefusal(self) -> None:
        """A refusal that it returns is the answer, as it is."""
        refusal = Refusal(402, "Pay first.", Retry_After="60")
        decision = self.decide(self.admission(lambda request: refusal))
        self.assertIs(self.refused(decision, 402), refusal)

    def test_raisesRefusal(self) -> None:
        """A refusal that it raises is the answer, as it is."""
        refusal = Refusal(401, "Who are you?")

        def onConnect(request: IRequest) -> Context:
            raise refusal

        decision = self.decide(self.admission(onConnect))
        self.assertIs(self.refused(decision, 401), refusal)

    def test_deferred(self) -> None:
        """It may take its time."""
        for answer in (BOB, Refusal(403, "No.")):
            answering: Deferred[Context | Refusal] = Deferred()
            decision = self.decide(self.admission(lambda request, d=answering: d))
            self.assertNoResult(decision)
            answering.callback(answer)
            if isinstance(answer, Context):
                self.assertAdmitted(decision, answer)
            else:
                self.assertIs(self.refused(decision, 403), answer)

    def test_deferredAtOnce(self) -> None:
        """A Deferred that has its answer already is as good."""
        admission = self.admission(lambda request: succeed(BOB))
        self.assertAdmitted(self.decide(admission), BOB)
        refusal = Refusal(403, "No.")
        admission = self.admission(lambda request: fail(refusal))
        self.assertIs(self.refused(self.decide(admission), 403), refusal)

    def test_coroutine(self) -> None:
        """It may be a coroutine."""
        answering: Deferred[Context] = Deferred()

        async def onConnect(request: IRequest) -> Context:
            return await answering

        decision = self.decide(self.admission(onConnect))
        self.assertNoResult(decision)
        answering.callback(BOB)
        self.assertAdmitted(decision, BOB)

    def test_coroutineRaises(self) -> None:
        """A coroutine may raise a refusal."""

        async def onConnect(request: IRequest) -> Context:
            raise Refusal(403, "No.")

        self.refused(self.decide(self.admission(onConnect)), 403)

    def test_fails(self) -> None:
        """Its failures are no refusals: nobody takes its words for an answer."""

        def onConnect(request: IRequest) -> Context:
            raise RuntimeError("it broke")

        self.failureResultOf(self.decide(self.admission(onConnect)), RuntimeError)
        failing = self.admission(lambda request: fail(RuntimeError("it broke")))
        self.failureResultOf(self.decide(failing), RuntimeError)

    def test_answersNothing(self) -> None:
        """What is neither context nor refusal is its author's mistake, and said so."""
        for answer, name in (
            (None, "NoneType"),
            (True, "bool"),
            ("alice", "str"),
            (succeed(None), "NoneType"),
        ):
            decision = self.decide(self.admission(lambda request, a=answer: a))
            error = self.failureResultOf(decision, TypeError).value
            self.assertIn("must answer a Context or a Refusal", str(error))
            self.assertIn(name, str(error))

    def test_otherName(self) -> None:
        """It may let somebody in under another name, which is what counts then."""
        self.bob = self.come(BOB)
        admission = self.admission(lambda request: BOB, duplicate="refuse")
        self.refused(self.decide(admission, "specialKey=alice"), 409)

    def test_peerLeaves(self) -> None:
        """When nobody waits for the decision any more, it need not go on."""
        cancelled: list[Deferred[Context]] = []
        answering: Deferred[Context] = Deferred(cancelled.append)
        decision = self.decide(self.admission(lambda request: answering))
        decision.cancel()
        self.failureResultOf(decision, CancelledError)
        self.assertEqual(cancelled, [answering])


class MeanwhileTests(AdmissionCase):
    """What happens while the application decides counts."""

    def setUp(self) -> None:
        """Make an application that takes its time."""
        super().setUp()
        self.answering: Deferred[Context] = Deferred()

    def begin(self, **rules: Any) -> tuple[Admission, Deferred[Context]]:
        """Have an opening wait for the application."""
        admission = self.admission(lambda request: self.answering, **rules)
        decision = self.decide(admission)
        self.assertNoResult(decision)
        return admission, decision

    def test_draining(self) -> None:
        """A server that stops meanwhile lets nobody in."""
        admission, decision = self.begin()
        admission.draining = True
        self.answering.callback(ALICE)
        refusal = self.refused(decision, 503)
        self.assertIn("stopping", refusal.text)
        self.assertEqual(refusal.headers, {"Retry-After": "2"})

    def test_full(self) -> None:
        """A server that is full meanwhile has no room."""
        _, decision = self.begin(maxConnections=1)
        self.bob = self.come(BOB)
        self.answering.callback(ALICE)
        self.assertIn("full", self.refused(decision, 503).text)

    def test_roomAgain(self) -> None:
        """A full server that has room meanwhile lets in."""
        self.bob = self.come(BOB)
        _, decision = self.begin(maxConnections=1)
        self.leave(BOB, self.bob)
        self.answering.callback(ALICE)
        self.assertAdmitted(decision, ALICE)

    def test_duplicate(self) -> None:
        """Of two that come at once under one key, only one comes in."""
        _, decision = self.begin(duplicate="refuse")
        self.alice = self.come(ALICE)
        self.answering.callback(ALICE)
        self.refused(decision, 409)


class PaceTests(AdmissionCase):
    """--open-rate says how often an address may try."""

    def test_rate(self) -> None:
        """Twice the rate at once, then the rate; each is told when to come again."""
        admission = self.admission(openRate=2.0)
        for _ in range(4):
            self.successResultOf(self.decide(admission))
        refusal = self.refused(self.decide(admission), 429)
        self.assertEqual(refusal.headers, {"Retry-After": "1"})
        self.assertIn("this address", refusal.text)
        self.clock.advance(1)
        self.successResultOf(self.decide(admission))

    def test_sustained(self) -> None:
        """Who comes more often for minutes is let in at the rate."""
        admission = self.admission(openRate=2.0)
        passed = 0
        for _ in range(120 * 8):
            self.clock.advance(0.125)
            decision = self.decide(admission)
            decision.addErrback(lambda _: None)
            passed += self.successResultOf(decision) is not None
        self.assertLessEqual(abs(passed - (120 * 2 + 4)), 2)

    def test_others(self) -> None:
        """Others are not disturbed; addresses of one IPv6 network count as one."""
        admission = self.admission(openRate=0.5)
        for number in (1, 2):
            decision = self.decide(admission, address=f"2001:db8::{number}")
            (
                self.refused(decision, 429)
                if number > 1
                else self.successResultOf(decision)
            )
        self.successResultOf(self.decide(admission, address="2001:db8:0:1::1"))
        self.successResultOf(self.decide(admission))

    def test_counted(self) -> None:
        """What is refused for another reason counts, and so does who only asks."""
        admission = self.admission(openRate=1.0)
        self.refused(self.decide(admission, ""), 400)
        self.successResultOf(self.decide(admission, isCheck=True))
        self.refused(self.decide(admission), 429)

    def test_exempt(self) -> None:
        """A trusted proxy's own address may come as often as it likes."""
        admission = self.admission(openRate=0.1, isExempt=lambda a: a == ADDRESS)
        for _ in range(20):
            self.successResultOf(self.decide(admission))
        self.successResultOf(self.decide(admission, address="198.51.100.1"))
        self.refused(self.decide(admission, address="198.51.100.1"), 429)


class AddressTests(AdmissionCase):
    """--max-per-address says how many may be here of one."""

    def left(self, admission: Admission, address: str = ADDRESS) -> None:
        """Have a connection of an address be gone."""
        started(admission.leave(address))

    def test_limit(self) -> None:
        """So many of one address; one that is gone makes room."""
        admission = self.admission(maxPerAddress=2)
        for name in "ab":
            self.successResultOf(self.decide(admission, f"specialKey={name}"))
        for isCheck in (False, True):
            decision = self.decide(admission, "specialKey=c", isCheck=isCheck)
            self.assertIn("this address", self.refused(decision, 429).text)
        self.successResultOf(
            self.decide(admission, "specialKey=c", address="198.51.100.1")
        )
        self.left(admission)
        self.successResultOf(self.decide(admission, "specialKey=c"))

    def test_askingIsFree(self) -> None:
        """Who only asks takes no place."""
        admission = self.admission(maxPerAddress=1)
        for _ in range(3):
            self.successResultOf(self.decide(admission, isCheck=True))
        self.successResultOf(self.decide(admission))

    def test_takeover(self) -> None:
        """Who replaces a connection needs no place of its own."""
        admission = self.admission(maxPerAddress=1)
        for _ in range(2):
            self.successResultOf(self.decide(admission))
            self.left(admission)
        self.successResultOf(self.decide(admission))
        self.successResultOf(self.decide(admission))
        self.refused(self.decide(admission, "specialKey=bob"), 429)

    def test_takeoverOfAnother(self) -> None:
        """But who replaces one of another address does."""
        admission = self.admission(maxPerAddress=1)
        self.come(ALICE).address = "198.51.100.1"
        self.successResultOf(self.decide(admission, "specialKey=bob"))
        self.refused(self.decide(admission), 429)
        self.successResultOf(self.decide(admission, address="198.51.100.1"))

    def test_peerLeaves(self) -> None:
        """Whoever leaves while the ledger is asked leaves nothing in it."""
        for waits in ("enter", "hold"):
            self.ledger = SlowLedger(self.clock, waits)
            admission = self.admission(maxPerAddress=1, duplicate="refuse")
            decision = self.decide(admission)
            decision.cancel()
            self.failureResultOf(decision, CancelledError)
            self.ledger.answered.callback(None)
            self.assertEqual(started(self.ledger.count(f"address:{ADDRESS}")), 0)
            self.assertIs(started(self.ledger.isHeld("alice:0")), False)
            self.ledger.answered = succeed(None)
            self.successResultOf(self.decide(admission))

    def test_drainingMeanwhile(self) -> None:
        """Nor does whoever would come in when the server has begun to stop."""
        for waits in ("enter", "hold"):
            self.ledger = SlowLedger(self.clock, waits)
            admission = self.admission(maxPerAddress=1, duplicate="refuse")
            decision = self.decide(admission)
            admission.draining = True
            self.ledger.answered.callback(None)
            self.assertIn("stopping", self.refused(decision, 503).text)
            self.assertEqual(started(self.ledger.count(f"address:{ADDRESS}")), 0)
            self.assertIs(started(self.ledger.isHeld("alice:0")), False)

    def test_taken(self) -> None:
        """Who is refused for its key takes no place."""
        admission = self.admission(maxPerAddress=2, duplicate="refuse")
        self.successResultOf(self.decide(admission))
        for _ in range(3):
            self.refused(self.decide(admission), 409)
        self.successResultOf(self.decide(admission, "specialKey=bob"))

    def test_exempt(self) -> None:
        """A trusted proxy's own address has no limit, nor one with 0."""
        for rules in ({"isExempt": lambda a: True, "maxPerAddress": 1}, {}):
            admission = self.admission(**rules)
            for number in range(5):
                self.successResultOf(self.decide(admission, f"specialKey={number}"))
            self.left(admission)


class RoomRightsTests(AdmissionCase):
    """Who names a room must be allowed something there."""

    def test_rooms(self) -> None:
        """A room where nothing is allowed is refused; everyone's is not."""
        grant = Grant(RoomRights.of({"r": "r", "w": "w"}))
        admission = self.admission(lambda r: structs.replace(r.context, grant=grant))
        for room in ("", "*", "r", "w"):
            self.successResultOf(self.decide(admission, f"specialKey=a&room={room}"))
        decision = self.decide(admission, "specialKey=a&room=x")
        self.assertIn("room", self.refused(decision, 403).text)
