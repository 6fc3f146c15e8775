"""How a connection ended, read from what Autobahn remembers of it."""

from __future__ import annotations

from typing import NamedTuple

from autobahn.twisted.websocket import WebSocketServerProtocol
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.python.failure import Failure

from gows.errors import ProtocolError
from gows.wire.closing import ABNORMAL, NO_STATUS


class Ending(NamedTuple):
    """
    How a connection ended.

    @ivar wasClean: whether there was a complete closing handshake
    @ivar code: of the close frame that began it; 1005 if that had none, 1006 if
        there was no close frame
    @ivar reason: in that close frame
    @ivar failure: of the protocol or the transport; L{None}: nothing failed
    """

    wasClean: bool
    code: int
    reason: str
    failure: Failure | None


def endingOf(connection: WebSocketServerProtocol, lost: Failure) -> Ending:
    """
    Tell how a connection ended whose transport is gone.

    @param lost: why the transport says it is gone
    """
    code, reason = _codeAndReason(connection)
    return Ending(connection.wasClean, code, reason, _failure(connection, lost))


def wasCut(ending: Ending, lost: Failure, failure: Failure | None) -> bool:
    """
    Tell whether a connection was cut, and not by us.

    @param lost: why the transport says it is gone
    @param failure: how sending to it failed, if it did
    """
    if ending.code != ABNORMAL:
        return False
    return failure is not None or not lost.check(ConnectionAborted)


def _codeAndReason(connection: WebSocketServerProtocol) -> tuple[int, str]:
    if connection.closedByMe and connection.localCloseCode is not None:
        return connection.localCloseCode, _decoded(connection.localCloseReason)
    if connection.wasClean:
        return (
            connection.remoteCloseCode or NO_STATUS,
            connection.remoteCloseReason or "",
        )
    return ABNORMAL, ""


def _failure(connection: WebSocketServerProtocol, lost: Failure) -> Failure | None:
    if connection.failedByMe:
        words = _decoded(connection.localCloseReason)
        return Failure(ProtocolError(f"{connection.localCloseCode} {words}"))
    if connection.wasClean:
        return None
    if connection.droppedByMe:
        return Failure(ProtocolError(connection.wasNotCleanReason))
    if lost.check(ConnectionDone, ConnectionAborted):
        return None
    return lost


def _decoded(reason: bytes | None) -> str:
    return (reason or b"").decode("utf-8", "replace")
