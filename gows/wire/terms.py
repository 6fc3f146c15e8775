"""What all outboxes of a server have in common."""

from __future__ import annotations

from typing import Literal, NamedTuple

from gows.wire.backlog import Backlog
from gows.wire.turn import Turn

SlowPolicy = Literal["close", "drop-oldest", "latest"]


class Terms(NamedTuple):
    """
    When outboxes send, and how much may wait in them.

    @ivar turn: when to send
    @ivar backlog: counts what waits for anybody
    @ivar limit: how many bytes may wait for one reader, besides what the kernel
        holds; one batch more may, which is what a turn had, or one large message
    @ivar policy: for a reader for whom more would wait
    @ivar sendBuffer: bytes that the kernel may hold for one; 0: its own choice
    """

    turn: Turn
    backlog: Backlog
    limit: int
    policy: SlowPolicy
    sendBuffer: int
