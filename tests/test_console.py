"""Tests for the console: a real browser, a real server, what an operator sees."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection
from websockets.typing import Subprotocol

from tests.support import (
    TIMEOUT,
    Server,
    freePort,
    until,
    untilClosed,
    webSocket,
)
from tests.test_page import DEADLINE, PageCase
from tests.tokens import written

with contextlib.suppress(ImportError):  # without it all are skipped
    from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

KEY = "operators-key-0123456789"
NOTHING = "\N{EN DASH}"
PHONE = {"width": 375, "height": 740}

INKED = """(canvas, [from, to]) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const pen = copy.getContext('2d', { willReadFrequently: true });
  pen.drawImage(canvas, 0, 0);
  const width = (canvas.clientWidth - 54) * devicePixelRatio;
  const [left, right] = [Math.round(from * width), Math.round(to * width)];
  const { data } = pen.getImageData(left, 0, right - left, canvas.height);
  let inked = 0;
  // The accent is far more blue than red; axes and their labels are grey.
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] > 120 && data[at + 2] - data[at] > 90) inked += 1;
  }
  return inked;
}"""
"""Counts the pixels of a chart's line, between two parts of its width."""

COLUMNS = (
    *("time", "connections", "people", "rooms", "messages_in", "messages_out"),
    *("deliveries", "fanout_p50", "fanout_p99", "lag", "waiting", "cpu", "memory"),
    *("dropped", "refused"),
)


def hello(times: Iterable[int]) -> str:
    """Write the feed's first event: of a large server, at some times."""
    rest = [50_000, 49_000, 300, 1e3, 1e3, 25e4, None, None, 0, 5e6, 0.7, 4e8, 0, 0]
    said = {
        "name": "gows",
        "version": "0",
        "every": 1.0,
        "uptime": 90_061.0,
        "columns": COLUMNS,
        "history": [[time, *rest] for time in times],
    }
    return f"event: hello\ndata: {json.dumps(said)}\n\n"


class ConsoleCase(PageCase):
    """
    Opens the console of real servers.

    @ivar door: its URL, once there is a server
    @ivar hosts: to which requests went
    """

    def setUp(self) -> None:
        """Begin with no server."""
        super().setUp()
        self.hosts: set[str] = set()
        self.port = freePort()
        self.door = f"http://127.0.0.1:{self.port}/"

    def operated(self, *arguments: str) -> Server:
        """Run a server with an operators' door."""
        admin = f"tcp:{self.port}:interface=127.0.0.1"
        return self.enterContext(Server("--admin", admin, *arguments, doors=2))

    def console(self, isLive: bool = True, **options: Any) -> Page:
        """Open the console, and wait until it shows something."""
        page = self.browser.new_context(**options).new_page()
        page.set_default_timeout(DEADLINE)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.goto(self.door)
        if isLive:
            expect(page.locator("#status")).to_have_text("Live")
            expect(number(page, "Memory")).not_to_have_text(NOTHING)
        return page

    def client(self, server: Server, key: str, more: str = "") -> ClientConnection:
        """Connect somebody to the chat."""
        return self.enterContext(webSocket(server.wsUrl, f"specialKey={key}{more}"))

    def assertQuiet(self) -> None:
        """Check that no page complained, nor asked another host for anything."""
        self.assertEqual(self.complaints, [])
        self.assertEqual(self.hosts, {urlsplit(self.door).netloc})


def tile(page: Page, title: str) -> Locator:
    """Find what shows a number."""
    return page.locator(".tile", has=page.get_by_role("heading", name=title))


def signIn(page: Page) -> None:
    """Sign in; browsers complain where a field is chosen before they choose it."""
    field = page.get_by_label("API key")
    expect(field).to_be_focused()
    field.fill(KEY)
    page.get_by_role("button", name="Sign in").click()


def number(page: Page, title: str) -> Locator:
    """Find a number of this moment."""
    return tile(page, title).locator(".now b").first


def hasLine(canvas: Locator, begin: float = 0, end: float = 1) -> bool:
    """Tell whether a chart has a line between two parts of its width."""
    inked: int = canvas.evaluate(INKED, [begin, end])
    return inked > 0


def overflow(page: Page) -> int:
    """Measure how much wider than the window the page is."""
    width: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width


def ground(page: Page) -> str:
    """Tell which colour is behind everything."""
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return colour


class LiveTests(ConsoleCase):
    """The numbers of this moment and of the last quarter of an hour."""

    def test_numbers(self) -> None:
        """When clients come and talk, numbers and charts change."""
        server = self.operated()
        page = self.console()
        expect(number(page, "Connections")).to_have_text("0")
        expect(page.locator("#sign-out")).to_be_hidden()
        expect(page.get_by_text("Nobody is connected.")).to_be_visible()

        ada, bob = self.client(server, "ada"), self.client(server, "bob")
        expect(number(page, "Connections")).to_have_text("2")
        deliveries = number(page, "Deliveries")

        def talk() -> bool:
            ada.send("hello")
            for each in (ada, bob):
                each.recv(timeout=TIMEOUT)
            return deliveries.text_content() not in (NOTHING, "0")

        until(talk)
        expect(number(page, "Fan-out time")).to_have_text(re.compile(r"^[\d.]+$"))
        for title in ("Connections", "Deliveries", "Memory"):
            until(partial(hasLine, tile(page, title).locator("canvas")))
        self.assertQuiet()

    def test_reading(self) -> None:
        """The arrow keys, and a finger, tell what there was before; all charts do."""
        self.operated()
        page = self.console(viewport=PHONE, has_touch=True)
        chart = tile(page, "Memory").get_by_role("slider")
        note = tile(page, "Connections").locator(".note")
        expect(note).to_have_text("0 people, 0 rooms")

        chart.focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowRight")
        expect(chart).to_have_attribute(
            "aria-valuetext", re.compile(r"^\d\d:\d\d:\d\d · [\d.]+ MB$")
        )
        expect(note).to_have_text(re.compile(r"^\d\d:\d\d:\d\d · 0$"))
        page.keyboard.press("Home")
        expect(note).to_have_text(re.compile("· no data$"))
        page.keyboard.press("Escape")
        expect(note).to_have_text("0 people, 0 rooms")

        chart.tap(position={"x": 20, "y": 20})
        expect(note).to_have_text(re.compile("· no data$"))
        page.get_by_role("heading", name="gows").tap()
        expect(note).to_have_text("0 people, 0 rooms")
        self.assertQuiet()

    def test_gap(self) -> None:
        """What a large server was like is there at once; where it was off is a gap."""
        self.operated()
        page = self.browser.new_context().new_page()
        begin = 1_764_000_000_000
        times = [begin + 1000 * at for at in range(901) if not 300 < at < 600]
        page.route(
            "**/feed",
            lambda route: route.fulfill(
                content_type="text/event-stream", body=hello(times)
            ),
        )
        page.goto(self.door)

        for title, shown in (
            ("Connections", "50,000"),
            ("Deliveries", "250,000/s"),
            ("Fan-out time", f"p50{NOTHING}p99{NOTHING}"),
            ("Waiting", "5MB"),
            ("CPU", "70%"),
            ("Memory", "400MB"),
        ):
            expect(tile(page, title).locator(".now")).to_have_text(shown)
        expect(page.locator("#facts")).to_have_text("0 · up 1 d 1 h")
        canvas = tile(page, "Deliveries").locator("canvas")
        until(partial(hasLine, canvas))
        self.assertTrue(hasLine(canvas, 0, 0.3))
        self.assertFalse(hasLine(canvas, 0.36, 0.64))
        self.assertTrue(hasLine(canvas, 0.7, 1))
        self.assertFalse(hasLine(tile(page, "Fan-out time").locator("canvas")))

    def test_lost(self) -> None:
        """The page says that the server is gone, and goes on when it is back."""
        server = self.operated()
        page = self.console()
        self.assertQuiet()

        server.kill()
        expect(page.locator("#status")).to_have_text("Connection lost, retrying")
        self.assertEqual(page.title(), "Connection lost · gows console")
        server.start()
        expect(page.locator("#status")).to_have_text("Live")
        self.client(server, "ada")
        expect(number(page, "Connections")).to_have_text("1")
        self.assertEqual(page.title(), "gows console")
        refused = [line for line in self.complaints if "ERR_" not in line]
        self.assertEqual(refused, [])

    def test_displaced(self) -> None:
        """A page that makes room for another comes back, but not before it may."""
        self.operated()
        page = self.browser.new_context().new_page()
        body = hello([1_764_000_000_000]) + "retry: 10000\n\n"
        page.route(
            "**/feed",
            lambda route: route.fulfill(content_type="text/event-stream", body=body),
            times=1,
        )
        page.clock.install()
        page.goto(self.door)
        status = page.locator("#status")
        expect(status).to_have_text("Connection lost, retrying")
        page.clock.run_for(9_000)
        expect(status).to_have_text("Connection lost, retrying")
        page.clock.run_for(2_000)
        expect(status).to_have_text("Live")

    def test_looks(self) -> None:
        """It is light or dark as one likes, and fits a phone."""
        server = self.operated()
        self.client(server, "N" * 128, "&room=" + "r" * 64)
        light = self.console(viewport=PHONE, color_scheme="light")
        dark = self.console(color_scheme="dark")
        self.assertEqual(ground(light), "rgb(242, 243, 249)")
        self.assertEqual(ground(dark), "rgb(18, 19, 28)")

        for place in ("#connections", "#publish", "#rooms", "#warnings"):
            light.locator(place).scroll_into_view_if_needed()
        expect(light.locator("#rows tr")).to_have_count(1)
        expect(light.locator("#room-rows tr")).to_have_count(1)
        self.assertEqual(overflow(light), 0)
        for sheet in light.locator(".sheet").all():
            extra = sheet.evaluate("it => it.scrollWidth - it.clientWidth")
            self.assertEqual(extra, 0)
        self.assertEqual(overflow(dark), 0)
        self.assertQuiet()


class DoingTests(ConsoleCase):
    """What one can do there."""

    def test_disconnect(self) -> None:
        """One connection is closed, after a question that names whose it is."""
        server = self.operated()
        ada, bob = self.client(server, "ada"), self.client(server, "bob")
        page = self.console()
        names = page.locator("#rows .who bdi")
        expect(names).to_have_count(2)
        bob.send("the more")
        page.get_by_role("button", name="Messages in").click()
        expect(names).to_have_text(["bob", "ada"])
        expect(page.locator("th[aria-sort]")).to_have_text("Messages in")

        page.get_by_role("button", name="Disconnect bob").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("Disconnect bob?")
        dialog.get_by_role("button", name="Cancel").click()
        expect(names).to_have_count(2)
        page.get_by_role("button", name="Disconnect bob").click()
        dialog.get_by_role("button", name="Disconnect").click()

        self.assertEqual(untilClosed(bob).code, 1008)
        expect(page.locator("#connections-note")).to_have_text("Disconnected bob.")
        expect(names).to_have_text(["ada"])
        ada.send("still here")
        self.assertQuiet()

    def test_publish(self) -> None:
        """What is written goes where it is for; how many get it is shown."""
        server = self.operated()
        ada = self.client(server, "ada")
        bob = self.enterContext(
            webSocket(
                server.wsUrl,
                "specialKey=bob&room=lobby",
                subprotocols=[Subprotocol("gows.v1")],
            )
        )
        self.received(bob)
        page = self.console()
        said = page.get_by_label("Message", exact=True)
        send = page.get_by_role("button", name="Publish")
        result = page.locator("#published")

        send.click()
        expect(result).to_have_text("There is nothing to say yet.")
        said.fill("hello, all")
        send.click()
        expect(result).to_have_text("It went to 1 connection.")
        self.assertEqual(ada.recv(timeout=TIMEOUT), "hello, all")

        page.get_by_role("button", name="lobby").click()
        expect(page.get_by_label("Name of the room")).to_have_value("lobby")
        page.get_by_label("JSON").check()
        said.fill('{"n": 12345678901234567890')
        send.click()
        expect(result).to_contain_text("This is not JSON")
        said.press("End")
        said.press("}")
        said.press("Control+Enter")
        expect(result).to_have_text("It went to 1 connection.")
        self.assertEqual(self.received(bob)["data"], {"n": 12345678901234567890})

        page.get_by_label("A person").check()
        page.get_by_label("Key of the person").fill("nobody")
        send.click()
        expect(result).to_have_text("There was nobody to read it.")
        self.assertQuiet()

    def received(self, client: ClientConnection) -> Mapping[str, Any]:
        """Read an envelope."""
        envelope: dict[str, Any] = json.loads(client.recv(timeout=TIMEOUT))
        return envelope


class SignInTests(ConsoleCase):
    """Where keys are asked for."""

    def test_signIn(self) -> None:
        """A wrong key is refused; a right one opens the console until one leaves."""
        keys = written(Path(self.mktemp()).absolute(), f"ops:{KEY}\n".encode())
        self.operated("--api-key-file", keys)
        page = self.console(isLive=False)
        expect(page).to_have_url(f"{self.door}signin")
        field = page.get_by_label("API key")
        expect(field).to_be_focused()
        self.assertQuiet()

        field.fill("wrong-key-0123456789")
        field.press("Enter")
        expect(page.get_by_role("alert")).to_have_text("The API key is wrong.")
        self.complaints.clear()  # Browsers complain of the status.
        signIn(page)
        expect(page).to_have_url(self.door)
        expect(page.locator("#status")).to_have_text("Live")
        expect(page.locator("#warning-list")).to_contain_text("key")
        [cookie] = page.context.cookies()
        self.assertTrue(cookie.get("httpOnly"))
        self.assertEqual(cookie.get("sameSite"), "Strict")
        self.assertQuiet()

        self.assertFalse(cookie.get("secure"))
        page.locator("#rooms").scroll_into_view_if_needed()
        other = page.context.new_page()
        other.goto(self.door)
        other.get_by_role("button", name="Sign out").click()
        expect(other).to_have_url(f"{self.door}signin")
        expect(page).to_have_url(f"{self.door}signin")
        page.goto(self.door)
        expect(page).to_have_url(f"{self.door}signin")

    def test_secure(self) -> None:
        """Over TLS all is the same, and the cookie goes over TLS alone."""
        keys = written(Path(self.mktemp()).absolute(), f"ops:{KEY}\n".encode())
        cert, key = self.certificate
        where = f"{self.port}:interface=127.0.0.1:certKey={cert}:privateKey={key}"
        flags = "--admin", f"ssl:{where}", "--api-key-file", keys
        self.enterContext(Server(*flags, doors=2))
        self.door = f"https://127.0.0.1:{self.port}/"
        page = self.console(isLive=False)
        signIn(page)
        expect(page.locator("#status")).to_have_text("Live")
        [cookie] = page.context.cookies()
        self.assertTrue(cookie.get("secure"))
        self.assertQuiet()
