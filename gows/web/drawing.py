"""
Draws a profile, in a process of its own: C{python -m gows.web.drawing html}.

It takes seconds of Python for a long profile. In a thread these would keep the reactor
from going on after each of its system calls, for 5 ms each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

if TYPE_CHECKING:
    from pyinstrument.session import Session

# The page keeps its reader's choices, and is lost where a sandbox does not let it.
_STORAGE: Final = """
<script>
for (const name of ["localStorage", "sessionStorage"]) {
  const kept = new Map();
  const value = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, text) => { kept.set(key, String(text)); },
    removeItem: (key) => { kept.delete(key); },
  };
  Object.defineProperty(window, name, { value });
}
</script>
"""

PIECE: Final = 500
"""How many samples are written at a time."""


def written(session: Session) -> Iterator[bytes]:
    """Write what was sampled, a piece at a time, for L{readSession}."""
    yield msgspec.json.encode(session.to_json(include_frame_records=False)) + b"\n"
    records = session.frame_records
    for begin in range(0, len(records), PIECE):
        yield msgspec.json.encode(records[begin : begin + PIECE]) + b"\n"


def readSession(file: BinaryIO) -> Session:
    """
    Read what L{written} wrote.

    Nothing is taken for a library's code, which would be hidden: gows is one itself.
    """
    from pyinstrument.session import Session

    head: dict[str, Any] = msgspec.json.decode(file.readline())
    records = [
        (stack, seconds)
        for line in file
        for stack, seconds in msgspec.json.decode(line)
    ]
    whole = {**head, "sys_prefixes": [], "frame_records": records}
    session: Session = Session.from_json(whole)
    return session


def _html(session: Session) -> str:
    from pyinstrument.renderers import HTMLRenderer

    drawn: str = HTMLRenderer().render(session)
    head, begin, rest = drawn.partition("<head>")
    return f"{head}{begin}{_STORAGE}{rest}"


def _speedscope(session: Session) -> str:
    from pyinstrument.renderers import SpeedscopeRenderer

    drawn: str = SpeedscopeRenderer(show_all=True).render(session)
    return drawn


def _text(session: Session) -> str:
    from pyinstrument.renderers import ConsoleRenderer

    return ConsoleRenderer(unicode=True, color=False, show_all=True).render(session)


FORMATS: Final[dict[str, Callable[[Session], str]]] = {
    "html": _html,
    "speedscope": _speedscope,
    "text": _text,
}
"""How a profile can be drawn."""


def draw(format: str, source: BinaryIO, target: BinaryIO) -> None:
    """
    Draw a profile.

    @param format: one of L{FORMATS}
    @param source: what L{written} wrote
    """
    target.write(FORMATS[format](readSession(source)).encode())


if __name__ == "__main__":
    draw(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer)
