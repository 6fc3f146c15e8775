"""The ports of the public door."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from OpenSSL import SSL, crypto
from twisted.application.service import Service
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, DeferredList, maybeDeferred
from twisted.internet.endpoints import (
    quoteStringArgument,
    serverFromString,
    wrapServerTLS,
)
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IListeningPort,
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IReactorCore,
    IStreamServerEndpoint,
)
from twisted.python.failure import Failure

from gows.errors import CannotStart
from gows.journal import Journal
from gows.settings import Settings

_ARGUMENT = re.compile(r"(?<!\\):")

BACKLOG = 1024
"""Connections that the kernel holds for --port until they are accepted."""


class Door(NamedTuple):
    """
    One place to listen.

    @ivar description: the endpoint string, for the log
    @ivar isSecure: whether it speaks TLS
    """

    description: str
    isSecure: bool
    endpoint: IStreamServerEndpoint


def doors(
    settings: Settings,
    certificate: IOpenSSLServerConnectionCreator | None,
    reactor: IReactorCore,
) -> Iterator[Door]:
    """
    Make the endpoints that the settings ask for.

    @param certificate: for those that do not bring TLS themselves
    @raise CannotStart: one line that says which one is wrong
    """
    for description in settings.listen or [_simpleWay(settings)]:
        door = doorOf(description, "listen", reactor)
        if certificate is not None and not door.isSecure:
            endpoint = wrapServerTLS(certificate, door.endpoint)
            door = Door(description, True, endpoint)
        yield door


def doorOf(description: str, setting: str, reactor: IReactorCore) -> Door:
    """
    Make an endpoint.

    @param setting: whose value the description is
    @raise CannotStart: one line that says what is wrong with it
    """
    bringsTLS = _bringsTLS(description, setting)
    try:
        endpoint = serverFromString(reactor, description)
    except Exception as error:  # plugins parse it, and raise what they like
        raise CannotStart(
            f"{setting} {description!r} is not understood: {_explained(error)}"
        ) from error
    return Door(description, bringsTLS, endpoint)


def _simpleWay(settings: Settings) -> str:
    kind = "tcp6" if ":" in settings.interface else "tcp"
    interface = quoteStringArgument(settings.interface)
    return f"{kind}:{settings.port}:interface={interface}:backlog={BACKLOG}"


def isInherited(description: str) -> bool:
    """Tell whether the socket is not made at the start, but comes from systemd."""
    kind, _ = _kindOf(description)
    return kind == "systemd"


def isProxied(description: str) -> bool:
    """Tell whether what comes there comes through a proxy."""
    return description.lower().startswith("haproxy:")


def _kindOf(description: str) -> tuple[str, list[str]]:
    kind, *rest = _ARGUMENT.split(description)
    # Twisted takes those of its plugins in capitals as well, and no tcp, unix or ssl.
    kind = kind.lower()
    while kind == "haproxy" and rest:
        kind, *rest = rest[0].lower(), *rest[1:]
    return kind, rest


def _bringsTLS(description: str, setting: str) -> bool:
    kind, rest = _kindOf(description)
    if isProxied(description) and kind in ("ssl", "tls"):
        raise CannotStart(
            f"{setting} {description!r} expects the PROXY header inside TLS, which no "
            "proxy sends: take haproxy:tcp:... with --cert and --key"
        )
    if kind == "stdio":
        raise CannotStart(f"{setting} {description!r} is no port to listen on")
    if kind == "tls":
        _checkFolder(description, setting, rest)
    return kind in ("ssl", "tls")


def _checkFolder(description: str, setting: str, arguments: list[str]) -> None:
    # Twisted would listen, and look for a certificate when somebody comes.
    for argument in arguments[:1]:
        folder = Path(argument.removeprefix("path=").replace("\\:", ":"))
        if not any(folder.glob("*.pem")):
            raise CannotStart(
                f"{setting} {description!r}: {folder} holds no .pem files"
            )


def _explained(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]!r} here"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, SSL.Error | crypto.Error):
        return "its certificate or key is no good PEM"
    if isinstance(error, TypeError):
        return "an argument is missing, unknown, or one too many"
    if "invalid literal for int" in str(error):
        return "a number is missing, or is none"
    return " ".join(str(error).split()) or "it ends too early"


class ListeningService(Service):
    """Listens at all doors, or ends the start with one line."""

    def __init__(
        self,
        makeDoors: Callable[[], Iterable[Door]],
        factory: IProtocolFactory,
        journal: Journal,
        *,
        name: str = "",
        onlyHere: str = "",
    ) -> None:
        """
        Listen for a factory, once started.

        @param makeDoors: called at the start; see L{doors}
        @param name: what is behind the doors, for the log
        @param onlyHere: why other hosts must not reach them; empty: they may
        """
        self._makeDoors = makeDoors
        self._factory = factory
        self._journal = journal
        self._name = name
        self._onlyHere = onlyHere
        self._ports: list[IListeningPort] = []
        self._hasBegun = False

    def privilegedStartService(self) -> None:
        """
        Bind, while the process may still be root.

        @raise CannotStart: if a door is wrong, or a port taken or not allowed, or one
            that other hosts reach and must not
        """
        super().privilegedStartService()
        self._hasBegun = True
        for door in self._makeDoors():
            failures: list[Failure] = []
            listening = door.endpoint.listen(self._factory)
            listening.addCallback(self._listens, door)
            listening.addErrback(failures.append)
            for failure in failures:
                raise CannotStart(
                    f"cannot listen on {door.description}: {_reason(failure)}"
                ) from failure.value
        if self._onlyHere and self.isOpenToOthers:
            raise CannotStart(self._onlyHere)

    def startService(self) -> None:
        """Listen, unless that has begun."""
        super().startService()
        if not self._hasBegun:
            self.privilegedStartService()

    def stopService(self) -> Deferred[Any]:
        """Accept no more connections."""
        super().stopService()
        ports, self._ports = self._ports, []
        return DeferredList([maybeDeferred(port.stopListening) for port in ports])

    @property
    def ports(self) -> tuple[IListeningPort, ...]:
        """The open ports, in the order of the doors."""
        return tuple(self._ports)

    @property
    def isOpenToOthers(self) -> bool:
        """Whether other hosts may reach a port."""
        hosts = [port.getHost() for port in self._ports]
        return any(
            isinstance(host, IPv4Address | IPv6Address)
            and not ip_address(host.host.partition("%")[0]).is_loopback
            for host in hosts
        )

    def _listens(self, port: IListeningPort, door: Door) -> None:
        self._ports.append(port)
        address = port.getHost()
        where = door.description
        if isinstance(address, IPv4Address | IPv6Address):
            where = f"{address.host}:{address.port}"
        self._journal.listening(where, door.isSecure, self._name)


def _reason(failure: Failure) -> str:
    error = failure.value
    if isinstance(error, CannotListenError):
        error = error.socketError
    return getattr(error, "strerror", None) or " ".join(str(error).split())
