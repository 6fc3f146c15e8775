"""The lines that are logged of what happens to the process; see L{gows.journal}."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.logger import ILogObserver, Logger
from twisted.python.failure import Failure


class ServiceJournal:
    """Writes what happens to the process."""

    def __init__(self, observer: ILogObserver) -> None:
        """Write to an observer."""
        self._service = Logger("gows.service", observer=observer)

    def openFiles(self, limit: int, connections: int) -> None:
        """Write how many files may be open, and so how many connections."""
        self._service.info(
            "open files are limited to {limit}: room for about {connections} "
            "connections",
            limit=limit,
            connections=connections,
        )

    def listening(self, where: str, secure: bool, name: str = "") -> None:
        """Write that a port is open, and what is behind it if that is not the chat."""
        self._service.info(
            "listening on {where}{tls}{name}",
            where=where,
            tls=" (TLS)" if secure else "",
            name=f": {name}" if name else "",
        )

    def noTokens(self, isOpenToOthers: bool) -> None:
        """Write that URLs are believed; loudly, if other hosts can come."""
        if isOpenToOthers:
            self._service.warn(
                "NO TOKENS ARE ASKED FOR (token-key), AND OTHER HOSTS CAN CONNECT: "
                "anybody may come in as anybody, and say anything to everybody"
            )
        else:
            self._service.info(
                "no tokens are asked for (token-key): whoever connects is who it says"
            )

    def cannotStart(self, line: str) -> None:
        """Write why the server does not start."""
        self._service.error("cannot start: {line}", line=line)

    def certificateLoaded(self, path: str) -> None:
        """Write that new connections get this certificate."""
        self._service.info("certificate read from {path}", path=path)

    def certificateKept(self, line: str) -> None:
        """Write that a new certificate is broken and the old one stays."""
        self._service.error(
            "the certificate was not read again, the old one stays: {line}", line=line
        )

    def tokenKeysRead(self, path: str, count: int) -> None:
        """Write that tokens are checked with so many keys from now on."""
        self._service.info(
            "keys of tokens read from {path}: {count}", path=path, count=count
        )

    def tokenKeysKept(self, line: str) -> None:
        """Write that a new file of keys is broken and the old ones stay."""
        self._service.error(
            "the keys of tokens were not read again, the old ones stay: {line}",
            line=line,
        )

    def logReopened(self) -> None:
        """Write that the log file was opened anew: the first line in it."""
        self._service.info("log file opened anew")

    def logNotReopened(self, line: str) -> None:
        """Write that the log file could not be opened anew."""
        self._service.error(
            "the log file was not opened anew, the old one stays: {line}", line=line
        )

    def stopping(self, connections: int, seconds: float) -> None:
        """Write that the server stops and whom it waits for."""
        self._service.info(
            "stopping: telling {connections} connections, waiting at most "
            "{seconds:g} s",
            connections=connections,
            seconds=seconds,
        )

    def cut(self, connections: int) -> None:
        """Write that connections were cut because they did not close in time."""
        self._service.warn("cut {connections} connections", connections=connections)

    def proxyCuts(
        self, pingInterval: float, period: int, cuts: int, ofAll: int
    ) -> None:
        """
        Write that connections seem to be cut by somebody between.

        @param pingInterval: seconds between pings; 0: there are none
        @param period: after so many seconds
        @param cuts: so many were, of so many that ended without a close frame
        """
        hasPings = 0 < pingInterval < period
        self._service.warn(
            "a proxy between you and your clients seems to cut idle connections at "
            "{period} s: lower --ping-interval (it is {pingInterval:g} s{pings}); "
            "{cuts} of {ofAll} cut ones were cut then",
            period=period,
            pingInterval=pingInterval,
            pings=": if less does not help, raise that proxy's timeout"
            if hasPings
            else "",
            cuts=cuts,
            ofAll=ofAll,
        )

    def ledgerFailed(self, failure: Failure) -> None:
        """Write that what there is once could not be looked up, with the traceback."""
        self._service.failure("the ledger failed", failure)

    # The operators' door.

    def doorMissing(self, settings: Iterable[str]) -> None:
        """Write that settings of the operators' door are there, but not the door."""
        self._service.warn(
            "there is no operators' door (admin), so these do nothing: {settings}",
            settings=", ".join(settings),
        )

    def apiKeysRead(self, path: str, count: int) -> None:
        """Write that so many keys open the operators' door from now on."""
        self._service.info("API keys read from {path}: {count}", path=path, count=count)

    def apiKeysKept(self, line: str) -> None:
        """Write that a new file of API keys is broken and the old ones stay."""
        self._service.error(
            "the API keys were not read again, the old ones stay: {line}", line=line
        )

    def keyRefused(self, address: str) -> None:
        """Write that a wrong API key came."""
        self._service.warn("a wrong API key came from {address}", address=address)

    def keysDropped(self, address: str) -> None:
        """Write that so many wrong ones came that no more are looked at for a while."""
        self._service.warn(
            "too many wrong API keys came from {address}: it has to wait",
            address=address,
        )

    def operatorDisconnected(self, name: str, address: str, count: int) -> None:
        """Write who closed connections."""
        self._service.info(
            "{name} at {address} closes {count} connections",
            name=name,
            address=address,
            count=count,
        )

    def tracingBegun(self, name: str, address: str) -> None:
        """Write who has allocations traced, which slows down the server."""
        self._service.warn(
            "{name} at {address} has allocations traced, which makes them slower "
            "(/debug/heap?action=stop ends it)",
            name=name,
            address=address,
        )

    def tracingEnded(self) -> None:
        """Write that allocations are not traced any more."""
        self._service.info("allocations are not traced any more")

    def requestFailed(self, failure: Failure) -> None:
        """Write that a request to the operators' door failed, with the traceback."""
        self._service.failure("a request of an operator failed", failure)
