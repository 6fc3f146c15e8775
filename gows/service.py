"""The root service: start, reload, drain, stop."""

from __future__ import annotations

from typing import Any, NamedTuple

from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import ILogObserver
from twisted.python.components import Componentized

from gows.access.apikeys import ReloadingApiKeys
from gows.access.keyfile import ReloadingTokenKeys
from gows.access.limits import connectionsWithin, raiseOpenFiles
from gows.certificates import ReloadingCertificate
from gows.errors import CannotStart
from gows.journal import Journal
from gows.listening import ListeningService
from gows.logfile import LogFileObserver
from gows.signals import Signals
from gows.terminal import Terminal
from gows.watching import ReloadedFiles
from gows.wire.factory import GowsFactory


class Reloading(NamedTuple):
    """
    What SIGHUP has read again, or opened anew; L{None}: there is none.

    @ivar certificate: of the public door
    @ivar tokenKeys: with which tokens are checked
    @ivar apiKeys: of the operators' door
    @ivar logFile: where the log goes
    """

    certificate: ReloadingCertificate | None = None
    tokenKeys: ReloadingTokenKeys | None = None
    apiKeys: ReloadingApiKeys | None = None
    logFile: LogFileObserver | None = None

    @property
    def files(self) -> tuple[ReloadedFiles[Any] | None, ...]:
        """Those that are read from files."""
        return self.certificate, self.tokenKeys, self.apiKeys


class GowsService(MultiService):
    """
    A whole server.

    @ivar factory: the chat
    @ivar listening: its ports
    @ivar operators: the operators' door; L{None}: there is none
    """

    def __init__(
        self,
        factory: GowsFactory,
        listening: ListeningService,
        operators: IService | None,
        *,
        reloading: Reloading,
        drainTimeout: float,
        journal: Journal,
        terminal: Terminal,
        reactor: Any,
    ) -> None:
        """
        Put a server together.

        @param drainTimeout: seconds that a stop takes at the most
        """
        super().__init__()
        self.factory = factory
        self.listening = listening
        self.operators = operators
        self._reloading = reloading
        self._drainTimeout = drainTimeout
        self._journal = journal
        self._terminal = terminal
        self._hasBegun = False
        for child in (*reloading.files, operators, listening):
            if child is not None:
                child.setServiceParent(self)
        self._signals = Signals(reactor, self.reload, factory.hurry)
        self._signals.setServiceParent(self)

    def setServiceParent(self, parent: object) -> None:
        """
        Join an application, whose log goes to our file if there is one.

        That is how twistd wants to be told before it begins to log.
        """
        super().setServiceParent(parent)
        logFile = self._reloading.logFile
        if logFile is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, logFile.observer)

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
        if self._reloading.tokenKeys is None:
            self._journal.noTokens(self.listening.isOpenToOthers)
        self._terminal.release()

    def stopService(self) -> Deferred[None]:
        """
        Let nobody in any more, close every connection, and wait for them.

        The ports stay open until then: who comes meanwhile is told that the server
        stops, and by no means that there is none.
        """
        self._signals.stopping()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await self.factory.drain(self._drainTimeout)
        await maybeDeferred(super().stopService)

    def reload(self) -> None:
        """Read certificate and keys again, and open the log file anew."""
        if self._reloading.logFile is not None:
            self._reloading.logFile.reopen(self._journal)
        for read in self._reloading.files:
            if read is not None:
                read.reload()
