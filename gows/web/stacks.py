"""What the process is doing at this moment: its threads, and what the reactor holds."""

from __future__ import annotations

import heapq
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from functools import partial
from operator import methodcaller
from types import FunctionType, NoneType
from typing import Any, Final, Protocol, TypeVar

from twisted.internet.interfaces import IDelayedCall
from twisted.web.server import Request

from gows.web.debugpage import DebugPage, showText
from gows.web.parameters import Parameters

K = TypeVar("K", bound=Hashable)

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
    yield from counted(map(_kindOf, found), _kindName)
    for each in found[:MOST]:
        yield f"  fd {_number(each)}  {_placeOf(each)}  {_kindName(_kindOf(each))}"
    yield from _more(len(found) - MOST)


def delayedCalls(calls: Sequence[IDelayedCall], now: float) -> Iterator[str]:
    """Write what the reactor is to call later, counted, then the next ones."""
    yield f"# Delayed calls: {len(calls)}"
    yield from counted(map(_functionOf, calls), _functionName)
    for call in heapq.nsmallest(MOST, calls, key=methodcaller("getTime")):
        seconds, name = call.getTime() - now, _functionName(_functionOf(call))
        yield f"  in {seconds:9.3f} s  {name}"
    yield from _more(len(calls) - MOST)


def callbacks(ages: Iterable[float]) -> Iterator[str]:
    """Write how many callbacks of the application are running, and for how long."""
    found = sorted(ages, reverse=True)
    yield f"# Callbacks of the application that are not done: {len(found)}"
    if found:
        yield f"  the oldest has been running for {found[0]:.3f} s"


def counted(kinds: Iterable[K], nameOf: Callable[[K], str]) -> Iterator[str]:
    """
    Write how often each kind occurs, the most frequent first.

    @param nameOf: called once for each kind; those of one name are written as one
    """
    names: Counter[str] = Counter()
    for kind, count in Counter(kinds).items():
        names[nameOf(kind)] += count
    for name, count in names.most_common(MOST):
        yield f"{count:8}  {name}"


def _kindOf(selectable: object) -> tuple[type, type]:
    """Find the class of what the reactor waits for, and that of its protocol."""
    return type(selectable), type(getattr(selectable, "protocol", None))


def _kindName(kind: tuple[type, type]) -> str:
    selectable, protocol = map(_className, kind)
    return selectable if kind[1] is NoneType else f"{selectable} of {protocol}"


def _functionOf(call: IDelayedCall) -> FunctionType | str:
    """Find the function that is to be called; of anything else, its name."""
    function = _bare(getattr(call, "func", None))
    if isinstance(function, FunctionType):
        return function
    if (inner := getattr(function, "f", None)) is not None:  # a LoopingCall
        return f"{_classOf(function)} of {_functionName(_bare(inner))}"
    return _functionName(function)


def _bare(function: Any) -> Any:
    """Take from a function what is wrapped around it, and whose method it is."""
    while isinstance(function, partial):
        function = function.func
    return getattr(function, "__func__", function)


def _functionName(function: Any) -> str:
    if isinstance(function, str):
        return function
    name = getattr(function, "__qualname__", None)
    if not isinstance(name, str):
        return _classOf(function)
    return f"{getattr(function, '__module__', None) or '?'}.{name}"


def _className(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _classOf(value: object) -> str:
    return _className(type(value))


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
