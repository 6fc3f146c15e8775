"""Files, and what is read of them again when they change."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from twisted.application.service import MultiService, Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from gows.errors import CannotStart

T = TypeVar("T")

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


class ReloadedFiles(MultiService, Generic[T]):
    """
    What is read of files, and read again when they change.

    Broken ones change nothing but the log.
    """

    def __init__(
        self,
        *paths: str,
        read: Callable[[], T],
        taken: Callable[[T], object],
        kept: Callable[[str], object],
        clock: IReactorTime,
    ) -> None:
        """
        Remember the files; they are read at the start of the service.

        @param read: raises L{CannotStart} if they are no good
        @param taken: told what was read, whenever it was
        @param kept: told in one line why what there was before stays
        """
        super().__init__()
        self._read = read
        self._listeners = [taken]
        self._kept = kept
        self._current: T | None = None
        self._watch = FileWatch(*paths, changed=self.reload, clock=clock)
        self._watch.setServiceParent(self)

    def listen(self, listener: Callable[[T], object]) -> None:
        """Have somebody told what was read, whenever it was."""
        self._listeners.append(listener)

    def current(self) -> T:
        """Answer what was read last. The service must have been started."""
        assert self._current is not None, "the service has not been started"
        return self._current

    def privilegedStartService(self) -> None:
        """
        Read the files, while the process may still be root.

        @raise CannotStart: if they are no good
        """
        super().privilegedStartService()
        self._take(self._read())

    def startService(self) -> None:
        """Watch the files."""
        if self._current is None:
            self.privilegedStartService()
        super().startService()

    def reload(self) -> None:
        """Read the files again, and keep what there is if they are broken."""
        self._watch.note()
        try:
            self._take(self._read())
        except CannotStart as error:
            self._kept(str(error))

    def _take(self, current: T) -> None:
        self._current = current
        for listener in self._listeners:
            listener(current)


def readFile(path: str) -> bytes:
    """
    Read a whole file.

    @raise CannotStart: one line that names it and says why it cannot be read
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise CannotStart(f"{path} cannot be read: {error.strerror}") from None


def _signatureOf(path: str) -> object:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
