"""The root service: start, reload, drain, stop."""

from __future__ import annotations

from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.logger import ILogObserver
from twisted.python.components import Componentized

from gows.access.keyfile import ReloadingTokenKeys
from gows.access.limits import connectionsWithin, raiseOpenFiles
from gows.certificates import ReloadingCertificate
from gows.errors import CannotStart
from gows.journal import Journal
from gows.listening import ListeningService
from gows.logfile import LogFileObserver
from gows.signals import Signals
from gows.terminal import Terminal
from gows.wire.factory import GowsFactory


class GowsService(MultiService):
    """
    A whole server.

    @ivar factory: the chat
    @ivar listening: its ports
    """

    def __init__(
        self,
        factory: GowsFactory,
        listening: ListeningService,
        certificate: ReloadingCertificate | None,
        tokenKeys: ReloadingTokenKeys | None,
        logFile: LogFileObserver | None,
        *,
        drainTimeout: float,
        journal: Journal,
        terminal: Terminal,
        reactor: Any,
    ) -> None:
        """
        Put a server together.

        @param drainTimeout: seconds that a stop waits for clients
        """
        super().__init__()
        self.factory = factory
        self.listening = listening
        self._certificate = certificate
        self._tokenKeys = tokenKeys
        self._logFile = logFile
        self._drainTimeout = drainTimeout
        self._journal = journal
        self._terminal = terminal
        self._hasBegun = False
        for read in (certificate, tokenKeys):
            if read is not None:
                read.setServiceParent(self)
        listening.setServiceParent(self)
        Signals(reactor, self.reload, factory.hurry).setServiceParent(self)

    def setServiceParent(self, parent: object) -> None:
        """
        Join an application, whose log goes to our file if there is one.

        That is how twistd wants to be told before it begins to log.
        """
        super().setServiceParent(parent)
        if self._logFile is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._logFile.observer)

    def privilegedStartService(self) -> None:
        """Do what root may have to do: files, certificates, ports."""
        self._hasBegun = True
        limit = raiseOpenFiles()
        self._journal.openFiles(limit, connectionsWithin(limit))
        try:
            super().privilegedStartService()
        except CannotStart as error:
            self._journal.cannotStart(str(error))
            self._terminal.giveUp(str(error))

    def startService(self) -> None:
        """Begin to serve."""
        if not self._hasBegun:  # twist never calls it
            self.privilegedStartService()
        super().startService()
        if self._tokenKeys is None:
            self._journal.noTokens(self.listening.isOpenToOthers)
        self._terminal.release()

    def stopService(self) -> Deferred[list[tuple[bool, object]]]:
        """Accept nobody any more, close every connection, and wait for them."""
        stopped = maybeDeferred(super().stopService)
        return DeferredList([stopped, self.factory.drain(self._drainTimeout)])

    def reload(self) -> None:
        """Read certificate and token keys again, and open the log file anew."""
        if self._logFile is not None:
            self._logFile.reopen(self._journal)
        for read in (self._certificate, self._tokenKeys):
            if read is not None:
                read.reload()
