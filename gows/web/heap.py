"""What the memory is used for: by lines of code, and by types of objects."""

from __future__ import annotations

import gc
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import TaskStopped
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET, Request

from gows.journal import Journal
from gows.web.answers import Problem
from gows.web.debugpage import DebugPage, showText
from gows.web.doorrequest import DoorRequest
from gows.web.parameters import Parameters
from gows.web.steps import stepwise

T = TypeVar("T")

MOST: Final = 50
"""How many lines of code are listed."""

MOST_TYPES: Final = 100
"""How many types of objects are listed."""

TRACED_FOR: Final = 3600.0
"""Seconds after the last look in which tracing ends by itself."""

STEP: Final = 1000
"""How many blocks of memory are counted in a turn of the reactor: some 2 ms."""

COST: Final = """\
While they are traced, an allocation takes up to six times as long, and 50 bytes more.
To look stops the server for some 0.4 s for each million of blocks that were allocated
since then; counting them takes ten times that, with the server at work in between.
/debug/heap looks, and compares with the look before; /debug/heap?action=stop ends it,
or an hour without a look.
"""

Sizes = Mapping[tuple[str, int], tuple[int, int]]
"""By file and line: how many bytes, in how many blocks."""


class Heap(DebugPage):
    """Which lines of code allocated what there is, since tracing began."""

    isAction = True

    def __init__(self, reactor: Any, journal: Journal) -> None:
        """Trace nothing yet."""
        super().__init__()
        self._reactor = reactor
        self._journal = journal
        self._end: IDelayedCall | None = None
        self._before: Sizes | None = None
        self._isLooking = False

    @property
    def running(self) -> str:
        """What is running, in a few words; empty: nothing is."""
        return "allocations are traced" if tracemalloc.is_tracing() else ""

    def show(self, request: Request, given: Parameters) -> int:
        """Begin, end, or look at what there is."""
        action = given.choice("action", "look", ["start", "stop"])
        given.end()
        if action == "stop":
            self._stop()
            return showText(request, "Allocations are not traced any more.\n")
        if not tracemalloc.is_tracing():
            self._start(request)
            return showText(request, f"Allocations are traced from now on.\n\n{COST}")
        if action == "start":
            return showText(request, f"Allocations are traced already.\n\n{COST}")
        return self._look(request)

    def _start(self, request: Request) -> None:
        self._before = None
        tracemalloc.start()
        self._end = self._reactor.callLater(TRACED_FOR, self._stop)
        assert isinstance(request, DoorRequest)
        self._journal.tracingBegun(*request.operator)

    def _stop(self) -> None:
        tracemalloc.stop()
        self._before = None
        if self._end is None:  # somebody else began it, or nobody
            return
        if self._end.active():
            self._end.cancel()
        self._end = None
        self._journal.tracingEnded()

    def _look(self, request: Request) -> int:
        if self._isLooking:
            raise Problem(409, "busy", "Somebody looks at this moment: wait.")
        snapshot = tracemalloc.take_snapshot()
        self._isLooking = True
        if self._end is not None:
            self._end.reset(TRACED_FOR)
        sizes: dict[tuple[str, int], tuple[int, int]] = {}
        task = stepwise(self._reactor, _count(snapshot, sizes))
        gone = request.notifyFinish()
        gone.addErrback(lambda _: task.stop())
        done: Deferred[Any] = task.whenDone()
        done.addBoth(self._looked)
        done.addCallback(lambda _: self._tell(request, sizes))
        done.addErrback(_failed, request)
        return NOT_DONE_YET

    def _looked(self, result: T) -> T:
        self._isLooking = False
        return result

    def _tell(self, request: Request, sizes: Sizes) -> None:
        before, self._before = self._before, sizes
        lines = [*_total(sizes), "", *_largest(sizes)]
        if before is not None:
            lines += ["", *_compared(before, sizes)]
        showText(request, "\n".join([*lines, "", COST]))


def _failed(failure: Failure, request: Request) -> None:
    if not failure.check(TaskStopped):  # then whoever asked is gone
        request.processingFailed(failure)


def _count(
    snapshot: tracemalloc.Snapshot, sizes: dict[tuple[str, int], tuple[int, int]]
) -> Iterator[None]:
    for number, trace in enumerate(snapshot.traces):
        frame = trace.traceback[0]
        place = frame.filename, frame.lineno
        size, count = sizes.get(place, (0, 0))
        sizes[place] = size + trace.size, count + 1
        if number % STEP == 0:
            yield


def _total(sizes: Sizes) -> Iterator[str]:
    total = sum(size for size, _ in sizes.values())
    blocks = sum(count for _, count in sizes.values())
    own = tracemalloc.get_tracemalloc_memory()
    yield f"{total:,} bytes in {blocks:,} blocks, allocated since tracing began"
    yield f"{own:,} bytes besides for the tracing itself"


def _largest(sizes: Sizes) -> Iterator[str]:
    yield f"# The {MOST} lines with the most"
    largest = sorted(sizes.items(), key=lambda item: item[1], reverse=True)
    for (name, line), (size, count) in largest[:MOST]:
        yield f"{size:14,} bytes {count:10,} blocks  {name}:{line}"


def _compared(before: Sizes, now: Sizes) -> Iterator[str]:
    yield f"# The {MOST} lines that changed the most since the look before"
    changes = []
    for place in {*before, *now}:
        (was, had), (size, count) = before.get(place, (0, 0)), now.get(place, (0, 0))
        if (size, count) != (was, had):
            changes.append((size - was, count - had, place))
    changes.sort(key=lambda change: abs(change[0]), reverse=True)
    for size, count, (name, line) in changes[:MOST]:
        yield f"{size:+14,} bytes {count:+10,} blocks  {name}:{line}"


class Objects(DebugPage):
    """How many objects there are of each type; nothing of what is in them."""

    isAction = True

    def show(self, request: Request, given: Parameters) -> int:
        """Count them."""
        given.end()
        types = Counter(map(type, gc.get_objects()))
        lines = [
            f"{types.total():,} objects that the garbage collector knows of, "
            f"of {len(types):,} types",
            f"allocated since the collections before: {gc.get_count()}",
            "",
        ]
        for kind, count in types.most_common(MOST_TYPES):
            lines.append(f"{count:12,}  {kind.__module__}.{kind.__qualname__}")
        return showText(request, "\n".join([*lines, ""]))
