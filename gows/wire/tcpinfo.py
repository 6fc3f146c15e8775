"""What the kernel knows of a TCP connection (tcp(7), TCP_INFO)."""

from __future__ import annotations

import socket
import struct
from typing import Final

# Of Linux's struct tcp_info: packets on their way, bytes acknowledged, bytes unsent.
_LAYOUT: Final = struct.Struct("=24xI92xQ16xI")


def acknowledged(connection: socket.socket) -> int | None:
    """
    Count the bytes that have arrived at the peer's side.

    @return: since the connection was made; L{None} if none are on their way, or if
        the kernel does not tell: it is not Linux, or the socket not TCP
    """
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAYOUT.size)
    except (AttributeError, OSError):
        return None
    if len(info) < _LAYOUT.size:
        return None
    onTheirWay, arrived, unsent = _LAYOUT.unpack(info)
    return arrived if onTheirWay or unsent else None
