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
    @ivar answer: what was answered; empty: it is being done
    """

    digest: str
    answer: bytes = b""


class Idempotency:
    """Remembers what was answered to whom."""

    def __init__(self, ledger: ILedger) -> None:
        """Remember in a ledger."""
        self._ledger = ledger

    async def once(self, call: Call, asked: Asked) -> object:
        """
        Do what a request asks, or, if that was done, answer the same.

        @raise Problem: 409 while it is being done, 422 if it was another request
        """
        if not asked.idempotencyKey:
            return await _done(call, asked)
        name = _nameOf(call, asked)
        digest = sha256(msgspec.json.encode(asked.body)).hexdigest()
        try:
            before = await self._ledger.keepNew(name, _packed(digest), REMEMBERED)
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
        await self._ledger.keep(name, _packed(digest, raw), REMEMBERED)
        return msgspec.Raw(raw)


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
    if not done.answer:
        raise Problem(409, "in_progress", "The same request is being carried out.")
    return msgspec.Raw(done.answer)


def _nameOf(call: Call, asked: Asked) -> str:
    parts = call.path, asked.operator.name, asked.idempotencyKey
    return f"idempotency:{sha256(msgspec.json.encode(parts)).hexdigest()}"


def _packed(digest: str, answer: bytes = b"") -> bytes:
    return msgspec.json.encode(_Done(digest, answer))
