"""Tests for how many connections the process may have."""

from __future__ import annotations

import resource
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from gows.access.limits import (
    RESERVED,
    connectionsWithin,
    openFiles,
    raiseOpenFiles,
)
from tests.support import environment

_CHILD = """
import resource
from gows.access.limits import raiseOpenFiles
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
soft, hard = {soft}, min({hard}, hard)
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(hard, raiseOpenFiles(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def inAProcess(soft: int, hard: int) -> tuple[int, ...]:
    """
    Raise the limit in a process of its own, which begins with these.

    @return: the hard limit, what was answered, the limits that are in force then
    """
    done = subprocess.run(
        [sys.executable, "-c", _CHILD.format(soft=soft, hard=hard)],
        capture_output=True,
        check=True,
        env=environment(),
        timeout=20,
    )
    return tuple(map(int, done.stdout.split()))


class RaiseOpenFilesTests(SynchronousTestCase):
    """The server takes as many open files as it is allowed."""

    def setUp(self) -> None:
        """Put this process's own limits back at the end."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)

    def test_raised(self) -> None:
        """A soft limit below the hard one is raised to it."""
        hard, answered, *limits = inAProcess(64, 256)
        self.assertGreater(hard, 64)
        self.assertEqual(answered, hard)
        self.assertEqual(limits, [hard, hard])

    def test_raisedAlready(self) -> None:
        """Where there is nothing to raise the limit stays."""
        self.assertEqual(inAProcess(64, 64), (64, 64, 64, 64))

    def test_again(self) -> None:
        """The answer is the limit in force, however often it is asked for."""
        answered = raiseOpenFiles()
        self.assertEqual(answered, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        self.assertEqual(raiseOpenFiles(), answered)

    def test_notAllowed(self) -> None:
        """Where the system allows less than it says, the old limit stays."""

        def getrlimit(which: int) -> tuple[int, int]:
            return 64, 256

        self.patch(resource, "getrlimit", getrlimit)
        for error in (ValueError("not allowed"), OSError(22, "Invalid argument")):

            def setrlimit(
                which: int, limits: tuple[int, int], error: Exception = error
            ) -> None:
                raise error

            self.patch(resource, "setrlimit", setrlimit)
            self.assertEqual(raiseOpenFiles(), 64)


class ConnectionsWithinTests(SynchronousTestCase):
    """Some of the open files are kept for other things than connections."""

    def test_room(self) -> None:
        """What is not kept is for connections."""
        self.assertEqual(connectionsWithin(1024), 1024 - RESERVED)
        self.assertEqual(connectionsWithin(RESERVED + 1), 1)

    def test_noRoom(self) -> None:
        """There are never fewer than none."""
        for limit in (0, 1, RESERVED):
            self.assertEqual(connectionsWithin(limit), 0)


class OpenFilesTests(SynchronousTestCase):
    """How many files may be open now."""

    def test_now(self) -> None:
        """It is the soft limit."""
        self.assertEqual(openFiles(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
