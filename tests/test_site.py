"""Tests of L{gows.web.site}: plain HTTP on the port of the WebSockets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred, fail, succeed

from gows.access.request import MAX_HEAD
from gows.chat.context import Context
from gows.chat.grant import NO_LIMITS
from gows.errors import Refusal
from gows.wire.factory import GowsFactory
from tests.memory import (
    Answer,
    Chat,
    Client,
    Headers,
    MemoryTestCase,
    answerOf,
    opening,
    request,
)
from tests.support import ROOT

HOST = {"Host": "127.0.0.1:8888"}
MARKER = "KILROY"


class SiteTestCase(MemoryTestCase):
    """Tests with plain requests."""

    def get(
        self,
        target: str,
        server: GowsFactory | None = None,
        method: str = "GET",
        **headers: str | list[str] | None,
    ) -> Answer:
        """Answer what a request is answered."""
        named: Headers = {
            **HOST,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = request(method, target, named)
        return self.ask(server or self.factory(), head)


class PageTests(SiteTestCase):
    """The page and what belongs to it."""

    TYPES: ClassVar = {
        "/": "text/html; charset=utf-8",
        "/chat.js": "text/javascript; charset=utf-8",
        "/chat.css": "text/css; charset=utf-8",
        "/healthz": "text/plain; charset=utf-8",
        "/readyz": "text/plain; charset=utf-8",
    }

    def test_served(self) -> None:
        """Each is served with its type, whole, and the connection ends."""
        for path, contentType in self.TYPES.items():
            answer = self.get(path)
            self.assertEqual(answer.status, 200, path)
            self.assertEqual(answer.headers["content-type"], contentType)
            self.assertEqual(answer.headers["connection"].lower(), "close")
            self.assertEqual(answer.headers["x-content-type-options"], "nosniff")
            self.assertTrue(answer.body)

    def test_head(self) -> None:
        """HEAD is answered as GET is, without the body."""
        for path in (*self.TYPES, "/check?specialKey=a", "/check"):
            got, head = self.get(path), self.get(path, method="HEAD")
            self.assertEqual(head.status, got.status, path)
            self.assertEqual(head.headers, got.headers, path)
            self.assertEqual(head.body, b"")

    def test_page(self) -> None:
        """The page refers to its own script and style, and may load nothing else."""
        answer = self.get("/")
        self.assertIn(b"chat.js", answer.body)
        self.assertIn(b"chat.css", answer.body)
        policy = answer.headers["content-security-policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertIn("connect-src 'self' ws: wss:", policy)

    def test_wholePage(self) -> None:
        """Every file of the page is served, with the page's policy."""
        for file in sorted((ROOT / "gows" / "web" / "page").iterdir()):
            answer = self.get(f"/{file.name}".replace("index.html", ""))
            self.assertEqual(answer.body, file.read_bytes(), file.name)
            self.assertIn("content-security-policy", answer.headers)

    def test_query(self) -> None:
        """A query does not matter to the page."""
        self.assertEqual(self.get("/?specialKey=a&x=%").body, self.get("/").body)

    def test_health(self) -> None:
        """/healthz is for machines: short, and not cached."""
        answer = self.get("/healthz")
        self.assertEqual(answer.body, b"ok\n")
        self.assertEqual(answer.headers["cache-control"], "no-store")

    def test_server(self) -> None:
        """Every answer names the server, and nothing that it is made of."""
        for target in ("/", "/healthz", "/check?specialKey=a", "/check", "/nowhere"):
            answer = self.get(target)
            self.assertEqual(answer.headers["server"], "gows", target)
            self.assertNotIn("twisted", str(answer).lower())

    def test_otherHTTP(self) -> None:
        """HTTP/1.0 is served; there, too, the connection ends after the answer."""
        answer = self.ask(self.factory(), request(target="/healthz", version="1.0"))
        self.assertEqual(answer.status, 200)

    def test_oddHTTP(self) -> None:
        """A version that does not exist gets a whole answer as well."""
        for version in ("1.2", "2.0", "9.9"):
            head = request(target="/healthz", headers=HOST, version=version)
            self.assertIn(self.ask(self.factory(), head).status, (200, 400, 505))

    def test_absoluteTarget(self) -> None:
        """The whole URL may stand in the request line (RFC 9112, 3.2.2)."""
        for target in (
            "http://127.0.0.1:8888/healthz",
            "HTTP://example/healthz?x",
            "http://127.0.0.1:8888/check?specialKey=a",
            "http://127.0.0.1:8888",
        ):
            self.assertEqual(self.get(target).status, 200, target)

    def test_byteByByte(self) -> None:
        """A request may come one byte at a time."""
        client = self.wire(self.factory())
        for byte in request(target="/healthz", headers=HOST):
            client.send(bytes([byte]))
        self.assertEqual(answerOf(client.protocol.received).body, b"ok\n")

    def test_manyHeaders(self) -> None:
        """What fits into 16 KiB is read, however many headers that are."""
        many = {f"X-{number}": "x" for number in range(1200)}
        for headers in (HOST | many, HOST | {"X-Long": "x" * 16_000}):
            head = request(target="/healthz", headers=headers)
            self.assertLess(len(head), MAX_HEAD)
            self.assertEqual(self.ask(self.factory(), head).status, 200)

    def test_largestHead(self) -> None:
        """Exactly 16 KiB are read, one byte more is refused with 431."""
        rest = MAX_HEAD - len(request(target="/healthz", headers={"X": ""}))
        for extra, status in ((0, 200), (1, 431)):
            head = request(target="/healthz", headers={"X": "x" * (rest + extra)})
            self.assertEqual(self.ask(self.factory(), head).status, status)

    def test_expect(self) -> None:
        """Who asks whether to go on may be told so, and then is answered."""
        client = self.wire(self.factory())
        client.send(request(target="/healthz", headers={"Expect": "100-continue"}))
        received = client.protocol.received
        answer = answerOf(received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n"))
        self.assertEqual(answer.body, b"ok\n")

    def test_noBody(self) -> None:
        """A request that says that it has no body has none."""
        self.assertEqual(self.get("/healthz", Content_Length="0").status, 200)


class RefusedTests(SiteTestCase):
    """What is not there, and what is not allowed."""

    def test_unknown(self) -> None:
        """Everything else is 404, in our words."""
        for target in (
            "/favicon.ico",
            "/index.html",
            "/chat.js/",
            "/chat.js/x",
            "/healthz/",
            "/check/",
            "//",
            "/..",
            "/../../etc/passwd",
            "/%2e%2e/etc/passwd",
            "/%68ealthz",
            "/page/index.html",
            f"/{MARKER}?{MARKER}",
        ):
            answer = self.get(target)
            self.assertEqual(answer.status, 404, target)
            self.assertEqual(answer.headers["content-type"].split(";")[0], "text/plain")
            self.assertNotIn(MARKER, str(answer))

    def test_methods(self) -> None:
        """Only GET and HEAD are allowed, and 405 says so."""
        for target in ("/", "/healthz", "/check?specialKey=a", "/chat.js"):
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "get", MARKER):
                answer = self.get(target, method=method)
                self.assertEqual(answer.status, 405, target)
                self.assertEqual(answer.headers["allow"], "GET, HEAD")
                self.assertNotIn(MARKER, str(answer))

    def test_bodies(self) -> None:
        """A request with a body is refused with 400, however it is announced."""
        for headers in (
            {"Content-Length": "5"},
            {"Content-Length": "00"},
            {"Content-Length": "+0"},
            {"Content-Length": "x"},
            {"Content-Length": ["0", "5"]},
            {"Transfer-Encoding": "chunked"},
            {"Transfer-Encoding": "identity"},
            {"Transfer-Encoding": "gzip", "Content-Length": "0"},
        ):
            head = request(target="/healthz", headers={**HOST, **headers})
            self.assertEqual(self.ask(self.factory(), head).status, 400, headers)

    def test_twoLengths(self) -> None:
        """Even a length of nothing, twice, gets a whole answer."""
        answer = self.get("/healthz", Content_Length=["0", "0"])
        self.assertIn(answer.status, (200, 400))

    def test_pipelined(self) -> None:
        """A second request on the connection is not answered."""
        for second in (request(target="/healthz", headers=HOST), opening(), b"junk"):
            client = self.wire(self.factory())
            client.send(request(target="/healthz", headers=HOST) + second)
            client.send(second)
            self.assertEqual(answerOf(client.protocol.received).body, b"ok\n")
            self.assertTrue(client.protocol.isLost)
            self.assertEqual(len(client.server.factory.registry), 0)

    def test_sendsOn(self) -> None:
        """What is sent behind a request while it is answered is not kept."""
        server = self.factory(Asked)
        decision: Deferred[Any] = Deferred()
        asked(server).decide = lambda _: decision
        client = self.wire(server)
        client.send(request(target="/check?specialKey=a", headers=HOST))
        for _ in range(50):
            client.send(b"x" * 10_000)
        decision.callback(Context("a"))
        client.flush()
        self.assertEqual(answerOf(client.protocol.received).status, 200)

    def test_doesNotRead(self) -> None:
        """Who asks for the page and does not read it is cut after a while."""
        client = self.wire(self.factory())
        client.transport.peerReads = False
        client.send(request(headers=HOST))
        self.advance(60)
        client.flush()
        self.assertTrue(client.transport.wasAborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_logged(self) -> None:
        """Answers are logged at debug, without the query; refusals at info."""
        server = self.factory()
        peer = IPv4Address("TCP", "192.0.2.9", 1)
        self.ask(server, request(target=f"/healthz?{MARKER}", headers=HOST), peer)
        self.get("/check?specialKey=SECRET", server)
        self.get(f"/{MARKER}", server)
        self.assertEqual(
            [(event["log_level"].name, line) for event, line in self.lines()],
            [
                ("debug", "answered 192.0.2.9: GET /healthz 200"),
                ("debug", "answered 203.0.113.7: GET /check 200"),
                ("info", "refused 203.0.113.7: 404 There is nothing here."),
            ],
        )
        self.assertNotIn("SECRET", str(self.events))
        self.assertNotIn(MARKER, str(self.events))

    def lines(self) -> list[tuple[dict[str, Any], str]]:
        """Answer the events with their lines."""
        return list(zip(self.events, self.logged(), strict=True))


class Asked(Chat):
    """
    An application that decides as a test tells it.

    @ivar requests: the openings it was asked about
    @ivar decide: what C{onConnect} does
    """

    def __init__(self, chat: Any) -> None:
        """Let everybody in."""
        super().__init__(chat)
        self.requests: list[Any] = []
        self.decide: Callable[[Any], Any] = lambda request: request.context

    def onConnect(self, request: Any) -> Any:
        """Decide."""
        self.requests.append(request)
        return self.decide(request)


def asked(server: GowsFactory) -> Asked:
    """Answer the application of a server made with L{Asked}."""
    assert isinstance(server.application, Asked)
    return server.application


def failing(error: Exception, _: object) -> Deferred[Any]:
    """Decide nothing, but fail."""
    return fail(error)


class CheckTests(SiteTestCase):
    """/check answers what an opening with the same parameters would get."""

    def test_success(self) -> None:
        """What would succeed is 200, and nobody has come in by that."""
        server = self.factory()
        answer = self.get("/check?specialKey=a&support_gzip=1", server)
        self.assertEqual(answer.status, 200)
        self.assertRegex(answer.body.decode(), r"^\S[^\n]+\n$")
        self.assertEqual(len(server.registry), 0)
        self.assertEqual(self.calls(server), [])

    def test_replacesNobody(self) -> None:
        """Asking whether one could take over replaces nobody."""
        server = self.factory()
        alice = self.opened(server)
        self.assertEqual(self.get("/check?specialKey=alice", server).status, 200)
        alice.flush()
        self.assertEqual(alice.protocol.frames, [])

    def test_sameAsOpening(self) -> None:
        """Each refusal is the very one that an opening gets: status and text."""

        def full() -> GowsFactory:
            server = self.factory(maxConnections=1)
            self.opened(server, "specialKey=other")
            return server

        def taken() -> GowsFactory:
            server = self.factory(duplicate="refuse")
            self.opened(server)
            return server

        def stopping() -> GowsFactory:
            server = self.factory()
            server.drain(1)
            return server

        def applications() -> GowsFactory:
            server = self.factory(Asked)
            asked(server).decide = lambda _: Refusal(418, "Tea?", Retry_After="7")
            return server

        cases: list[tuple[Callable[[], GowsFactory], str]] = [
            (self.factory, query)
            for query in (
                "",
                "specialKey=",
                "specialKey=a&specialKey=a",
                "specialKey=%",
                "specialKey=%ff",
                "specialKey=%00",
                f"specialKey={'x' * 129}",
                "specialKey=a&support_gzip=2",
            )
        ]
        alice = "specialKey=alice"
        cases += [(make, alice) for make in (full, taken, stopping, applications)]
        for make, query in cases:
            server = make()
            refused = self.ask(server, opening(query))
            checked = self.get(f"/check?{query}", server)
            self.assertGreaterEqual(refused.status, 400, query)
            for name in ("status", "phrase", "body"):
                self.assertEqual(getattr(checked, name), getattr(refused, name))
            for header in ("retry-after", "content-type", "cache-control"):
                self.assertEqual(
                    checked.headers.get(header), refused.headers.get(header), query
                )

    def test_origin(self) -> None:
        """The page that asks is known by its Origin, or else by its Referer."""
        settings: dict[str, Any] = {"origin": ("https://app.example",)}
        for headers, status in (
            ({"Origin": "https://app.example"}, 200),
            ({"Origin": "https://evil.example"}, 403),
            ({"Origin": "null"}, 403),
            ({"Referer": "https://app.example/"}, 200),
            ({"Referer": "https://app.example/chat?a=b"}, 200),
            ({"Referer": "https://APP.example:443/"}, 200),
            ({"Referer": "https://evil.example/https://app.example/"}, 403),
            (
                {"Origin": "https://evil.example", "Referer": "https://app.example/"},
                403,
            ),
            (
                {"Origin": "https://app.example", "Referer": "https://evil.example/"},
                200,
            ),
            ({"Referer": "https://["}, 200),
            ({"Referer": "nonsense"}, 200),
            ({"Referer": ""}, 200),
            ({}, 200),
            ({"Origin": ["https://app.example", "https://app.example"]}, 400),
        ):
            head = request(target="/check?specialKey=a", headers={**HOST, **headers})
            answer = self.ask(self.factory(**settings), head)
            self.assertEqual(answer.status, status, headers)
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_anyPageMayAsk(self) -> None:
        """Pages of other origins may read the answer, whatever it is."""
        for target in ("/check?specialKey=a", "/check"):
            answer = self.get(target, Origin="https://other.example")
            self.assertEqual(answer.headers["access-control-allow-origin"], "*")
            self.assertIn(
                "Retry-After", answer.headers["access-control-expose-headers"]
            )
            self.assertEqual(answer.headers["cache-control"], "no-store")

    def test_neverRepeated(self) -> None:
        """The answer never repeats what was asked, nor does the log."""
        for query in (f"{MARKER}", f"specialKey={MARKER}&support_gzip={MARKER}"):
            answer = self.get(f"/check?{query}", Origin=MARKER, Referer=MARKER)
            self.assertEqual(answer.status, 400)
            self.assertNotIn(MARKER, str(answer))
        self.assertNotIn(MARKER, f"{self.logged()} {self.events}")

    def test_anonymous(self) -> None:
        """With --anonymous nobody needs a specialKey here either."""
        self.assertEqual(self.get("/check", self.factory(anonymous=True)).status, 200)

    def test_application(self) -> None:
        """Applications are asked as for an opening, and told that it is a check."""
        server = self.factory(Asked, trustedProxy=("203.0.113.7",))
        self.get(
            "/check?specialKey=a&topic=7",
            server,
            X_Forwarded_For="198.51.100.3",
            Origin="https://app.example",
        )
        [request] = asked(server).requests
        self.assertTrue(request.isCheck)
        self.assertEqual(
            request.context, Context("a", False, {"topic": "7"}, grant=NO_LIMITS)
        )
        self.assertEqual(request.address, "198.51.100.3")
        self.assertEqual(request.origin, "https://app.example")

    def test_coroutine(self) -> None:
        """They may take their time."""

        async def decide(request: Any) -> Any:
            await succeed(None)
            return request.context

        server = self.factory(Asked)
        asked(server).decide = decide
        self.assertEqual(self.get("/check?specialKey=a", server).status, 200)

    def test_fails(self) -> None:
        """One that fails is 500 without a word of why; the log has the traceback."""
        for error in (
            RuntimeError("the secret is swordfish"),
            CancelledError("swordfish"),
        ):
            server = self.factory(Asked)
            asked(server).decide = partial(failing, error)
            answer = self.get("/check?specialKey=a", server)
            self.assertEqual(answer.status, 500)
            self.assertNotIn("swordfish", str(answer))
            [failed] = [e for e in self.events if "log_failure" in e]
            self.assertIs(failed["log_failure"].value, error)
            self.events.clear()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_wrongAnswer(self) -> None:
        """So is one that answers nonsense."""
        server = self.factory(Asked)
        asked(server).decide = lambda _: "yes"
        self.assertEqual(self.get("/check?specialKey=a", server).status, 500)


class WaitingTests(SiteTestCase):
    """What happens while an application decides on a check."""

    def setUp(self) -> None:
        """Have a check wait for its decision."""
        super().setUp()
        self.cancelled: list[Deferred[Any]] = []
        self.decision: Deferred[Any] = Deferred(self.cancelled.append)
        self.undecided = self.factory(Asked, handshakeTimeout=5)
        asked(self.undecided).decide = lambda _: self.decision
        self.client_: Client = self.wire(self.undecided)
        self.client_.send(request(target="/check?specialKey=a", headers=HOST))
        self.assertEqual(self.client_.protocol.received, b"")

    def test_answered(self) -> None:
        """It is answered when that is done."""
        self.decision.callback(Context("a"))
        self.client_.flush()
        self.assertEqual(answerOf(self.client_.protocol.received).status, 200)
        self.assertTrue(self.client_.protocol.isLost)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_peerLeaves(self) -> None:
        """Who leaves meanwhile is forgotten, and the decision cancelled."""
        self.client_.leave()
        self.assertEqual(self.cancelled, [self.decision])
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual([e for e in self.events if "log_failure" in e], [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stubborn(self) -> None:
        """A decision that will not be cancelled comes too late, and no more."""
        decision: Deferred[Any] = Deferred()

        async def decide(_: Any) -> Any:
            try:
                await Deferred()
            except CancelledError:
                return await decision

        for late in (Context("a"), Refusal(403, "No."), RuntimeError("late")):
            decision = Deferred()
            asked(self.undecided).decide = decide
            client = self.wire(self.undecided)
            client.send(request(target="/check?specialKey=a", headers=HOST))
            client.leave()
            decision.callback(late)
            self.assertEqual(client.protocol.received, b"")
        self.assertEqual([e for e in self.events if "log_failure" in e], [])
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_timeout(self) -> None:
        """Who waits longer than the handshake may take is dropped."""
        self.advance(5.1)
        self.client_.flush()
        self.assertTrue(self.client_.protocol.isLost)
        self.assertEqual(self.cancelled, [self.decision])
        self.assertEqual(self.flushLoggedErrors(), [])
