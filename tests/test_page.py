"""Tests for the chat page: a real browser, a real server, what a user sees."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from twisted.trial.unittest import SynchronousTestCase

from tests.support import Server

try:
    from playwright.sync_api import expect, sync_playwright
except ImportError:
    HAS_PLAYWRIGHT = False
else:
    HAS_PLAYWRIGHT = True

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize, WebSocket

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
    """

    skip = whyNot()

    def setUp(self) -> None:
        """Start a browser: its pages share nothing with those of other tests."""
        self.complaints: list[str] = []
        driver = self.enterContext(sync_playwright())
        self.browser = driver.chromium.launch(
            executable_path=browserPath(), args=list(FLAGS)
        )
        self.addCleanup(self.browser.close)
        expect.set_options(timeout=DEADLINE)

    def serve(self, *arguments: str) -> Server:
        """Run a server until the test is over."""
        return self.enterContext(Server(*arguments))

    def open(self, server: Server, isPhone: bool = False) -> Page:
        """Open the page as somebody who has never been there."""
        page = self.browser.new_context(viewport=PHONE if isPhone else None).new_page()
        page.set_default_timeout(DEADLINE)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(server.url)
        return page

    def join(self, server: Server, name: str) -> Page:
        """Open the page, wait until it has connected, and take a name."""
        page = self.open(server)
        expect(page.locator("#status")).to_contain_text("Connected as guest-")
        rename(page, name)
        return page


def rename(page: Page, name: str) -> None:
    """Type another name and wait until the page has connected with it."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Name").press("Enter")
    expect(page.locator("#status")).to_have_text(f"Connected as {name}")


def say(page: Page, text: str) -> None:
    """Write a message and send it."""
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_role("button", name="Send").click()


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
    last = page.locator("#messages > .message").last
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
        self.assertRegex(guest, r"^guest-\d{4}$")

        say(ada, "hello")
        for page in (ada, bob):
            expectLast(page, "ada", "hello")
        say(bob, "hi ada: how are you?")
        for page in (ada, bob):
            expectLast(page, guest, "hi ada: how are you?")

        expect(ada.locator(".own .said")).to_have_text(["hello"])
        expect(bob.locator(".own .said")).to_have_text(["hi ada: how are you?"])
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
        sendAll(ada, server, [f"bot: {text}" for text in said])

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
        self.assertEqual(bob.locator("#messages :is(img, b, i)").count(), 0)
        self.assertEqual(bob.title(), "gows chat")
        self.assertEqual(self.complaints, [])

    def test_nameIsKept(self) -> None:
        """Who comes back to the page still has the name chosen last."""
        server = self.serve()
        page = self.join(server, "Zoë & friends?")

        page.reload()

        expect(page.locator("#status")).to_have_text("Connected as Zoë & friends?")
        self.assertEqual(self.complaints, [])

    def test_nameIsCleaned(self) -> None:
        """A name of blanks changes nothing; blanks around a name do not count."""
        page = self.join(self.serve(), "ada")
        field = page.get_by_label("Name")

        field.fill("   ")
        field.press("Enter")
        expect(field).to_have_value("ada")
        field.fill("  bob ")
        field.press("Enter")
        expect(page.locator("#status")).to_have_text("Connected as bob")
        expect(field).to_have_value("bob")

    def test_readingBack(self) -> None:
        """Who reads older messages is not torn away by new ones; 500 are kept."""
        server = self.serve()
        ada, bob = self.join(server, "ada"), self.join(server, "bob")

        sendAll(bob, server, [f"bot: {number}" for number in range(505)])
        expectLast(ada, "bot", "504")
        expect(ada.locator(".said")).to_have_count(500)
        expect(ada.locator(".said").last).to_be_in_viewport()

        ada.locator("#log").evaluate("log => log.scrollTo(0, 1000)")
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
        page = self.open(self.serve(), isPhone=True)
        expect(page.locator("#status")).to_contain_text("Connected as")
        rename(page, "N" * 128)

        say(page, "w" * 500)

        expectLast(page, "N" * 128, "w" * 500)
        for part in ("html", "#log"):
            overflow = page.locator(part).evaluate(
                "it => it.scrollWidth - it.clientWidth"
            )
            self.assertEqual(overflow, 0, part)
        expect(page.get_by_role("button", name="Send")).to_be_in_viewport(ratio=1)
        expect(page.get_by_label("gzip")).to_be_in_viewport(ratio=1)
        self.assertEqual(self.complaints, [])


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
        expect(first.get_by_role("button", name="Send")).to_be_disabled()
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
            expect(page.get_by_role("button", name="Send")).to_be_disabled()

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
