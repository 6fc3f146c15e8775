"""Files that are read again when they change."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

LOOK_EVERY: Final = 60.0
"""Seconds between looks at the files."""


class FileWatch(Service):
    """
    Calls a function when one of its files has changed.

    A file that appears, disappears, or is replaced by another has changed as well.
    """

    _log = Logger()

    def __init__(
        self, *paths: str, changed: Callable[[], object], clock: IReactorTime
    ) -> None:
        """
        Remember the files; the service's start looks at them first.

        @param changed: called once a look that finds something; what it raises is
            logged, and the watch goes on
        """
        self._paths = paths
        self._changed = changed
        self._seen: object = None
        self._looks = LoopingCall(self._look)
        self._looks.clock = clock

    def privilegedStartService(self) -> None:
        """Look at the files, before they are read for the first time."""
        self.note()
        super().privilegedStartService()

    def startService(self) -> None:
        """Watch."""
        super().startService()
        if self._seen is None:
            self.note()
        self._looks.start(LOOK_EVERY, now=False)

    def stopService(self) -> None:
        """Watch no longer."""
        super().stopService()
        if self._looks.running:
            self._looks.stop()

    def note(self) -> None:
        """
        Take the files for seen as they are now.

        To be called before they are read: what changes meanwhile is found later.
        """
        self._seen = self._signature()

    def _look(self) -> None:
        found = self._signature()
        if found != self._seen:
            self._seen = found
            try:
                self._changed()
            except Exception:
                self._log.failure(
                    "what has changed in {paths} was not taken", paths=self._paths
                )

    def _signature(self) -> object:
        return [_signatureOf(path) for path in self._paths]


def _signatureOf(path: str) -> object:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
