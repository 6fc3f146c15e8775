"""All that is under C{/debug/} of the operators' door."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any, Final, NamedTuple

from twisted.web.resource import IResource
from twisted.web.server import Request

from gows.journal import Journal
from gows.web.answers import answer
from gows.web.cmdline import CommandLine
from gows.web.debugpage import STYLE, DebugPage, showPage
from gows.web.drawer import drawerOf
from gows.web.heap import Heap, Objects
from gows.web.parameters import Parameters
from gows.web.profiles import INTERVAL, SECONDS, Profiles
from gows.web.reactorpage import Lag, ReactorPage
from gows.web.stacks import Ages, Stacks

INDEX: Final = "/debug/"
"""The path of the page that leads to the others."""

CSS: Final = "text/css; charset=utf-8"


class Entry(NamedTuple):
    """
    What the index says of a page.

    @ivar path: below C{/debug/}
    @ivar words: what is seen there, and what that costs; HTML
    @ivar variants: further links, by their words
    """

    path: str
    words: str
    variants: dict[str, str]


ENTRIES: Final = (
    Entry(
        "stacks",
        "Where every thread is, what the reactor waits for, and which callbacks of the "
        "application take their time.",
        {},
    ),
    Entry(
        "profile",
        f"Where the reactor's time goes: {SECONDS:g} s of it, a sample every "
        f"{INTERVAL:g} ms. Everything else goes on, some 10&nbsp;% slower. Parameters: "
        "<code>seconds</code> (up to 60), <code>interval</code> (ms), "
        "<code>format</code>.",
        {
            "a minute": "?seconds=60",
            "for speedscope": "?format=speedscope",
            "as text": "?format=text",
        },
    ),
    Entry(
        "heap",
        "Which lines of code hold memory. The first call begins to trace allocations, "
        "which makes all of them slower, until it is ended.",
        {"end it": "?action=stop"},
    ),
    Entry(
        "objects",
        "How many objects there are of each type. Counting a million stops the server "
        "for some 0.1 s.",
        {},
    ),
    Entry(
        "reactor",
        "How late the reactor has been with what was due.",
        {"JSON": "?format=json"},
    ),
    Entry("cmdline", "How the process was started, without what may be secret.", {}),
)


class Index(DebugPage):
    """Leads to the other pages, and says what is running."""

    def __init__(self, running: dict[str, Profiles | Heap]) -> None:
        """
        Lead there.

        @param running: what may run for a while, by what it is
        """
        super().__init__()
        self._running = running

    def show(self, request: Request, given: Parameters) -> int:
        """Show it."""
        given.end()
        running = [
            f"<li>{name}: {each.running}</li>"
            for name, each in self._running.items()
            if each.running
        ]
        now = f"<ul>{''.join(running)}</ul>" if running else "<p>Nothing.</p>"
        listed = "\n".join(map(_entry, ENTRIES))
        body = f"<h1>Debug</h1>\n<dl>\n{listed}\n</dl>\n<h2>Running now</h2>\n{now}"
        return showPage(request, "Debug", body)


def _entry(entry: Entry) -> str:
    further = "".join(
        f' · <a href="{entry.path}{query}">{words}</a>'
        for words, query in entry.variants.items()
    )
    return (
        f'<dt><a href="{entry.path}">{entry.path}</a>{further}</dt>'
        f"<dd>{entry.words}</dd>"
    )


class Style(DebugPage):
    """The pages' style sheet."""

    def __init__(self) -> None:
        """Read it."""
        super().__init__()
        self._sheet = (files("gows.web") / "console" / "debug.css").read_bytes()

    def show(self, request: Request, given: Parameters) -> int:
        """Answer it."""
        return answer(request, self._sheet, CSS)


def debugPages(
    reactor: Any,
    lag: Lag,
    ages: Ages,
    journal: Journal,
    *,
    argv: Sequence[str] = sys.orig_argv,
    environment: Iterable[str] = os.environ,
) -> dict[str, IResource]:
    """
    Make all pages.

    @param reactor: the one that runs, in the thread that will answer
    @param lag: how late it is
    @param ages: for how long callbacks of the application have been running
    @return: by path, what needs a key
    """
    profiles = Profiles(reactor, drawerOf(reactor), journal)
    heap = Heap(reactor, journal)
    return {
        INDEX: Index({"profile": profiles, "heap": heap}),
        STYLE: Style(),
        f"{INDEX}stacks": Stacks(reactor, ages),
        f"{INDEX}profile": profiles,
        f"{INDEX}heap": heap,
        f"{INDEX}objects": Objects(),
        f"{INDEX}reactor": ReactorPage(reactor, lag),
        f"{INDEX}cmdline": CommandLine(argv, environment, reactor),
    }
