"""Tests for L{gows.web.guard}: who may use the operators' door, and from where."""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from gows.access.apikeys import ApiKeys
from gows.web import guard
from gows.web.guard import FAILURES
from tests.doors import (
    FORM,
    HOST,
    KEY,
    OTHER_KEY,
    WRONG_KEY,
    DoorTestCase,
    bearer,
    written,
)

ELSEWHERE = IPv4Address("TCP", "198.51.100.1", 1)
ORIGIN = "https://ops.example"


class KeyTests(DoorTestCase):
    """A request needs a key."""

    def test_good(self) -> None:
        """Each key that counts opens the door; the scheme's case does not matter."""
        for header in (
            f"Bearer {KEY}",
            f"Bearer {OTHER_KEY}",
            f"bearer {KEY}",
            f"BEARER   {KEY} ",
        ):
            answer = self.send("GET", "/api/info", None, {"Authorization": header})
            self.assertEqual(answer.status, 200, header)

    def test_none(self) -> None:
        """Without one nothing is told, not even what there is and what is not."""
        answers = set()
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
            for target in (
                "/",
                "/api/info",
                "/api/nothing",
                "/openapi.json",
                "/x",
                "*",
            ):
                for header in (None, "", "Bearer", "Basic eDp5", KEY, f"Token {KEY}"):
                    answer = self.send(method, target, None, {"Authorization": header})
                    self.assertEqual(answer.status, 401)
                    scheme = answer.headers["www-authenticate"]
                    self.assertEqual(scheme, 'Bearer realm="gows"')
                    answers.add(answer.body)
        self.assertEqual(len(answers - {b""}), 1)
        message = self.assertProblem(self.send("GET", "/api/info"), 401, "unauthorized")
        self.assertIn("Authorization: Bearer KEY", message)

    def test_free(self) -> None:
        """Whether it is alive, and where one signs in, everybody may see."""
        for target in ("/healthz", "/signin", "/signin.css", "/healthz?x=1"):
            self.assertEqual(self.send("GET", target).status, 200, target)

    def test_notQuiteFree(self) -> None:
        """No other way to write a free path is one."""
        for target in ("/healthz/", "//healthz", "/healthz/../api/info", "/%68ealthz"):
            self.assertEqual(self.send("GET", target).status, 401, target)

    def test_wrong(self) -> None:
        """A wrong one is refused, and logged with the address, but not itself."""
        for index, key in enumerate(
            (WRONG_KEY, KEY[:-1], f"{KEY}x", KEY.upper(), "\xff")
        ):
            answer = self.send("GET", "/api/info", None, bearer(key))
            self.assertProblem(answer, 401, "unauthorized")
            lines = [line for line in self.logged() if "wrong API key" in line]
            self.assertEqual(len(lines), index + 1)
        self.assertEqual(lines[0], "a wrong API key came from 203.0.113.7")
        for key in (WRONG_KEY, KEY):
            self.assertNotIn(key[:-1], str(self.logged()))

    def test_twice(self) -> None:
        """Two keys, two hosts, or two origins are none."""
        for name, values in (
            ("Authorization", [f"Bearer {KEY}", f"Bearer {KEY}"]),
            ("Host", [HOST, HOST]),
            ("Origin", [f"http://{HOST}", f"http://{HOST}"]),
            ("Sec-Fetch-Site", ["same-origin", "cross-site"]),
        ):
            answer = self.send("GET", "/api/info", None, {**bearer(), name: values})
            message = self.assertProblem(answer, 400, "bad_request")
            self.assertEqual(message, f"{name} is given more than once.")

    def test_removed(self) -> None:
        """A key that is taken out of the file opens nothing any more."""
        self.assertEqual(self.call("GET", "/api/info").status, 200)
        self.keys = ApiKeys([("ops", OTHER_KEY)])
        self.assertEqual(self.call("GET", "/api/info").status, 401)
        answer = self.send("GET", "/api/info", None, bearer(OTHER_KEY))
        self.assertEqual(answer.status, 200)

    def test_returned(self) -> None:
        """A session ends with its key, though the key may come back."""
        form = {"Content-Type": FORM}
        answer = self.send("POST", "/signin", f"key={KEY}".encode(), form)
        session = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
        keys = self.currentKeys()
        for now, status in (
            (keys, 200),
            (ApiKeys([("ops", OTHER_KEY)]), 401),
            (keys, 401),
        ):
            self.keys = now
            self.door.guard.keysTaken(now)
            found = self.send("GET", "/api/info", None, session)
            self.assertEqual(found.status, status)

    def test_noKeys(self) -> None:
        """Where none are asked for, none is needed, and a wrong one does not matter."""
        self.keys = None
        self.makeDoor(self.chat)
        for headers in ({}, bearer(WRONG_KEY), {"Cookie": "gows_session=x"}):
            self.assertEqual(self.send("GET", "/api/info", None, headers).status, 200)
        self.assertEqual(
            self.send("GET", "/api/info", None, {"Host": "evil.example"}).status, 421
        )

    def test_notHere(self) -> None:
        """A door without keys serves its own host only, whatever stands before it."""
        self.keys = None
        self.makeDoor(self.chat)
        other = IPv4Address("TCP", "203.0.113.9", 1)
        for peer, status in (
            (other, 403),
            (IPv6Address("TCP", "2001:db8::1", 1), 403),
            (IPv6Address("TCP", "::1", 1), 200),
            (IPv4Address("TCP", "127.9.9.9", 1), 200),
            (UNIXAddress(None), 200),
        ):
            answer = self.send("GET", "/api/info", None, {}, peer)
            self.assertEqual(answer.status, status, peer)
        self.assertEqual(self.send("GET", "/healthz", None, {}, other).status, 200)
        headers = {"X-Forwarded-For": "203.0.113.9"}
        self.assertProblem(self.send("GET", "/feed", None, headers), 403, "not_here")
        self.chat = self.factory(trustedProxy=("127.0.0.1",))
        self.makeDoor(self.chat)
        self.assertProblem(self.send("GET", "/feed", None, headers), 403, "not_here")

    def test_letsIn(self) -> None:
        """Who has begun to read the feed is sent away when its key is gone."""
        form = {"Content-Type": FORM}
        answer = self.send("POST", "/signin", f"key={KEY}".encode(), form)
        session = answer.headers["set-cookie"].partition(";")[0]
        readers = [self.connected() for _ in range(3)]
        for reader, headers in zip(
            readers,
            (bearer(), {"Cookie": session}, bearer(OTHER_KEY)),
            strict=True,
        ):
            reader.send(written("GET", "/feed", None, headers))
        self.shows.sampler.startService()
        self.addCleanup(self.shows.sampler.stopService)
        for keys, here in (
            ([("backend", KEY), ("ops", OTHER_KEY)], [True, True, True]),
            ([("ops", OTHER_KEY)], [False, False, True]),
        ):
            self.keys = ApiKeys(keys)
            before = [len(reader.wire.received) for reader in readers]
            self.clock.advance(1)
            for reader in readers:
                reader.pump.flush()
            ends = [reader.wire.received.endswith(b"0\r\n\r\n") for reader in readers]
            self.assertEqual(ends, [not one for one in here])
            grown = [
                b"event: sample" in reader.wire.received[size:]
                for reader, size in zip(readers, before, strict=True)
            ]
            self.assertEqual(grown, here)


class GuessingTests(DoorTestCase):
    """Guesses are few, and do not harm others."""

    def guess(self, key: str = WRONG_KEY, peer: IAddress = ELSEWHERE) -> int:
        """Try a key, and answer the status."""
        answer = self.send("GET", "/api/info", None, bearer(key), peer)
        return answer.status

    def test_slow(self) -> None:
        """Ten at once, then one in five seconds; it is said when to come again."""
        self.assertEqual([self.guess() for _ in range(10)], [401] * 10)
        answer = self.send("GET", "/api/info", None, bearer("x" * 20), ELSEWHERE)
        self.assertProblem(answer, 429, "too_many_keys")
        self.assertEqual(answer.headers["retry-after"], "2")
        self.clock.advance(2)
        self.assertEqual(self.guess(), 401)
        passed = 0
        for _ in range(100):
            self.clock.advance(1)
            passed += self.guess() == 401
        self.assertLessEqual(passed, 100 * FAILURES + 1)
        self.assertGreaterEqual(passed, 100 * FAILURES - 1)

    def test_logged(self) -> None:
        """A burst fills no log: what is refused unseen is not logged."""
        for _ in range(50):
            self.guess()
        lines = [line for line in self.logged() if "wrong API key" in line]
        self.assertEqual(lines[:10], ["a wrong API key came from 198.51.100.1"] * 10)
        self.assertEqual(
            lines[10:],
            ["too many wrong API keys came from 198.51.100.1: it has to wait"],
        )

    def test_evenAGoodOne(self) -> None:
        """Meanwhile a key that never came from there waits: it may be guessed."""
        for _ in range(11):
            self.guess()
        self.assertEqual(self.guess(KEY), 429)
        self.clock.advance(2)
        self.assertEqual(self.guess(KEY), 200)

    def test_known(self) -> None:
        """One that came from there before goes on, and so do other addresses."""
        self.assertEqual(self.guess(KEY), 200)
        for _ in range(30):
            self.guess()
            self.assertEqual(self.guess(KEY), 200)
        self.assertEqual(self.guess(OTHER_KEY), 429)
        self.assertEqual(self.call("GET", "/api/info").status, 200)

    def test_knownAreBounded(self) -> None:
        """Of those who are known the first is forgotten when there are too many."""
        self.patch(guard, "_MAX_KNOWN", 1)
        self.assertEqual(self.guess(KEY), 200)
        self.assertEqual(self.guess(OTHER_KEY), 200)
        for _ in range(11):
            self.guess()
        self.assertEqual((self.guess(KEY), self.guess(OTHER_KEY)), (429, 200))

    def test_knownAndRemoved(self) -> None:
        """A removed key is a wrong one, and then has to wait as others."""
        self.assertEqual(self.guess(KEY), 200)
        self.keys = ApiKeys([("ops", OTHER_KEY)])
        statuses = [self.guess(KEY) for _ in range(12)]
        self.assertEqual(statuses, [401] * 10 + [429] * 2)

    def test_networks(self) -> None:
        """Of IPv6 a network is one guesser; a Unix socket is one too."""
        for number in range(11):
            status = self.guess(peer=IPv6Address("TCP", f"2001:db8::{number}", 1))
        self.assertEqual(status, 429)
        for _ in range(11):
            status = self.guess(peer=UNIXAddress(None))
        self.assertEqual(status, 429)

    def test_proxy(self) -> None:
        """Behind a trusted proxy the client's own address counts; else it does not."""
        for trusted, wanted in (((), 429), (("198.51.100.1",), 401)):
            self.makeDoor(self.factory(trustedProxy=trusted))
            for number in range(11):
                headers = {"X-Forwarded-For": f"192.0.2.{number}", **bearer(WRONG_KEY)}
                answer = self.send("GET", "/api/info", None, headers, ELSEWHERE)
            self.assertEqual(answer.status, wanted)

    def test_oddForwarded(self) -> None:
        """A header of the proxy's that is no text is no address."""
        self.makeDoor(self.factory(trustedProxy=("198.51.100.1",)))
        headers = {"X-Forwarded-For": "\xff", **bearer()}
        answer = self.send("GET", "/api/info", None, headers, ELSEWHERE)
        self.assertEqual(answer.status, 200)


class PlaceTests(DoorTestCase):
    """From where a request comes."""

    def setUp(self) -> None:
        """Allow a page and a name, and ask for no keys."""
        super().setUp()
        self.keys = None
        self.makeDoor(self.chat, adminOrigin=(ORIGIN,), adminHost=("ops.example",))

    def get(self, method: str = "GET", **headers: str | None) -> int:
        """Ask for something, and answer the status."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(method, "/api/info", None, named).status

    def test_rebinding(self) -> None:
        """A page that has its own name lead here gets nothing that tells anything."""
        for host in ("evil.example", "evil.example:8889", None, "\xff"):
            for target in ("/api/info", "/feed", "/signin", "/nowhere"):
                answer = self.send("GET", target, None, {"Host": host})
                self.assertIn(answer.status, (400, 421))
        answer = self.send("GET", "/api/info", None, {"Host": "evil.example"})
        self.assertIn("admin-host", self.assertProblem(answer, 421, "wrong_host"))
        for host in ("ops.example", "localhost:1", "[::1]:8889", "192.0.2.1"):
            self.assertEqual(self.get(Host=host), 200)

    def test_probes(self) -> None:
        """What probes ask is answered under any name: they use what they have."""
        for host in ("evil.example", "gows.internal:8889", "10.0.0.1"):
            for target in ("/healthz", "/readyz"):
                headers = {"Host": host, "Origin": "http://evil.example"}
                answer = self.send("GET", target, None, headers)
                self.assertEqual(answer.status, 200)
                self.assertNotIn("access-control-allow-origin", answer.headers)

    def test_otherOrigins(self) -> None:
        """Pages elsewhere, sandboxed ones among them, may not call."""
        for origin in ("null", "http://evil.example", "http://127.0.0.1:3000", "\xff"):
            for method in ("GET", "POST", "OPTIONS"):
                answer = self.send(method, "/api/publish", {}, {"Origin": origin})
                self.assertProblem(answer, 403, "cross_site")
                self.assertNotIn("access-control-allow-origin", answer.headers)

    def test_ownOrigin(self) -> None:
        """Its own pages may."""
        self.assertEqual(self.get(Origin=f"http://{HOST}"), 200)
        self.assertEqual(self.get(Host="ops.example", Origin=ORIGIN), 200)

    def test_fetchMetadata(self) -> None:
        """A browser says where a request without Origin comes from."""
        for site, mode, method, status in (
            ("same-origin", "cors", "GET", 200),
            ("none", "navigate", "GET", 200),
            ("cross-site", "navigate", "GET", 200),
            ("cross-site", "no-cors", "GET", 403),
            ("same-site", "no-cors", "GET", 403),
            ("cross-site", None, "GET", 403),
            ("cross-site", "navigate", "POST", 403),
            ("same-site", "navigate", "POST", 403),
        ):
            found = self.get(method, Sec_Fetch_Site=site, Sec_Fetch_Mode=mode)
            self.assertEqual(found, status, (site, mode, method))

    def test_cors(self) -> None:
        """A page that is allowed may call, and read the answer, refusals too."""
        for target, status in (("/api/info", 200), ("/api/nothing", 404)):
            headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}
            answer = self.send("GET", target, None, headers)
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.headers["access-control-allow-origin"], ORIGIN)
            self.assertEqual(answer.headers["vary"], "Origin")
            self.assertNotIn("access-control-allow-credentials", answer.headers)

    def test_preflight(self) -> None:
        """Its browser asks before, without a key."""
        self.keys = ApiKeys([("backend", KEY)])
        self.makeDoor(self.chat, adminOrigin=(ORIGIN,))
        headers = {
            "Origin": ORIGIN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        answer = self.send("OPTIONS", "/api/publish", None, headers)
        self.assertEqual((answer.status, answer.body), (200, b""))
        self.assertEqual(answer.headers["access-control-allow-origin"], ORIGIN)
        self.assertEqual(answer.headers["access-control-allow-methods"], "GET, POST")
        allowed = answer.headers["access-control-allow-headers"]
        self.assertEqual(allowed, "Authorization, Content-Type, Idempotency-Key")
        self.assertEqual(self.send("GET", "/api/info", None, headers).status, 401)

    def test_noCors(self) -> None:
        """Nobody elsewhere may where nobody was named."""
        self.makeDoor(self.chat)
        self.assertEqual(self.get(Origin=ORIGIN), 403)
        self.assertEqual(self.get("OPTIONS", Origin=ORIGIN), 403)
