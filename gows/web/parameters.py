"""The parameters of a page's URL, each with what it may be."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Self

from twisted.web.server import Request

from gows.chat.context import parseQuery
from gows.errors import Refusal
from gows.web.answers import Problem
from gows.web.faults import invalid, unknown


class Parameters:
    """What a URL says behind its C{?}: each is taken once, then nothing may be left."""

    def __init__(self, given: Mapping[str, str]) -> None:
        """Begin with all of them."""
        self._left = dict(given)

    @classmethod
    def of(cls, request: Request) -> Self:
        """
        Read those of a request.

        @raise Problem: 400, if they cannot be read
        """
        query = request.uri.partition(b"?")[2].decode("latin-1")
        try:
            return cls(parseQuery(query))
        except Refusal as refusal:
            raise Problem(400, "bad_request", refusal.text) from None

    def number(self, name: str, default: float, least: float, most: float) -> float:
        """
        Take a number.

        @raise Problem: 400, if it is none, or out of range
        """
        text = self._left.pop(name, None)
        if text is None:
            return default
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not least <= number <= most:  # nor is NaN
            raise invalid(name, f"must be a number from {least:g} to {most:g}")
        return number

    def choice(self, name: str, default: str, others: Collection[str]) -> str:
        """
        Take one of a few words.

        @raise Problem: 400, if it is another
        """
        word = self._left.pop(name, default)
        if word != default and word not in others:
            words = dict.fromkeys([default, *others])
            raise invalid(name, f"must be {' or '.join(words)}")
        return word

    def end(self) -> None:
        """
        Take note that there should be no more.

        @raise Problem: 400, if there are
        """
        for name in self._left:
            raise unknown(name)
