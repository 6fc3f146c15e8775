"""Tests for L{gows.web.signin}: a key, for a cookie."""

from __future__ import annotations

from urllib.parse import urlencode

from gows.access.apikeys import ApiKeys
from gows.web.sessions import LIFETIME
from tests.doors import FORM, HOST, KEY, OTHER_KEY, WRONG_KEY, DoorTestCase
from tests.memory import Answer


class SignInTestCase(DoorTestCase):
    """Tests with a form."""

    def signIn(self, body: bytes | dict[str, str], **headers: str | None) -> Answer:
        """Send the form, as it is or with these fields."""
        raw = body if isinstance(body, bytes) else urlencode(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", "/signin", raw, {"Content-Type": FORM, **named})

    def cookie(self, key: str = KEY) -> str:
        """Sign in, and answer what a browser sends back from then on."""
        answer = self.signIn({"key": key})
        self.assertEqual(answer.status, 303, answer.body)
        return answer.headers["set-cookie"].partition(";")[0]

    def info(self, cookie: str, **headers: str) -> Answer:
        """Ask for something with a cookie."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("GET", "/api/info", None, {"Cookie": cookie, **named})


class PageTests(SignInTestCase):
    """The page with the form."""

    def test_page(self) -> None:
        """It has a form; nothing is loaded from elsewhere, and nobody frames it."""
        answer = self.send("GET", "/signin")
        self.assertEqual(answer.headers["content-type"], "text/html; charset=utf-8")
        self.assertIn(b'type="password"', answer.body)
        self.assertNotIn(b"{fault}", answer.body)
        policy = answer.headers["content-security-policy"]
        for rule in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
            self.assertIn(rule, policy)

    def test_style(self) -> None:
        """Its style is served, as such."""
        answer = self.send("GET", "/signin.css")
        self.assertEqual(answer.headers["content-type"], "text/css; charset=utf-8")
        self.assertIn(b"{", answer.body)

    def test_noKeys(self) -> None:
        """Where no keys are asked for, there is nothing to sign in for."""
        self.keys = None
        self.makeDoor(self.chat)
        for answer in (self.send("GET", "/signin"), self.signIn({"key": KEY})):
            self.assertEqual((answer.status, answer.headers["location"]), (303, "/"))
            self.assertNotIn("set-cookie", answer.headers)


class SessionTests(SignInTestCase):
    """Who has signed in needs no key."""

    def test_cookie(self) -> None:
        """The cookie is out of reach for scripts and other sites, and ends."""
        answer = self.signIn({"key": f" {KEY} "})
        self.assertEqual((answer.status, answer.headers["location"]), (303, "/"))
        name, *rules = answer.headers["set-cookie"].split("; ")
        self.assertRegex(name, r"\Agows_session=[\w-]{43}\Z")
        lowered = {rule.lower() for rule in rules}
        self.assertEqual(
            lowered,
            {"max-age=43200", "path=/", "httponly", "samesite=strict"},
        )

    def test_used(self) -> None:
        """It opens the door, among others' cookies too, and is asked for in JSON."""
        cookie = self.cookie()
        for cookies in (cookie, f"a=b; {cookie}; c"):
            self.assertEqual(self.info(cookies).status, 200)

    def test_wrong(self) -> None:
        """Any other opens nothing."""
        cookie = self.cookie()
        for wrong in (
            *("gows_session=", "gows_session=x", cookie[:-1], f"{cookie}x"),
            *(cookie.upper(), "gows_session=\xff", f"x{cookie}", "gows_session"),
        ):
            self.assertProblem(self.info(wrong), 401, "unauthorized")

    def test_expired(self) -> None:
        """It ends after twelve hours."""
        cookie = self.cookie()
        self.clock.advance(LIFETIME)
        message = self.assertProblem(self.info(cookie), 401, "unauthorized")
        self.assertIn("sign in again", message)

    def test_removedKey(self) -> None:
        """It ends with its key, at once."""
        one, other = self.cookie(), self.cookie(OTHER_KEY)
        self.keys = ApiKeys([("ops", OTHER_KEY)])
        self.assertEqual(self.info(one).status, 401)
        self.assertEqual(self.info(other).status, 200)

    def test_keyWins(self) -> None:
        """Where a key comes too, that counts."""
        answer = self.info(self.cookie(), Authorization=f"Bearer {WRONG_KEY}")
        self.assertEqual(answer.status, 401)

    def test_otherSites(self) -> None:
        """A page elsewhere, or on another port here, cannot use it."""
        cookie = self.cookie()
        for headers in (
            {"Origin": "http://127.0.0.1:3000"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
        ):
            self.assertEqual(self.info(cookie, **headers).status, 403)
        self.assertEqual(self.info(cookie, Origin=f"http://{HOST}").status, 200)


class RefusedTests(SignInTestCase):
    """Who does not get in."""

    def test_wrongKey(self) -> None:
        """A wrong key shows the form again, with what is wrong."""
        answer = self.signIn({"key": WRONG_KEY})
        self.assertEqual(answer.status, 401)
        self.assertIn(b"The API key is wrong.", answer.body)
        self.assertNotIn("set-cookie", answer.headers)
        self.assertNotIn(WRONG_KEY.encode(), answer.body)
        self.assertIn("a wrong API key came from 203.0.113.7", self.logged())

    def test_guessing(self) -> None:
        """Guesses here count with those elsewhere."""
        for _ in range(10):
            self.assertEqual(self.signIn({"key": "<b>"}).status, 401)
        answer = self.signIn({"key": "<b>"})
        self.assertEqual(answer.status, 429)
        self.assertIn("retry-after", answer.headers)
        self.assertNotIn(b"<b>", answer.body)

    def test_odd(self) -> None:
        """What is no form with one key is none."""
        for body in (
            *(b"", b"x", b"key", b"key=", b"key=+", b"other=x", b"key=a&key=b"),
            *(b"key=%", b"key=%ff", b"\0" * 4000, b"key=" + b"a" * 4096),
            *(b"a&" * (1 << 19), b"a" * (1 << 21)),
        ):
            answer = self.signIn(body)
            self.assertEqual(answer.status, 400, body[:20])
            self.assertIn(b"Write a key.", answer.body)

    def test_multipart(self) -> None:
        """Forms of other kinds are not looked at."""
        body = b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--x--'
        for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "x"):
            self.assertEqual(self.signIn(body, Content_Type=kind).status, 400)

    def test_otherSite(self) -> None:
        """Nobody is signed in by another site."""
        answer = self.signIn({"key": KEY}, Origin="http://evil.example")
        self.assertProblem(answer, 403, "cross_site")


class SignOutTests(SignInTestCase):
    """Who signs out."""

    def test_out(self) -> None:
        """The session ends, and the cookie goes."""
        cookie = self.cookie()
        answer = self.send("POST", "/signout", None, {"Cookie": cookie})
        self.assertEqual((answer.status, answer.headers["location"]), (303, "/signin"))
        self.assertIn("gows_session=;", answer.headers["set-cookie"])
        self.assertIn("max-age=0", answer.headers["set-cookie"].lower())
        self.assertEqual(self.info(cookie).status, 401)

    def test_withKey(self) -> None:
        """Who never signed in may sign out as well."""
        self.assertEqual(self.call("POST", "/signout").status, 303)

    def test_links(self) -> None:
        """A link does not sign out."""
        cookie = self.cookie()
        for method in ("GET", "HEAD", "PUT"):
            answer = self.send(method, "/signout", None, {"Cookie": cookie})
            self.assertEqual(answer.status, 405)
            self.assertEqual(answer.headers["allow"], "POST")
        self.assertEqual(self.info(cookie).status, 200)
