"""The shortest way through a transport."""

from __future__ import annotations

import socket
from typing import Any

from OpenSSL import SSL
from twisted.internet.tcp import Connection
from twisted.protocols.policies import ProtocolWrapper

from gows.wire.line import Line, Owner, SocketLine, TransportLine
from gows.wire.tlsline import TLSLine


def lineOf(transport: Any, owner: Owner) -> Line:
    """
    Find the shortest way through a transport.

    @param transport: TCP, Unix, PROXY wrappers around it, TLS on top: these have a
        socket. Anything else is written to.
    """
    base = transport
    while isinstance(base, ProtocolWrapper):
        base = base.transport
    if isinstance(base, Connection):
        handle = transport.getHandle()
        if isinstance(handle, socket.socket):
            return SocketLine(base, owner)
        if isinstance(handle, SSL.Connection):
            return TLSLine(base, owner, transport)
    return TransportLine(transport, owner)
