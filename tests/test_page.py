"""Tests for the chat page: a real browser, a real server, what a user sees."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
from twisted.trial.unittest import SynchronousTestCase
from websockets.typing import Subprotocol

from tests.support import TIMEOUT, Server, fingerprint, selfSigned, webSocket
from tests.tokens import encrypted, privateJwk, privateKey, publicPem, written

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    HAS_PLAYWRIGHT = False
else:
    HAS_PLAYWRIGHT = True

if TYPE_CHECKING:
    from playwright.sync_api import (
        Locator,
        Page,
        StorageState,
        ViewportSize,
        WebSocket,
        WebSocketRoute,
    )

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PHONE: ViewportSize = {"width": 360, "height": 640}
SHOWN = ".log:not([hidden])"
"""The log of the conversation that is in sight."""

DEADLINE = 15_000
"""Milliseconds that a browser on a busy machine may take for anything."""


def browserPath() -> str | None:
    """Find an installed browser that speaks Chromium's protocol."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def whyNot() -> str | None:
    """Say what is missing for these tests, if anything is."""
    if not HAS_PLAYWRIGHT:
        return "playwright is not installed"
    if browserPath() is None:
        return f"no browser is installed: none of {', '.join(BROWSERS)}"
    return None


class PageCase(SynchronousTestCase):
    """
    Opens the page in browsers of its own.

    @ivar complaints: what the browser's consoles said
    @ivar certificate: the PEM files of a certificate that they trust, and of its key
    """

    skip = whyNot()

    def setUp(self) -> None:
        """Start a browser: its pages share nothing with those of other tests."""
        self.complaints: list[str] = []
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        cert, key = selfSigned(folder)
        self.certificate = str(cert), str(key)
        # Where Chromium ignores errors of a certificate it tries each connection anew,
        # and after some 30 gives up; this one is none.
        trusted = f"--ignore-certificate-errors-spki-list={fingerprint(cert)}"
        driver = self.enterContext(sync_playwright())
        self.browser = driver.chromium.launch(
            executable_path=browserPath(), args=[*FLAGS, trusted]
        )
        self.addCleanup(self.browser.close)
        expect.set_options(timeout=DEADLINE)

    def serve(self, *arguments: str, secure: bool = False) -> Server:
        """Run a server until the test is over; over TLS, if that is asked for."""
        if secure:
            cert, key = self.certificate
            arguments = (*arguments, "--cert", cert, "--key", key)
        return self.enterContext(Server(*arguments, secure=secure))

    def open(
        self, server: Server, isPhone: bool = False, where: str = "", name: str = ""
    ) -> Page:
        """
        Open the page as somebody who has never been there, or has had a name.

        @param where: what stands behind the page's address
        """
        kept: StorageState = {"origins": []}
        if name:
            kept["origins"] = [
                {
                    "origin": server.url[:-1],
                    "localStorage": [{"name": "gows.name", "value": name}],
                }
            ]
        context = self.browser.new_context(
            viewport=PHONE if isPhone else None, storage_state=kept
        )
        page = context.new_page()
        page.set_default_timeout(DEADLINE)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(server.url + where)
        return page

    def join(self, server: Server, name: str, where: str = "") -> Page:
        """Open the page as somebody who has a name, and wait until it has connected."""
        page = self.open(server, where=where, name=name)
        expect(page.locator("#status")).to_have_text(f"Connected as {name}")
        return page


def rename(page: Page, name: str) -> None:
    """Type another name and wait until the page has connected with it."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Name").press("Enter")
    expect(page.locator("#status")).to_have_text(f"Connected as {name}")


def say(page: Page, text: str) -> None:
    """Write a message and send it."""
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def joinRoom(page: Page, room: str) -> None:
    """Go to a room by the form."""
    page.get_by_label("Room to join").fill(room)
    page.get_by_role("button", name="Join").click()
    expect(page.locator("#title")).to_have_text(f"#{room}")


def link(page: Page, name: str) -> Locator:
    """Find a conversation in the list."""
    return page.get_by_role("navigation").get_by_role("link", name=name)


def expectPeople(page: Page, *names: str) -> None:
    """Wait until the panel shows exactly these people, in this order."""
    expect(page.locator("#people-keys bdi")).to_have_text(names)


def signIn(page: Page, token: str) -> None:
    """Paste a token into the dialog and send it off."""
    page.get_by_label("Token").fill(token)
    page.get_by_role("dialog").get_by_role("button", name="Sign in").click()


def tokenFor(name: str, lifetime: float = 3600, **claims: Any) -> str:
    """Make a token with PyJWT."""
    whole = {"sub": name, "exp": time.time() + lifetime, **claims}
    return jwt.encode(whole, privateKey("EdDSA"), "EdDSA")


def sendAll(page: Page, server: Server, texts: list[str]) -> None:
    """Send messages in one go, through a connection beside the page's own."""
    page.evaluate(
        "([url, texts]) => new Promise((done, failed) => {"
        "  const socket = new WebSocket(url);"
        "  socket.onopen = () => {"
        "    texts.forEach(text => socket.send(text));"
        "    socket.close();"
        "  };"
        "  socket.onerror = failed;"
        "  socket.onclose = done;"
        "})",
        [f"{server.wsUrl}?specialKey=bot", texts],
    )


def expectLast(page: Page, author: str, text: str) -> None:
    """Wait until the newest message is this one."""
    last = page.locator(f"{SHOWN} .message").last
    expect(last.locator(".author")).to_have_text(author)
    expect(last.locator(".said")).to_have_text(text)


def pretendToReturn(page: Page) -> None:
    """Make a page believe that it was hidden, and that the network is back."""
    page.evaluate(
        "document.dispatchEvent(new Event('visibilitychange'));"
        "window.dispatchEvent(new Event('online'))"
    )


class ChatTests(PageCase):
    """People who open the page talk with each other."""

    def test_twoTabsChat(self) -> None:
        """Two tabs of one browser are two people, until somebody takes a name."""
        first = self.open(self.serve())
        expect(first.locator("#status")).to_contain_text("Connected as guest-")
        second = first.context.new_page()
        second.goto(first.url)
        expect(second.locator("#status")).to_contain_text("Connected as guest-")
        say(second, "hello, first tab")
        expectLast(first, second.get_by_label("Name").input_value(), "hello, first tab")

    def test_twoPagesChat(self) -> None:
        """Whoever opens the page chats at once; own messages look different."""
        server = self.serve()
        ada, bob = self.join(server, "ada"), self.open(server)
        expect(bob.locator("#status")).to_contain_text("Connected as guest-")
        guest = bob.get_by_label("Name").input_value()
        self.assertRegex(guest, r"^guest-\d{5}$")

        say(ada, "hello")
        for page in (ada, bob):
            expectLast(page, "ada", "hello")
        say(bob, "hi ada: how are you?")
        for page in (ada, bob):
            expectLast(page, guest, "hi ada: how are you?")

        expect(ada.locator(".own .said")).to_have_text(["hello"])
        expect(bob.locator(".own .said")).to_have_text(["hi ada: how are you?"])
        self.assertEqual(self.complaints, [])

    def test_secure(self) -> None:
        """Over TLS the page is served, and opens its WebSocket, as without."""
        server = self.serve(secure=True)
        ada, bob = self.join(server, "ada"), self.join(server, "bob")
        say(ada, "hello")
        for page in (ada, bob):
            expectLast(page, "ada", "hello")
        self.assertEqual(self.complaints, [])

    def test_gzip(self) -> None:
        """With the gzip switch on, the same messages appear in the same order."""
        server = self.serve()
        ada, bob = self.join(server, "ada"), self.join(server, "bob")
        frames: list[str | bytes] = []

        def watch(socket: WebSocket) -> None:
            socket.on("framereceived", keep)

        def keep(frame: str | bytes) -> None:
            frames.append(frame)

        bob.on("websocket", watch)
        bob.get_by_label("gzip").check()
        expect(bob.locator("#status")).to_have_text("Connected as bob")
        said = ["žluťoučký kůň", "long " * 10_000 + "end", "úpěl 🎶"]
        sendAll(ada, server, said)

        for page in (ada, bob):
            expect(page.locator(".said")).to_have_text(said)
        self.assertEqual({type(frame) for frame in frames}, {bytes})
        self.assertEqual(self.complaints, [])

    def test_markup(self) -> None:
        """Markup in a message or a name is text to read and does nothing."""
        server = self.serve()
        name = "<i>eve</i>"
        eve, bob = self.join(server, name), self.join(server, "bob")
        markup = "<img src=x onerror=\"document.title='stolen'\"><b>bold</b>"

        say(eve, markup)

        expectLast(bob, name, markup)
        self.assertEqual(bob.locator(f"{SHOWN} :is(img, b, i)").count(), 0)
        self.assertEqual(bob.title(), "gows chat")
        self.assertEqual(self.complaints, [])

    def test_name(self) -> None:
        """
        Who comes back to the page still has the name chosen last.

        A name of blanks changes nothing; blanks around a name do not count.
        """
        page = self.open(self.serve())
        field, status = page.get_by_label("Name"), page.locator("#status")
        expect(status).to_contain_text("Connected as guest-")
        rename(page, "ada")

        field.fill("   ")
        field.press("Enter")
        expect(field).to_have_value("ada")
        field.fill("  Zoë & friends? ")
        field.press("Enter")
        expect(status).to_have_text("Connected as Zoë & friends?")
        expect(field).to_have_value("Zoë & friends?")
        page.reload()
        expect(status).to_have_text("Connected as Zoë & friends?")
        self.assertEqual(self.complaints, [])

    def test_readingBack(self) -> None:
        """Who reads older messages is not torn away by new ones; 500 are kept."""
        server = self.serve()
        ada, bob = self.join(server, "ada"), self.join(server, "bob")

        sendAll(bob, server, [str(number) for number in range(505)])
        expectLast(ada, "bot", "504")
        expect(ada.locator(".said")).to_have_count(500)
        expect(ada.locator(".said").last).to_be_in_viewport()

        ada.locator(SHOWN).evaluate("log => log.scrollTo(0, 1000)")
        expect(ada.locator(".said").last).not_to_be_in_viewport()
        say(bob, "news")
        newer = ada.get_by_role("button", name="New messages")
        expect(newer).to_be_visible()
        expect(ada.locator(".said").last).not_to_be_in_viewport()
        newer.click()
        expectLast(ada, "bob", "news")
        expect(ada.locator(".said").last).to_be_in_viewport()
        expect(newer).to_be_hidden()

    def test_phone(self) -> None:
        """On a phone everything fits the width, however long a word is."""
        page = self.open(self.serve(), isPhone=True, where="#room=" + "r" * 64)
        expect(page.locator("#status")).to_contain_text("Connected as")
        rename(page, "N" * 128)

        say(page, "w" * 500)

        expectLast(page, "N" * 128, "w" * 500)
        for part in ("html", SHOWN):
            overflow = page.locator(part).evaluate(
                "it => it.scrollWidth - it.clientWidth"
            )
            self.assertEqual(overflow, 0, part)
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport(
            ratio=1
        )
        expect(page.get_by_label("gzip")).to_be_in_viewport(ratio=1)
        for drawer, inside in (("People", "#people-keys"), ("Conversations", "#rooms")):
            expect(page.locator(inside)).to_be_hidden()
            page.get_by_role("button", name=drawer).click()
            expect(page.locator(inside)).to_be_in_viewport(ratio=1)
            if drawer == "People":
                page.keyboard.press("Escape")
        link(page, "Everyone").click()
        expect(page.locator("#rooms")).to_be_hidden()
        expect(page.locator("#title")).to_have_text("Everyone")
        self.assertEqual(self.complaints, [])


class RoomTests(PageCase):
    """Rooms, who is in them, and messages to one person."""

    def test_room(self) -> None:
        """
        Who is in a room hears it; who is not does not, and others count as unread.

        A link leads to it; on coming back to the page one is still there.
        """
        server = self.serve()
        ada, eve = self.join(server, "ada"), self.join(server, "eve")
        bob = self.join(server, "bob", "#room=lobby")
        expect(bob.locator("#title")).to_have_text("#lobby")
        joinRoom(ada, "lobby")
        expectPeople(ada, "ada", "bob")

        say(ada, "just us")
        for page in (ada, bob):
            expectLast(page, "ada", "just us")
        link(ada, "Everyone").click()
        for text in ("one", "two"):
            say(bob, text)
        expect(link(ada, "lobby").locator(".badge")).to_have_text("2 unread")
        self.assertEqual(ada.title(), "(2) gows chat")
        say(ada, "to all")
        for page in (ada, eve):
            expect(page.locator(f"{SHOWN} .said")).to_have_text(["to all"])
        expect(link(bob, "Everyone").locator(".badge")).to_have_text("1 unread")

        ada.go_back()
        expect(link(ada, "lobby")).to_have_attribute("aria-current", "page")
        expect(ada.locator(f"{SHOWN} .said")).to_have_text(["just us", "one", "two"])
        expect(link(ada, "lobby").locator(".badge")).to_be_hidden()
        ada.reload()
        expectPeople(ada, "ada", "bob")
        say(bob, "welcome back")
        expectLast(ada, "bob", "welcome back")

        ada.get_by_role("button", name="Leave").click()
        expect(ada.locator("#title")).to_have_text("Everyone")
        expect(link(ada, "lobby")).to_have_count(0)
        self.assertEqual(self.complaints, [])

    def test_roomOfTheURL(self) -> None:
        """?room= leads to a room, too; a name that none can have is explained."""
        server = self.serve("--max-rooms", "1")
        page = self.open(server, where="?room=lobby")
        expect(page.locator("#title")).to_have_text("#lobby")

        for room, refusal in (("no room!", "1 to 64 letters"), ("b", "as many rooms")):
            page.get_by_label("Room to join").fill(room)
            page.get_by_role("button", name="Join").click()
            expect(page.get_by_role("alert")).to_contain_text(refusal)
        expect(page.locator("#title")).to_have_text("#lobby")
        self.assertEqual(self.complaints, [])

    def test_presence(self) -> None:
        """The panel follows who comes and goes, with names or as a number."""
        server = self.serve("--presence-limit", "2")
        ada = self.join(server, "ada", "#room=den")
        expectPeople(ada, "ada")
        query = "specialKey={}&room=den"

        with webSocket(server.wsUrl, query.format("bob")):
            expectPeople(ada, "ada", "bob")
            with webSocket(server.wsUrl, query.format("eve")):
                expect(ada.locator("#people-count")).to_have_text("3 people")
                expectPeople(ada)
        expectPeople(ada, "ada")
        self.assertEqual(self.complaints, [])

    def test_direct(self) -> None:
        """A click on a name begins a conversation that nobody else hears."""
        server = self.serve()
        ada, bob, eve = (self.join(server, name) for name in ("ada", "bob", "eve"))
        say(ada, "hello")
        for page in (bob, eve):
            expectLast(page, "ada", "hello")

        bob.locator(".author[href]").click()
        expect(bob.locator("#title")).to_have_text("ada")
        say(bob, "psst")
        expect(bob.locator(".own")).to_have_attribute("data-state", "sent")
        link(ada, "bob 1 unread").click()
        expectLast(ada, "bob", "psst")
        say(ada, "yes?")
        expectLast(bob, "ada", "yes?")
        expect(eve.locator(".said")).to_have_text(["hello"])

        ada.evaluate("location.hash = '#with=nobody'")
        expect(ada.locator("#title")).to_have_text("nobody")
        say(ada, "still there?")
        expect(ada.locator(".problem")).to_contain_text("Nobody of that key")
        self.assertEqual(self.complaints, [])

    def test_rawClient(self) -> None:
        """Raw clients and the page hear one another; of others all JSON is shown."""
        server = self.serve()
        ada = self.join(server, "ada", "#room=den")
        expectPeople(ada, "ada")
        protocols = [Subprotocol("gows.v1")]
        with (
            webSocket(server.wsUrl, "specialKey=raw&room=den") as raw,
            webSocket(server.wsUrl, "specialKey=v1", subprotocols=protocols) as v1,
        ):
            expectPeople(ada, "ada", "raw")
            raw.send("a: b")
            expectLast(ada, "raw", "a: b")
            self.assertEqual(raw.recv(TIMEOUT), "a: b")
            say(ada, 'say "hi"')
            self.assertEqual(raw.recv(TIMEOUT), 'say "hi"')
            data = {"n": [1, None]}
            to = {"room": "den"}
            v1.send(json.dumps({"type": "publish", "to": to, "data": data}))
            expectLast(ada, "v1", '{"n":[1,null]}')
        self.assertEqual(self.complaints, [])

    def test_tooFast(self) -> None:
        """A message that came too early is marked so, and can be sent again."""
        server = self.serve("--rate", "0.25")
        page = self.open(server)
        expect(page.locator("#people-count")).to_have_text("1 person")

        say(page, "too early")
        expect(page.locator(".problem")).to_contain_text("Too fast: go on in")
        page.get_by_role("button", name="Send again").click()
        expect(page.locator("[data-state=sent]")).to_contain_text("too early")


class SignInTests(PageCase):
    """Where the server asks for tokens."""

    def setUp(self) -> None:
        """Start a server with a key."""
        super().setUp()
        key = written(Path(self.mktemp()).resolve(), publicPem(privateKey("EdDSA")))
        self.server = self.serve("--token-key", key, "--token-leeway", "0")

    def enter(self, token: str) -> Page:
        """Open the page and sign in."""
        page = self.open(self.server)
        expect(page.get_by_role("dialog")).to_be_visible()
        signIn(page, token)
        expect(page.get_by_role("dialog")).to_be_hidden()
        return page

    def expectComplaints(self) -> None:
        """Check that the console has nothing but what browsers say of a 401."""
        for text in self.complaints:
            self.assertRegex(text, "401|WebSocket connection to .* failed")

    def test_signIn(self) -> None:
        """
        The dialog opens by itself, shows why a token is refused, and takes a good one.

        The token's name counts; it stays over a reload, and ends with signing out.
        """
        page = self.open(self.server)
        expect(page.locator("#status")).to_have_text("This server asks for a token")
        signIn(page, tokenFor("ada") + "x")
        expect(page.get_by_role("alert")).to_contain_text("wrong signature")
        signIn(page, tokenFor("ada"))
        expect(page.locator("#status")).to_have_text("Connected as ada")
        name = page.get_by_label("Name")
        expect(name).to_have_value("ada")
        expect(name).not_to_be_editable()

        page.reload()
        expect(page.locator("#status")).to_have_text("Connected as ada")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.get_by_role("button", name="Not now").click()
        page.reload()
        expect(page.locator("#status")).to_have_text("This server asks for a token")
        self.expectComplaints()

    def test_refresh(self) -> None:
        """A minute before a token ends the page asks for the next, and goes on."""
        page = self.open(self.server)
        page.clock.install()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        openings: list[str] = []
        page.on("websocket", lambda socket: openings.append(socket.url))
        signIn(page, tokenFor("ada"))
        expect(page.locator("#status")).to_have_text("Connected as ada")
        expect(dialog).to_be_hidden()

        page.clock.fast_forward("59:30")
        expect(dialog).to_contain_text("about to expire")
        signIn(page, tokenFor("eve"))
        expect(page.get_by_role("alert")).to_contain_text("another person")
        signIn(page, tokenFor("ada", rooms={"*": "r"}))
        expect(dialog).to_be_hidden()
        expect(page.get_by_label("Message", exact=True)).to_be_disabled()
        self.assertEqual(len(openings), 1)
        self.expectComplaints()

    def test_expired(self) -> None:
        """When a token has ended the page asks for another, and keeps what was said."""
        page = self.enter(tokenFor("ada", 4))
        say(page, "in time")
        expect(page.locator(".own")).to_have_attribute("data-state", "sent")

        expect(page.locator("#status")).to_have_text("The token has expired")
        expect(page.get_by_role("dialog")).to_contain_text("The token has expired")
        signIn(page, tokenFor("ada"))
        expect(page.locator("#status")).to_have_text("Connected as ada")
        expect(page.locator(".said")).to_have_text(["in time"])
        expect(page.locator(".notice")).to_contain_text("Connected again")
        self.expectComplaints()

    def test_rights(self) -> None:
        """Rooms of a token are joined; where one may not write, the page says so."""
        rooms = {"lobby": "rw", "news": "r", "lab.*": "r"}
        ada = self.enter(tokenFor("ada", rooms=rooms))
        expect(ada.locator("#title")).to_have_text("#lobby")
        expect(link(ada, "Everyone")).to_have_count(0)
        say(ada, "hello")
        expectLast(ada, "ada", "hello")

        draft = ada.get_by_label("Message", exact=True)
        link(ada, "news").click()
        expect(draft).to_be_disabled()
        expect(draft).to_have_attribute("placeholder", "You may only read here")
        ada.evaluate("location.hash = '#with=bob'")
        expect(ada.locator("#title")).to_have_text("bob")
        expect(draft).to_have_attribute("placeholder", "No direct messages allowed")
        ada.get_by_label("Room to join").fill("secret")
        ada.get_by_role("button", name="Join").click()
        expect(ada.get_by_role("alert")).to_contain_text("The token does not allow it")
        self.expectComplaints()

    def test_encryptedToken(self) -> None:
        """Of a token that the page cannot read the server's refusal is shown."""
        key = written(Path(self.mktemp()).resolve(), privateJwk("dir"))
        self.server = self.serve("--token-key", key)
        claims = {"sub": "ada", "exp": time.time() + 60, "rooms": {"*": "r"}}
        header = {"alg": "dir", "enc": "A256GCM"}
        payload = json.dumps(claims).encode()
        page = self.enter(encrypted(payload, header, privateKey("dir")))

        say(page, "may I?")

        expect(page.locator(".problem")).to_contain_text("The token does not allow it")
        expect(page.get_by_label("Message", exact=True)).to_be_disabled()
        self.expectComplaints()


class ReconnectTests(PageCase):
    """What the page says and does when it has no connection."""

    def test_replaced(self) -> None:
        """
        A page whose name is taken over says so and leaves it at that.

        The one that took over keeps the name until the user of the first page
        wants it back.
        """
        server = self.serve()
        first = self.join(server, "ada")
        first.clock.install()
        openings: list[str] = []
        first.on("websocket", lambda socket: openings.append(socket.url))
        second = self.join(server, "ada")

        expect(first.locator("#status")).to_contain_text("Replaced by a newer")
        expect(first.get_by_role("button", name="Send", exact=True)).to_be_disabled()
        first.clock.fast_forward("01:00")
        pretendToReturn(first)
        say(second, "still here")
        expectLast(second, "ada", "still here")
        expect(first.locator("#status")).to_contain_text("Replaced by a newer")
        expect(second.locator("#status")).to_have_text("Connected as ada")
        self.assertEqual(openings, [])

        first.get_by_role("button", name="Use it here").click()
        expect(first.locator("#status")).to_have_text("Connected as ada")
        expect(second.locator("#status")).to_contain_text("Replaced by a newer")

    def test_serverComesBack(self) -> None:
        """
        When the server dies, the page says so and comes back by itself.

        What was being written stays, and can be sent after that.
        """
        with Server() as server:
            page = self.join(server, "ada")
            server.kill()
            expect(page.locator("#status")).to_contain_text("Disconnected")
            expect(page.get_by_role("button", name="Connect now")).to_be_visible()
            draft = page.get_by_label("Message", exact=True)
            draft.fill("half a thought")
            draft.press("Enter")
            expect(page.get_by_role("button", name="Send", exact=True)).to_be_disabled()

        with Server(port=server.port):
            expect(page.locator("#status")).to_have_text("Connected as ada")
            expect(draft).to_have_value("half a thought")
            expect(page.locator(".notice")).to_contain_text("Connected again")
            draft.press("Enter")
            expectLast(page, "ada", "half a thought")
            expect(draft).to_have_value("")

    def test_restart(self) -> None:
        """When the server stops in order, the page says that it is restarting."""
        server = self.serve()
        page = self.join(server, "ada")
        page.evaluate(
            "new MutationObserver((_, observer) => {"
            "  document.body.dataset.first ="
            "    document.getElementById('status').textContent;"
            "  observer.disconnect();"
            "}).observe(document.getElementById('status'), {childList: true})"
        )

        server.terminate()

        expect(page.locator("body")).to_have_attribute(
            "data-first", "The server is restarting, trying again"
        )

    def test_serverSays(self) -> None:
        """What the server says of missing messages, and of when to come back."""
        server = self.serve()
        page = self.join(server, "ada")
        page.clock.install()
        lines: list[WebSocketRoute] = []

        def attach(line: WebSocketRoute) -> None:
            line.connect_to_server()
            lines.append(line)

        page.route_web_socket(re.compile("^ws"), attach)
        page.get_by_label("gzip").check()
        status = page.locator("#status")
        expectPeople(page, "ada")
        [line] = lines
        line.send(json.dumps({"type": "missed", "count": 12}))
        expect(page.locator(".notice")).to_contain_text("12 messages are missing")
        why = {"code": 1008, "reason": "too much was sent", "retry_after": 60_000}
        line.send(json.dumps({"type": "closing", **why}))
        line.close(code=1008, reason="too much was sent")

        expect(status).to_have_text("Disconnected (too much was sent), trying again")
        page.clock.fast_forward(50_000)
        expect(page.locator("#countdown")).to_have_text(re.compile(r"^ in \d+ s$"))
        self.assertEqual(len(lines), 1)
        page.clock.fast_forward(12_000)
        expect(status).to_have_text("Connected as ada")
        self.assertEqual(self.complaints, [])

    def test_refused(self) -> None:
        """A page that may not connect here shows the reason and stays away."""
        page = self.open(self.serve("--origin", "https://app.example"))

        expect(page.locator("#status")).to_have_text(re.compile("^Refused: .*origin"))
        expect(page.get_by_role("button", name="Try again")).to_be_visible()
        expect(page.locator("#countdown")).to_have_text("")

    def test_full(self) -> None:
        """A page that finds the server full says so and gets in when there is room."""
        server = self.serve("--max-connections", "1")
        first, second = self.join(server, "ada"), self.open(server)

        expect(second.locator("#status")).to_contain_text("The server is full")
        first.close()

        expect(second.locator("#status")).to_contain_text("Connected as guest-")
