"""What the kernel knows of a connection (tcp(7), unix(7))."""

from __future__ import annotations

import socket
import struct
from fcntl import ioctl
from termios import TIOCOUTQ
from typing import Final, NamedTuple

# Of Linux's struct tcp_info: tcpi_bytes_acked and tcpi_bytes_received.
_TRAFFIC: Final = struct.Struct("=120xQQ")
_QUEUED: Final = struct.Struct("=i")


class Traffic(NamedTuple):
    """
    How many bytes have passed since a connection began.

    @ivar arrived: of those that were sent, at the peer's side
    @ivar received: from there
    """

    arrived: int
    received: int


def trafficOf(connection: socket.socket) -> Traffic | None:
    """
    Count the bytes that have passed.

    @return: L{None} if the kernel does not tell: it is not Linux, or the socket not
        TCP
    """
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TRAFFIC.size)
    except (AttributeError, OSError):
        return None
    return Traffic(*_TRAFFIC.unpack(info)) if len(info) == _TRAFFIC.size else None


def acknowledged(connection: socket.socket) -> int | None:
    """Count the bytes that have arrived at the peer's side; see L{trafficOf}."""
    traffic = trafficOf(connection)
    return None if traffic is None else traffic.arrived


def queued(connection: socket.socket) -> int:
    """
    Count the bytes that the kernel holds for the peer.

    @return: for a Unix socket, the memory that they take; 0 if it does not tell
    """
    try:
        answer = ioctl(connection, TIOCOUTQ, bytes(_QUEUED.size))
    except (OSError, ValueError):
        return 0
    count: int = _QUEUED.unpack(answer)[0]
    return count
