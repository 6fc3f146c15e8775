"""What a start does with ports, without opening one."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any, Final, cast

from msgspec import structs
from twisted.internet.abstract import isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorCore
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.logger import LogEvent
from zope.interface import implementer

from gows.journal import Journal
from gows.listening import ListeningService, doors, isInherited
from gows.operatorsport import operatorsPort
from gows.settings import Settings

_MAX_PORT: Final = 65535

_ALL: Final = frozenset(("0.0.0.0", "::"))
"""Addresses that stand for all of a host."""


def rehearse(settings: Settings) -> None:
    """
    Make all endpoints, and look who would reach them.

    Whether another process has a port is not seen, nor whether it may be opened.
    Sockets of systemd are there at the start only: they are passed over.

    @raise CannotStart: as the start of a server with these settings would
    """
    reactor = cast(IReactorCore, _Reactor())
    journal = Journal("critical", Clock(), _unwritten)
    ports = []
    made = tuple(one for one in settings.listen if not isInherited(one))
    if made or not settings.listen:
        listed = structs.replace(settings, listen=made)
        ports.append(
            ListeningService(lambda: doors(listed, None, reactor), Factory(), journal)
        )
    if settings.admin is not None:
        hasKeys = settings.apiKeyFile is not None
        port = operatorsPort(
            settings.admin, Factory(), journal, reactor, hasKeys=hasKeys
        )
        if not isInherited(settings.admin):
            ports.append(port)
    for port in ports:
        port.privilegedStartService()


def _unwritten(event: LogEvent) -> None:
    """Write nothing: nobody listens anywhere."""


@implementer(IListeningPort)
class _Port:
    """A port where nobody listens."""

    def __init__(self, address: IAddress) -> None:
        self._address = address

    def startListening(self) -> None:
        """Do nothing."""

    def stopListening(self) -> Deferred[None]:
        return succeed(None)

    def getHost(self) -> IAddress:
        return self._address


class _Reactor:
    """What endpoints need of a reactor: it finds addresses, and opens no port."""

    def __init__(self) -> None:
        self._taken: list[IPv4Address | IPv6Address] = []

    def listenTCP(
        self, port: int, factory: object, backlog: int = 50, interface: str = ""
    ) -> _Port:
        return self._port(port, interface)

    def listenSSL(
        self,
        port: int,
        factory: object,
        contextFactory: object,
        backlog: int = 50,
        interface: str = "",
    ) -> _Port:
        return self._port(port, interface)

    def listenUNIX(self, address: str, factory: object, **options: Any) -> _Port:
        return _Port(UNIXAddress(address))

    def _port(self, port: int, interface: str) -> _Port:
        address = _addressOf(port, interface)
        if any(_clash(address, other) for other in self._taken):
            error = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            raise CannotListenError(interface, port, error)
        self._taken.append(address)
        return _Port(address)


def _clash(one: IPv4Address | IPv6Address, two: IPv4Address | IPv6Address) -> bool:
    if one.port == 0 or one.port != two.port or type(one) is not type(two):
        return False
    return one.host == two.host or not _ALL.isdisjoint((one.host, two.host))


def _addressOf(port: int, interface: str) -> IPv4Address | IPv6Address:
    """
    Find where Twisted would listen.

    @raise CannotListenError: if the interface is the name of no address
    @raise OverflowError: if there is no such port
    """
    if not 0 <= port <= _MAX_PORT:
        raise OverflowError(f"a port is a number from 0 to {_MAX_PORT}")
    isIPv6 = isIPv6Address(interface)
    family = socket.AF_INET6 if isIPv6 else socket.AF_INET
    try:
        found = socket.getaddrinfo(
            interface or "0.0.0.0", port, family, socket.SOCK_STREAM
        )
    except OSError as error:
        raise CannotListenError(interface, port, error) from None
    host = str(found[0][4][0])
    return IPv6Address("TCP", host, port) if isIPv6 else IPv4Address("TCP", host, port)
