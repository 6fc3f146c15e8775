"""
Makes the pictures of the README: the console and the chat page of a server with load.

    python -m docs.screenshots [--minutes 12]

It runs a server of its own, on loopback, and some hundred clients. The charts of the
console show a quarter of an hour: the longer it runs, the more there is to see.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import time
from contextlib import AsyncExitStack
from itertools import count
from typing import Final

from playwright.async_api import Browser, Page, ViewportSize, async_playwright
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support import ROOT, Server, freePort
from tests.test_page import FLAGS, browserPath

CLIENTS: Final = 240
ROOMS: Final = ("lobby", "support", "engineering", "music", "games", "news")
NAMES: Final = (
    *("ada", "grace", "alan", "edsger", "barbara", "donald", "radia", "tim"),
    *("margaret", "ken", "dennis", "hedy", "vint", "katherine", "john", "joan"),
)
TALK: Final = (
    ("ada", "good morning! is the new build out yet?"),
    ("grace", "ten minutes ago: no migrations this time"),
    ("alan", "nice. the latency graph looks flat for once"),
    ("barbara", "I watched it over lunch: a few ms, with everyone here"),
    ("ada", "then let's open the beta to all rooms"),
)
ANSWER: Final = "done: the gate is open"
SIZE: Final[ViewportSize] = {"width": 1280, "height": 800}


class Crowd:
    """Clients that talk now more, now less."""

    def __init__(self, url: str) -> None:
        """
        Connect nobody yet.

        @param url: of the server's WebSockets
        """
        self._url = url
        self._numbers = count()
        self._tasks: list[asyncio.Task[None]] = []

    async def gather(self, size: int) -> None:
        """Connect them, one after the other."""
        for index in range(size):
            self._tasks.append(asyncio.create_task(self._live(index)))
            await asyncio.sleep(0.03)

    async def leave(self) -> None:
        """End all of them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _live(self, index: int) -> None:
        name = f"{NAMES[index % len(NAMES)]}-{index}"
        room = ROOMS[min(int(random.expovariate(0.6)), len(ROOMS) - 1)]
        zipped = "&support_gzip=1" if index % 5 == 0 else ""
        protocols = None if index % 3 == 0 else [Subprotocol("gows.v1")]
        async with connect(
            f"{self._url}?specialKey={name}&room={room}{zipped}",
            subprotocols=protocols,
            compression="deflate" if index % 7 == 0 else None,
            proxy=None,
        ) as client:
            reading = asyncio.create_task(_read(client))
            try:
                await self._talk(client, room, protocols is None)
            finally:
                reading.cancel()

    async def _talk(self, client: ClientConnection, room: str, isRaw: bool) -> None:
        while True:
            # Some waves of some minutes, and now and then a rush.
            now = time.time()
            wave = 1.7 + math.sin(now / 47) + 0.5 * math.sin(now / 13)
            rush = 3 if now % 170 < 12 else 1
            await asyncio.sleep(random.expovariate(wave * rush / 9))
            said = f"message {next(self._numbers)} " + "and so on " * 12
            envelope = {"type": "publish", "to": {"room": room}, "data": said}
            await client.send(said if isRaw else json.dumps(envelope))


async def _read(client: ClientConnection) -> None:
    try:
        async for _ in client:
            pass
    except ConnectionClosed:
        pass


async def _chat(browser: Browser, server: Server) -> None:
    people = {}
    async with AsyncExitStack() as stack:
        for name in dict.fromkeys(name for name, _ in TALK):
            client = connect(f"{server.wsUrl}?specialKey={name}", proxy=None)
            people[name] = await stack.enter_async_context(client)
        page = await _open(browser, f"{server.url}?room=lobby")
        await page.get_by_label("Name").fill("katherine")
        await page.get_by_label("Name").press("Enter")
        await page.get_by_text("Connected as katherine").wait_for()
        await page.evaluate("location.hash = '#room=*'")
        for name, said in TALK:
            await people[name].send(said)
            await page.get_by_text(said).wait_for()
        lobby = connect(f"{server.wsUrl}?specialKey=radia&room=lobby", proxy=None)
        radia = await stack.enter_async_context(lobby)
        await radia.send("the first people are coming in")
        message = page.get_by_label("Message", exact=True)
        await message.fill(ANSWER)
        await message.press("Enter")
        await page.locator(".own", has_text=ANSWER).wait_for()
        await page.locator("#rooms .badge:visible").wait_for()
        await _save(page, "chat.png")


async def _console(browser: Browser, url: str) -> None:
    page = await _open(browser, url)
    await page.get_by_text("Live", exact=True).wait_for()
    await page.locator("#rows tr").first.wait_for()
    await page.wait_for_timeout(1500)
    await _save(page, "console.png")


async def _open(browser: Browser, url: str) -> Page:
    context = await browser.new_context(viewport=SIZE)
    page = await context.new_page()
    await page.goto(url)
    return page


async def _save(page: Page, name: str) -> None:
    path = ROOT / "docs" / name
    await page.screenshot(path=path, animations="disabled")
    print(f"{path}: {path.stat().st_size} bytes")


async def main(minutes: float) -> None:
    """Run the server, its load, and the browser."""
    admin = freePort()
    where = f"tcp:{admin}:interface=127.0.0.1"
    with Server("--admin", where, doors=2) as server:
        async with async_playwright() as driver:
            browser = await driver.chromium.launch(
                executable_path=browserPath(), args=[*FLAGS]
            )
            crowd = Crowd(server.wsUrl)
            await crowd.gather(CLIENTS)
            await asyncio.sleep(minutes * 60)
            await _console(browser, f"http://127.0.0.1:{admin}/")
            await crowd.leave()
            await _chat(browser, server)
            await browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the README's pictures.")
    parser.add_argument("--minutes", type=float, default=12, help="of load before it")
    asyncio.run(main(parser.parse_args().minutes))
