"""What the kernel knows of a connection (tcp(7), unix(7))."""

from __future__ import annotations

import socket
import struct
from fcntl import ioctl
from termios import TIOCOUTQ
from typing import Final

_ACKNOWLEDGED: Final = struct.Struct("=120xQ")  # of Linux's struct tcp_info
_QUEUED: Final = struct.Struct("=i")


def acknowledged(connection: socket.socket) -> int | None:
    """
    Count the bytes that have arrived at the peer's side since it connected.

    @return: L{None} if the kernel does not tell: it is not Linux, or the socket not
        TCP
    """
    try:
        info = connection.getsockopt(
            socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED.size
        )
    except (AttributeError, OSError):
        return None
    if len(info) < _ACKNOWLEDGED.size:
        return None
    count: int = _ACKNOWLEDGED.unpack(info)[0]
    return count


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
