"""Sessions of the console: whoever has signed in has a cookie."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Final, NamedTuple

COOKIE: Final = "gows_session"

LIFETIME: Final = 12 * 3600.0
"""Seconds after which one has to sign in again."""

MAX_SESSIONS: Final = 1000
"""With more, the oldest ends."""


class Session(NamedTuple):
    """
    Somebody who has signed in.

    @ivar digest: of the key; with it the session ends
    @ivar expires: when it ends in any case
    """

    digest: bytes
    expires: float


class Sessions:
    """The sessions of one process. Their names are random, and kept as digests."""

    def __init__(self, now: Callable[[], float]) -> None:
        """
        Begin with none.

        @param now: the time in seconds
        """
        self._now = now
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()

    def begin(self, digest: bytes) -> str:
        """
        Begin a session.

        @param digest: of the key that was given
        @return: its name, for the cookie
        """
        name = secrets.token_urlsafe(32)
        self._sessions[_digestOf(name)] = Session(digest, self._now() + LIFETIME)
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return name

    def find(self, name: str) -> bytes | None:
        """Look up the digest of a session's key; L{None}: it is over, or was none."""
        digest = _digestOf(name)
        session = self._sessions.get(digest)
        if session is None:
            return None
        if session.expires <= self._now():
            del self._sessions[digest]
            return None
        return session.digest

    def endUnless(self, counts: Callable[[bytes], bool]) -> None:
        """End all but those whose key's digest counts."""
        for name, session in tuple(self._sessions.items()):
            if not counts(session.digest):
                del self._sessions[name]

    def end(self, name: str) -> None:
        """End a session, if there is one of this name."""
        self._sessions.pop(_digestOf(name), None)


def _digestOf(name: str) -> bytes:
    return sha256(name.encode("utf-8", "surrogateescape")).digest()
