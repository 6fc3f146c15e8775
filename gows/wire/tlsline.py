"""The way from an outbox to a peer over TLS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from OpenSSL import SSL
from twisted.internet.tcp import Connection

from gows.wire.line import Owner, Part, Send, SocketLine

_AT_ONCE: Final = 64 * 1024  # what the socket does not take of it is a copy
_RECORD: Final = 16 * 1024  # OpenSSL takes no more at a time (RFC 8446, 5.1)
_OVERHEAD: Final = 1280  # of five records, amply (RFC 8446, 5.2)


class TLSLine(SocketLine):
    """
    Through OpenSSL, and straight to the socket below.

    Twisted gathers small writes over TLS until the next reactor turn, and then waits
    for another one to write. Here everything has been gathered already: one record
    goes through the connection's own C{send} and C{bio_read} to the socket. What
    that does not take must follow in order, before whatever Twisted itself may
    have OpenSSL say, so it goes to Twisted's buffer.
    """

    __slots__ = ("_secure",)

    atOnce = _AT_ONCE

    def __init__(self, transport: Connection, owner: Owner, secure: Any) -> None:
        """
        Send to this transport's socket.

        @param secure: the TLS transport on top of it
        """
        super().__init__(transport, owner)
        self._secure = secure

    @property
    def direct(self) -> Send | None:
        """See L{Line}."""
        return None

    @property
    def isClear(self) -> bool:
        """See L{Line}."""
        # The only way to know without having written everything oneself. A test
        # fails when it moves.
        transport: Any = self._transport
        return not (transport.dataBuffer or transport._tempDataBuffer)

    def send(self, data: Part) -> int:
        """See L{Line.send}."""
        taken, left = 0, memoryview(data)
        while left and self.isClear:
            records = self._encrypted(left[: self.atOnce])
            taken += len(left[: self.atOnce])
            left = left[self.atOnce :]
            try:
                sent = self._transport.getHandle().send(records)
            except BlockingIOError:
                sent = 0
            if sent < len(records):
                self._transport.write(records[sent:])
        return taken

    def sendParts(self, parts: Sequence[Part]) -> int:
        """See L{Line.sendParts}."""
        return self.send(b"".join(parts))

    def _encrypted(self, data: memoryview) -> bytes:
        connection: SSL.Connection = self._secure.getHandle()
        room = len(data) + _OVERHEAD
        while data:
            data = data[connection.send(data[:_RECORD]) :]
        records = connection.bio_read(room)
        while len(records) % room == 0:  # OpenSSL had something to say before
            try:
                records += connection.bio_read(room)
            except SSL.WantReadError:
                break
        return records
