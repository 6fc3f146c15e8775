"""Requests that come again are not done again."""

from __future__ import annotations

from hashlib import sha256
from inspect import isawaitable
from typing import Final

import msgspec

from gows.errors import TooMany
from gows.interfaces import ILedger
from gows.web.answers import Problem
from gows.web.calls import Asked, Call

REMEMBERED: Final = 300.0
"""Seconds for which an Idempotency-Key makes requests the same."""


class _Done(msgspec.Struct):
    """
    What is remembered of a request.

    @ivar digest: of its body
    @ivar isDone: 1 if it has been done, 0 while it is: both take the same room
    @ivar answer: what was answered; empty: there was no room for it
    """

    digest: str
    isDone: int = 0
    answer: bytes = b""


class Idempotency:
    """Remembers what was answered to whom."""

    def __init__(self, ledger: ILedger) -> None:
        """Remember in a ledger."""
        self._ledger = ledger

    async def once(self, call: Call, asked: Asked) -> object:
        """
        Do what a request asks, or, if that was done, answer the same.

        @raise Problem: 409 while it is being done, or if its answer was not kept; 422
            if it was another request; 503 if there is no room to remember that it came
        """
        if not asked.idempotencyKey:
            return await _done(call, asked)
        name = _nameOf(call, asked)
        digest = sha256(msgspec.json.encode(asked.body)).hexdigest()
        begun = msgspec.json.encode(_Done(digest))
        try:
            before = await self._ledger.keepNew(name, begun, REMEMBERED)
        except TooMany:
            raise Problem(
                503, "too_many", "Too much is remembered: try later."
            ) from None
        if before is not None:
            return _again(before, digest)
        try:
            answer = await _done(call, asked)
        except BaseException:
            await self._ledger.take(name)
            raise
        raw = msgspec.json.encode(answer)
        try:
            await self._remember(name, _Done(digest, 1, raw))
        except TooMany:
            await self._remember(name, _Done(digest, 1))
        return msgspec.Raw(raw)

    async def _remember(self, name: str, done: _Done) -> None:
        await self._ledger.keep(name, msgspec.json.encode(done), REMEMBERED)


async def _done(call: Call, asked: Asked) -> object:
    answer = call.do(asked)
    return await answer if isawaitable(answer) else answer


def _again(before: bytes, digest: str) -> msgspec.Raw:
    done = msgspec.json.decode(before, type=_Done)
    if done.digest != digest:
        raise Problem(
            422,
            "idempotency_mismatch",
            "This Idempotency-Key came with another request before.",
            "Idempotency-Key",
        )
    if not done.isDone:
        raise Problem(409, "in_progress", "The same request is being carried out.")
    if not done.answer:
        raise Problem(
            409,
            "already_done",
            "The same request was carried out; there was no room to keep its answer.",
        )
    return msgspec.Raw(done.answer)


def _nameOf(call: Call, asked: Asked) -> str:
    parts = call.path, asked.operator.name, asked.idempotencyKey
    return f"idempotency:{sha256(msgspec.json.encode(parts)).hexdigest()}"
