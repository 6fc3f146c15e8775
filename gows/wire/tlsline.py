"""The way from an outbox to a peer over TLS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from OpenSSL import SSL
from twisted.internet.tcp import Connection

from gows.wire.line import Owner, Part, Send, SocketLine

_AT_ONCE: Final = 64 * 1024  # what the socket does not take of it is a copy
_OVERHEAD: Final = 1280  # of five records, amply (RFC 8446, 5.2)


class TLSLine(SocketLine):
    """
    Through OpenSSL, and straight to the socket below.

    Twisted gathers small writes over TLS until the next reactor turn, and then waits
    for another one to write. Here everything has been gathered already: one record
    goes through the connection's own C{send} and C{bio_read} to the socket. What
    that does not take must follow in order, before whatever Twisted itself may
    have OpenSSL say, so it goes to Twisted's buffer.

    The producer is one of the transport below: C{loseConnection} of the TLS transport
    would not wait for it. L{gows.wire.outbox.Outbox.finish} does. OpenSSL takes
    whatever it is given: there is no renegotiation (OpenSSL 3 refuses clients').
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
        return self.send

    @property
    def isClear(self) -> bool:
        """Whether all that was taken has left the process."""
        # The only way to know without having written everything oneself. A test
        # fails when it moves.
        transport: Any = self._transport
        return not (transport.dataBuffer or transport._tempDataBuffer)

    def send(self, data: Part) -> int:
        """See L{Line.send}."""
        taken = 0
        while taken < len(data) and self.isClear:
            part = data if len(data) <= _AT_ONCE else _slice(data, taken)
            self._pass(self._encrypted(part))
            taken += len(part)
        return taken

    def _pass(self, records: bytes) -> None:
        try:
            sent = self._transport.getHandle().send(records)
        except BlockingIOError:
            sent = 0
        if sent < len(records):
            self._transport.write(records[sent:])

    def sendParts(self, parts: Sequence[Part]) -> int:
        """See L{Line.sendParts}."""
        return self.send(b"".join(parts))

    def _encrypted(self, data: Part) -> bytes:
        connection: SSL.Connection = self._secure.getHandle()
        taken = connection.send(data)  # one record, of 16 KiB at the most
        while taken < len(data):
            taken += connection.send(memoryview(data)[taken:])
        room = taken + _OVERHEAD
        records = connection.bio_read(room)
        while len(records) % room == 0:  # OpenSSL had something to say before
            try:
                records += connection.bio_read(room)
            except SSL.WantReadError:
                break
        return records


def _slice(data: Part, start: int) -> memoryview:
    return memoryview(data)[start : start + _AT_ONCE]
