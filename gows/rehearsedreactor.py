"""A reactor that opens no port, and refuses those that a real one would."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from ipaddress import IPv4Address as Address4
from ipaddress import IPv6Address as Address6
from ipaddress import ip_address
from typing import Final, NamedTuple

from twisted.internet.abstract import isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort
from zope.interface import implementer

_MAX_PORT: Final = 65535

_MAX_PATH: Final = 107
"""Bytes of a Unix socket's path: C{sun_path} has room for these and a NUL."""


def isDualStack() -> bool:
    """Tell whether who listens on C{::} has the IPv4 addresses as well."""
    try:
        with socket.socket(socket.AF_INET6) as unbound:
            return not unbound.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    except OSError:  # there is no IPv6 here
        return False


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


class _Place(NamedTuple):
    """
    What a TCP port takes.

    @ivar hosts: addresses; an unspecified one stands for all of its version
    """

    port: int
    hosts: tuple[Address4 | Address6, ...]


class RehearsedReactor:
    """What endpoints need of a reactor: it finds addresses, and remembers them."""

    def __init__(self, *, isDualStack: bool) -> None:
        """
        Begin with nothing taken.

        @param isDualStack: see L{isDualStack}
        """
        self._isDualStack = isDualStack
        self._places: list[_Place] = []
        self._paths: dict[str, bool] = {}

    def listenTCP(
        self, port: int, factory: object, backlog: int = 50, interface: str = ""
    ) -> _Port:
        """
        Take a port.

        @raise CannotListenError: if the interface is the name of no address, or what
            listens already has the port
        @raise OverflowError: if there is no such port
        """
        address = _addressOf(port, interface)
        place = _placeOf(address, self._isDualStack)
        if any(_clash(place, other) for other in self._places):
            raise CannotListenError(interface, port, _error(errno.EADDRINUSE))
        self._places.append(place)
        return _Port(address)

    def listenSSL(
        self,
        port: int,
        factory: object,
        contextFactory: object,
        backlog: int = 50,
        interface: str = "",
    ) -> _Port:
        """Take a port, see L{listenTCP}."""
        return self.listenTCP(port, factory, backlog, interface)

    def listenUNIX(
        self,
        address: str,
        factory: object,
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: bool = False,
    ) -> _Port:
        """
        Take a path.

        A socket that is there is accepted: the server that runs has it, or one that is
        gone has left it, with a lock by which Twisted knows.

        @raise CannotListenError: if no socket can be there
        """
        isAbstract = address.startswith("\0")  # Linux's names that are no paths
        try:
            if not isAbstract:
                _checkFolder(address)
            if wantPID:
                _checkLock(address + ".lock")
            path = address if isAbstract else _realPath(address)
            if wantPID and self._paths.get(path, False):
                raise OSError("Cannot acquire lock")
            if len(os.fsencode(address)) > _MAX_PATH + isAbstract:
                raise OSError("AF_UNIX path too long")
            if path in self._paths or _isOther(address):
                raise _error(errno.EADDRINUSE)
        except OSError as error:
            raise CannotListenError(None, address, error) from None
        self._paths[path] = wantPID
        return _Port(UNIXAddress(address))


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _checkFolder(path: str) -> None:
    if not path:
        raise _error(errno.ENOENT)
    # Who may look into it is not looked at: that need not be who asks.
    with suppress(PermissionError):
        os.stat(os.path.join(os.path.dirname(path) or ".", ""))


def _checkLock(path: str) -> None:
    # Twisted's lock is a link: with none there is no lock, and what is no link fails.
    with suppress(FileNotFoundError, PermissionError):
        os.readlink(path)


def _realPath(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def _isOther(path: str) -> bool:
    """Tell whether something is there that is no socket."""
    if not os.path.lexists(path):
        return False
    try:
        return not stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:  # a link that leads nowhere
        return True


def _clash(one: _Place, two: _Place) -> bool:
    if one.port == 0 or one.port != two.port:
        return False
    return any(
        mine.version == other.version
        and (mine == other or mine.is_unspecified or other.is_unspecified)
        for mine in one.hosts
        for other in two.hosts
    )


def _placeOf(address: IPv4Address | IPv6Address, isDualStack: bool) -> _Place:
    host = ip_address(address.host)
    if isinstance(host, Address6) and host.ipv4_mapped is not None:
        host = host.ipv4_mapped
    elif isinstance(host, Address6) and host.is_unspecified and isDualStack:
        return _Place(address.port, (host, Address4(0)))
    return _Place(address.port, (host,))


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
