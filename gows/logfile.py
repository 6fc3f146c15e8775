"""The log file of C{--log-file}."""

from __future__ import annotations

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
            raise CannotStart(
                f"the log file {path} cannot be opened: {error.strerror or error}"
            ) from None
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
