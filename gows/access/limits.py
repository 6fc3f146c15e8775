"""How many connections the process may have."""

from __future__ import annotations

import resource
from typing import Final

RESERVED: Final = 64
"""Open files that are kept for other things than connections."""


def raiseOpenFiles() -> int:
    """
    Raise the soft limit of open files to the hard one.

    @return: the limit that is in force now
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):  # macOS allows less than it says
            return soft
    return hard


def openFiles() -> int:
    """Say how many files may be open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def connectionsWithin(openFiles: int) -> int:
    """Say how many connections so many open files leave room for."""
    return max(0, openFiles - RESERVED)
