"""How late the reactor is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from twisted.web.server import Request

from gows.web.answers import answerJSON
from gows.web.debugpage import DebugPage, showPage, showText
from gows.web.parameters import Parameters
from gows.web.stacks import Held


class Lag(Protocol):
    """
    How late the reactor called back what was due, in seconds.

    @ivar history: when that was measured, by the reactor's clock, and how late it was;
        the oldest first
    @ivar latest: how late it was the last time
    """

    @property
    def history(self) -> Iterable[tuple[float, float]]:
        """See above."""

    @property
    def latest(self) -> float:
        """See above."""


class ReactorPage(DebugPage):
    """Which reactor it is, how much it holds, how late it has been."""

    def __init__(self, reactor: Held, lag: Lag) -> None:
        """Look at these."""
        super().__init__()
        self._reactor = reactor
        self._lag = lag

    def show(self, request: Request, given: Parameters) -> int:
        """Show it, as a page, as text, or as JSON for others to read."""
        format = given.choice("format", "html", ["json", "text"])
        given.end()
        kind = type(self._reactor)
        facts: dict[str, object] = {
            "reactor": f"{kind.__module__}.{kind.__qualname__}",
            "readers": len(self._reactor.getReaders()),
            "writers": len(self._reactor.getWriters()),
            "delayedCalls": len(self._reactor.getDelayedCalls()),
        }
        history, latest = list(self._lag.history), self._lag.latest
        if format == "json":
            lag = {"latest": latest, "history": history}
            return answerJSON(request, {**facts, "lag": lag})
        now = self._reactor.seconds()
        rows = [
            (f"{now - time:.1f} s", f"{lag * 1000:.1f} ms")
            for time, lag in reversed(history)
        ]
        worst = max((lag for _, lag in history), default=latest)
        summary = f"late by {latest * 1000:.1f} ms, at worst by {worst * 1000:.1f} ms"
        if format == "text":
            lines = [*(f"{name}: {value}" for name, value in facts.items()), summary]
            lines += [f"{ago:>12} ago {lag:>12}" for ago, lag in rows]
            return showText(request, "\n".join([*lines, ""]))
        return showPage(request, "Reactor", _page(facts, summary, rows))


def _page(
    facts: dict[str, object], summary: str, rows: Iterable[tuple[str, str]]
) -> str:
    """Write it as HTML: there is nothing in it that could be markup."""
    listed = "".join(f"<dt>{name}</dt><dd>{facts[name]}</dd>" for name in facts)
    lags = "".join(f"<tr><td>{ago}</td><td>{lag}</td></tr>\n" for ago, lag in rows)
    return (
        f'<p><a href="/debug/">Debug</a></p>\n<h1>Reactor</h1>\n<dl>{listed}</dl>\n'
        f"<p>The reactor is {summary}.</p>\n<table>\n"
        f"<thead><tr><th>ago</th><th>late by</th></tr></thead>\n<tbody>\n{lags}"
        "</tbody></table>"
    )
