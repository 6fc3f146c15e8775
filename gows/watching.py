"""Files, and what is read of them again when they change."""

from __future__ import annotations

import os
from collections.abc import Callable
from stat import S_ISREG
from typing import BinaryIO, Final, Generic, TypeVar

from twisted.application.service import MultiService, Service
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from gows.errors import CannotStart

T = TypeVar("T")

LOOK_EVERY: Final = 60.0
"""Seconds between looks at the files."""

MAX_SIZE: Final = 1 << 20
"""The most bytes of a file."""

Read = Callable[[str], bytes]
"""Reads a file: L{readFile} or L{readRegularFile}."""


class FileWatch(Service):
    """
    Calls a function when one of its files has changed.

    A file that appears, disappears, or is replaced by another has changed as well. What
    is no regular file, such as a pipe, counts as none.
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
        read: Callable[[Read], T],
        taken: Callable[[T], object],
        kept: Callable[[str], object],
        clock: IReactorTime,
    ) -> None:
        """
        Remember the files; they are read at the start of the service.

        @param read: reads them, as it is told to: L{readFile} at the start, later
            L{readRegularFile}; raises L{CannotStart} if they are no good
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
        self._take(self._read(readFile))

    def startService(self) -> None:
        """Watch the files."""
        if self._current is None:
            self.privilegedStartService()
        super().startService()

    def reload(self) -> None:
        """Read the files again, and keep what there is if they are broken."""
        self._watch.note()
        try:
            self._take(self._read(readRegularFile))
        except CannotStart as error:
            self._kept(str(error))

    def _take(self, current: T) -> None:
        self._current = current
        for listener in self._listeners:
            listener(current)


def readFile(path: str) -> bytes:
    """
    Read a whole file, or a pipe up to its end: for who may wait.

    @raise CannotStart: one line that names it and says why it cannot be read, or that
        it has more than L{MAX_SIZE}
    """
    try:
        with open(path, "rb") as file:
            return _wholeOf(file, path)
    except OSError as error:
        raise CannotStart(f"{path} cannot be read: {error.strerror}") from None


def readRegularFile(path: str) -> bytes:
    """
    Read a whole file in a server that runs, and has no time to wait for others.

    @raise CannotStart: see L{readFile}; or if it is a pipe or a device
    """
    try:
        with open(path, "rb", opener=_openAtOnce) as file:
            if not S_ISREG(os.fstat(file.fileno()).st_mode):
                raise CannotStart(
                    f"{path} is no regular file: such are read at the start only"
                )
            return _wholeOf(file, path)
    except OSError as error:
        raise CannotStart(f"{path} cannot be read: {error.strerror}") from None


def _openAtOnce(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _wholeOf(file: BinaryIO, path: str) -> bytes:
    content = file.read(MAX_SIZE + 1)
    if len(content) > MAX_SIZE:
        raise CannotStart(f"{path} has more than {MAX_SIZE >> 20} MiB")
    return content


def _signatureOf(path: str) -> object:
    """Answer what changes with a file; of what is none, L{None}."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    if not S_ISREG(stat.st_mode):
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
