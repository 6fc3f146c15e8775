"""What the process is doing at this moment: its threads, and what the reactor holds."""

from __future__ import annotations

import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Protocol

from twisted.internet.interfaces import IDelayedCall
from twisted.web.server import Request

from gows.web.debugpage import DebugPage, showText
from gows.web.parameters import Parameters

MOST: Final = 50
"""How many of a kind are listed one by one; all are counted."""

Ages = Callable[[], Iterable[float]]
"""For how long callbacks of the application have been running, in seconds, each."""


class Held(Protocol):
    """What is asked of the reactor."""

    def seconds(self) -> float:
        """Answer the time of its delayed calls."""

    def getReaders(self) -> Sequence[object]:
        """Answer what it waits for to be readable."""

    def getWriters(self) -> Sequence[object]:
        """Answer what it waits for to be writable."""

    def getDelayedCalls(self) -> Sequence[IDelayedCall]:
        """Answer what it is to call later."""


class Stacks(DebugPage):
    """
    Every thread's stack, and what the reactor waits for.

    Names of code, of threads, ports and numbers only: no values, no peers.
    """

    def __init__(self, reactor: Held, ages: Ages) -> None:
        """Look at this reactor, and at these callbacks."""
        super().__init__()
        self._reactor = reactor
        self._ages = ages

    def show(self, request: Request, given: Parameters) -> int:
        """Show it all."""
        given.end()
        parts = (
            threads(),
            selectables("Readers", self._reactor.getReaders()),
            selectables("Writers", self._reactor.getWriters()),
            delayedCalls(self._reactor.getDelayedCalls(), self._reactor.seconds()),
            callbacks(self._ages()),
        )
        lines = (line for part in parts for line in (*part, ""))
        return showText(request, "\n".join(lines))


def threads() -> Iterator[str]:
    """Write each thread's stack, with the innermost call last."""
    named = {thread.ident: thread for thread in threading.enumerate()}
    frames = sys._current_frames()
    yield f"# Threads: {len(frames)}"
    for ident, frame in frames.items():
        thread = named.get(ident)
        name = "not one of Python's" if thread is None else thread.name
        daemon = ", daemon" if thread is not None and thread.daemon else ""
        here = ", answers this request" if ident == threading.get_ident() else ""
        yield f"\n## {name} ({ident}{daemon}{here})"
        yield "".join(traceback.format_stack(frame)).rstrip()


def selectables(title: str, found: Sequence[object]) -> Iterator[str]:
    """Write what the reactor waits for, counted by class, then the first ones."""
    yield f"# {title}: {len(found)}"
    yield from counted(kindOf(each) for each in found)
    for each in found[:MOST]:
        yield f"  fd {_number(each)}  {_placeOf(each)}  {kindOf(each)}"
    yield from _more(len(found) - MOST)


def delayedCalls(calls: Sequence[IDelayedCall], now: float) -> Iterator[str]:
    """Write what the reactor is to call later, counted, then the next ones."""
    coming = sorted((call.getTime() - now, nameOf(call)) for call in calls)
    yield f"# Delayed calls: {len(coming)}"
    yield from counted(name for _, name in coming)
    for seconds, name in coming[:MOST]:
        yield f"  in {seconds:9.3f} s  {name}"
    yield from _more(len(coming) - MOST)


def callbacks(ages: Iterable[float]) -> Iterator[str]:
    """Write how many callbacks of the application are running, and for how long."""
    found = sorted(ages, reverse=True)
    yield f"# Callbacks of the application that are not done: {len(found)}"
    if found:
        yield f"  the oldest has been running for {found[0]:.3f} s"


def counted(names: Iterable[str]) -> Iterator[str]:
    """Write how often each name occurs, the most frequent first."""
    for name, count in Counter(names).most_common(MOST):
        yield f"{count:8}  {name}"


def kindOf(selectable: object) -> str:
    """Name the class of what the reactor waits for, and that of its protocol."""
    kind = _classOf(selectable)
    protocol = getattr(selectable, "protocol", None)
    return kind if protocol is None else f"{kind} of {_classOf(protocol)}"


def nameOf(call: IDelayedCall) -> str:
    """Name the function that is to be called."""
    function: Any = getattr(call, "func", None)
    while isinstance(function, partial):
        function = function.func
    if (inner := getattr(function, "f", None)) is not None:  # a LoopingCall
        return f"{_classOf(function)} of {_functionName(inner)}"
    return _functionName(function)


def _functionName(function: Any) -> str:
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__qualname__", None)
    if not isinstance(name, str):
        return _classOf(function)
    return f"{getattr(function, '__module__', None) or '?'}.{name}"


def _classOf(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _number(selectable: Any) -> int | str:
    try:
        number = selectable.fileno()
    except Exception:  # of any kind of thing, perhaps closed
        return "?"
    return number if isinstance(number, int) else "?"


def _placeOf(selectable: Any) -> str:
    """Name the port on our side; not who is on the other."""
    try:
        host = selectable.getHost()
    except Exception:  # has none, or is closed
        return "-"
    port = getattr(host, "port", None)
    return f"port {port}" if isinstance(port, int) else type(host).__name__


def _more(count: int) -> Iterator[str]:
    if count > 0:
        yield f"  … and {count} more"
