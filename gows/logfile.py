"""The log file of C{--log-file}."""

from __future__ import annotations

import errno
import os

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    textFileLogObserver,
)
from twisted.python.logfile import LogFile

from gows.errors import CannotStart
from gows.journal import Journal


def checkLogFile(path: str) -> None:
    """
    Look whether a log file can be opened, without opening it: that would make it.

    Who may write to it is not looked at: that need not be who asks.

    @raise CannotStart: if it is a folder, or its own folder is not there
    """
    whole = os.path.abspath(path)
    if os.path.isdir(whole):
        raise _cannotBeOpened(path, os.strerror(errno.EISDIR))
    if not os.path.isdir(os.path.dirname(whole)):
        raise _cannotBeOpened(path, os.strerror(errno.ENOENT))


def _cannotBeOpened(path: str, reason: str) -> CannotStart:
    return CannotStart(f"the log file {path} cannot be opened: {reason}")


class LogFileObserver:
    """
    Writes log events to a file as text lines: time, namespace, level, text.

    @ivar observer: to be given to Twisted's logging
    """

    def __init__(self, path: str, level: str) -> None:
        """
        Open the file, to append to it.

        @param level: events below it are not written
        @raise CannotStart: if it cannot be opened
        """
        try:
            # Rotation is left to logrotate: no length at which to begin a new one.
            self._file = LogFile.fromFullPath(path, rotateLength=None)
        except OSError as error:
            raise _cannotBeOpened(path, error.strerror or str(error)) from None
        wanted = LogLevelFilterPredicate(LogLevel.levelWithName(level))
        self.observer: ILogObserver = FilteringLogObserver(
            textFileLogObserver(self._file), [wanted]
        )

    def reopen(self, journal: Journal) -> None:
        """Open the file anew, under its name; if that fails the old one stays."""
        try:
            LogFile.fromFullPath(self._file.path, rotateLength=None).close()
        except OSError as error:
            journal.logNotReopened(error.strerror or str(error))
        else:
            self._file.reopen()
            journal.logReopened()
