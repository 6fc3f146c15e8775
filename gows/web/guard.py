"""Who may use the operators' door."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, NamedTuple

from twisted.web.http import Request as HTTPRequest
from twisted.web.server import Request

from gows.access.apikeys import ApiKeys, digestOf
from gows.access.rates import AddressRates
from gows.journal import Journal
from gows.web.answers import Problem
from gows.web.hosts import Hosts
from gows.web.peers import Peers
from gows.web.sessions import COOKIE, Sessions

NOBODY: Final = "operator"
"""Whoever comes to a door that asks for no key."""

FAILURES: Final = 0.2
"""Wrong keys a second that an address may try, for ever; the first ten at once."""

_FREE: Final = 10
_MAX_KNOWN: Final = 10_000


class Operator(NamedTuple):
    """
    Who makes a request.

    @ivar name: of the key; L{NOBODY}: there are no keys
    @ivar address: the client's own
    """

    name: str
    address: str


class Guard:
    """
    Looks at a request's Host, its Origin, and its key or session.

    @ivar addressOf: finds out a client's own address; see L{Peers}
    @ivar sessions: of those who have signed in

    An address that tries many wrong keys has to wait, but for a key with which it was
    let in before: others at the same address go on.
    """

    def __init__(
        self,
        keys: Callable[[], ApiKeys] | None,
        hosts: Hosts,
        peers: Peers,
        journal: Journal,
        now: Callable[[], float],
    ) -> None:
        """
        Guard a door.

        @param keys: answers the newest keys; L{None}: there are none, and none is asked
        """
        self._keys = keys
        self._hosts = hosts
        self._peers = peers
        self.addressOf = peers.addressOf
        self._journal = journal
        self._now = now
        self._failures = AddressRates(FAILURES, burst=_FREE)
        self._known: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self.sessions = Sessions(now)

    @property
    def asksForKeys(self) -> bool:
        """Whether there are keys."""
        return self._keys is not None

    def checkPlace(self, request: Request) -> str | None:
        """
        Check from where a request comes, not by whom.

        @return: the origin, if it is that of a page elsewhere that may call
        @raise Problem: 421 or 403
        """
        host = headerOf(request, "Host")
        self._hosts.checkHost(host)
        origin = self._hosts.originFor(headerOf(request, "Origin"), host)
        site = headerOf(request, "Sec-Fetch-Site")
        isForeign = site in ("cross-site", "same-site") and origin is None
        isLink = headerOf(
            request, "Sec-Fetch-Mode"
        ) == "navigate" and request.method in (b"GET", b"HEAD")
        if isForeign and not isLink:
            raise Problem(403, "cross_site", "Other sites may not use this door.")
        return origin

    def operatorOf(self, request: Request) -> Operator:
        """
        Find out who makes a request.

        @raise Problem: 401 without a key, or with a wrong one; 429 after too many
        """
        address = self.addressOf(request)
        if self._keys is None:
            if not self._peers.isHere(request):
                raise _notHere()
            return Operator(NOBODY, address)
        session = request.getCookie(COOKIE.encode())
        header = headerOf(request, "Authorization")
        if header is None and session is not None:
            digest = self.sessions.find(session.decode("latin-1"))
            name = None if digest is None else self._keys().nameOf(digest)
            if name is not None:
                return Operator(name, address)
            raise _unauthorized("The session is over: sign in again.")
        scheme, _, key = (header or "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise _unauthorized("An API key is missing: Authorization: Bearer KEY.")
        name, _ = self._checked(key, address)
        return Operator(name, address)

    def letsIn(self, request: HTTPRequest) -> bool:
        """Tell whether a request brings a key or a session that counts, no more."""
        if self._keys is None:
            return self._peers.isHere(request)
        values = request.requestHeaders.getRawHeaders(b"Authorization", [])
        session = request.getCookie(COOKIE.encode())
        if not values:
            digest = None
            if session is not None:
                digest = self.sessions.find(session.decode("latin-1"))
            return digest is not None and self._keys().nameOf(digest) is not None
        scheme, _, key = values[0].decode("latin-1").partition(" ")
        isBearer = len(values) == 1 and scheme.lower() == "bearer"
        return isBearer and self._keys().nameOf(digestOf(key.strip())) is not None

    def keysTaken(self, keys: ApiKeys) -> None:
        """Take note that these are the keys from now on: sessions of others end."""
        self.sessions.endUnless(lambda digest: keys.nameOf(digest) is not None)

    def digestFor(self, key: str, request: Request) -> bytes:
        """
        Check a key with which somebody signs in.

        @return: its digest, for a session
        @raise Problem: 401 if it is nobody's, 429 if too many were
        """
        _, digest = self._checked(key, self.addressOf(request))
        return digest

    def _checked(self, key: str, address: str) -> tuple[str, bytes]:
        assert self._keys is not None
        digest = digestOf(key)
        known = address, digest
        if known not in self._known:
            self._checkPace(address)
        name = self._keys().nameOf(digest)
        if name is None:
            self._known.pop(known, None)
            self._failures.take(address, self._now())
            self._journal.keyRefused(address)
            if self._failures.wait(address, self._now()):
                self._journal.keysDropped(address)
            raise _unauthorized("The API key is wrong.")
        self._known[known] = None
        if len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)
        return name, digest

    def _checkPace(self, address: str) -> None:
        if wait := self._failures.wait(address, self._now()):
            raise Problem(
                429,
                "too_many_keys",
                "Too many wrong API keys came from this address: wait.",
                headers={"Retry-After": str(math.ceil(wait))},
            )


def headerOf(request: Request, name: str) -> str | None:
    """
    Read a header, byte by byte: what is not ASCII equals nothing that we know.

    @raise Problem: 400, if it is given more than once
    """
    values = request.requestHeaders.getRawHeaders(name.encode(), [])
    if len(values) > 1:
        raise Problem(400, "bad_request", f"{name} is given more than once.")
    return values[0].decode("latin-1") if values else None


def _notHere() -> Problem:
    return Problem(
        403,
        "not_here",
        "This door asks for no keys, and so serves only its own host, and nobody by "
        "way of a proxy: api-key-file.",
    )


def _unauthorized(message: str) -> Problem:
    headers = {"WWW-Authenticate": 'Bearer realm="gows"'}
    return Problem(401, "unauthorized", message, headers=headers)
