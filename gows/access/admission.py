"""Whether an opening is let in: the one place that decides."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from inspect import isawaitable
from typing import Any, Literal

import msgspec
from twisted.internet.defer import Deferred

from gows.access.origins import AllowedOrigins
from gows.access.request import OpeningRequest, RequestHead
from gows.chat.context import Context, contextOfQuery
from gows.chat.grant import NO_LIMITS, NOTHING
from gows.chat.registry import Registry
from gows.errors import Refusal
from gows.interfaces import IRequest

DuplicatePolicy = Literal["replace", "refuse", "allow"]

_RETRY_AFTER = "2"
"""Seconds after which a full or stopping server is asked again."""


class Admission:
    """
    Decides on openings, for those that come and for those that only ask.

    @ivar draining: set when the server is stopping; nobody is let in any more
    """

    def __init__(
        self,
        onConnect: Callable[
            [IRequest], Context | Refusal | Awaitable[Context | Refusal]
        ],
        registry: Registry[Any],
        *,
        origins: AllowedOrigins,
        duplicate: DuplicatePolicy,
        maxConnections: int,
        newKey: Callable[[], str] | None,
    ) -> None:
        """
        Decide by these rules.

        @param onConnect: the application's word; it has the last one on who comes
        @param registry: who is here
        @param maxConnections: 0 for no limit
        @param newKey: makes a specialKey for who has none; L{None}: refused
        """
        self.draining = False
        self._onConnect = onConnect
        self._registry = registry
        self._origins = origins
        self._duplicate = duplicate
        self._maxConnections = maxConnections
        self._newKey = newKey

    async def admit(
        self, head: RequestHead, address: str, origin: str | None, isCheck: bool = False
    ) -> Context:
        """Decide on one opening, as L{decide} does, and wait for the application."""
        decision = self.decide(head, address, origin, isCheck)
        return decision if isinstance(decision, Context) else await decision

    def decide(
        self, head: RequestHead, address: str, origin: str | None, isCheck: bool = False
    ) -> Context | Coroutine[Any, Any, Context]:
        """
        Decide on one opening.

        Whoever registers the context must do so before anything else happens in
        the reactor, or the last checks are void.

        @param address: the client's own
        @param origin: its Origin header
        @param isCheck: whether it only asks
        @return: who comes in; a coroutine if the application takes its time
        @raise Refusal: with the status and text that the client shall get; the
            coroutine raises it as well
        """
        self._checkOpen()
        self._origins.check(origin)
        context = contextOfQuery(head.query, self._newKey, NO_LIMITS)
        answer = self._onConnect(
            OpeningRequest(context, head, address, origin, isCheck)
        )
        if isinstance(answer, Context | Refusal):
            return self._settle(answer)
        if isinstance(answer, Deferred) or isawaitable(answer):
            return self._settleLater(answer)
        return self._settle(answer)

    async def _settleLater(self, answer: Awaitable[Context | Refusal]) -> Context:
        return self._settle(await answer)

    def _settle(self, answer: Context | Refusal) -> Context:
        if isinstance(answer, Refusal):
            raise answer
        if not isinstance(answer, Context):
            raise TypeError(
                "onConnect must answer a Context or a Refusal, not "
                f"{type(answer).__name__}"
            )
        self._checkOpen()
        self._checkRoom(answer.key)
        if answer.grant is NOTHING:
            return msgspec.structs.replace(answer, grant=NO_LIMITS)
        return answer

    def _checkOpen(self) -> None:
        if self.draining:
            raise Refusal(
                503, "The server is stopping: try again.", Retry_After=_RETRY_AFTER
            )

    def _checkRoom(self, key: str) -> None:
        taken = bool(self._registry.holders(key))
        if taken and self._duplicate == "refuse":
            raise Refusal(409, "This specialKey is connected already.")
        takesOver = taken and self._duplicate == "replace"
        full = 0 < self._maxConnections <= len(self._registry)
        if full and not takesOver:
            raise Refusal(
                503, "The server is full: try again later.", Retry_After=_RETRY_AFTER
            )
