"""How often something may happen: token buckets, a connection's and an address's."""

from __future__ import annotations

from collections import OrderedDict
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Final

BURST: Final = 2
"""Seconds of the sustained rate that may be used at once."""

MAX_ADDRESSES: Final = 100_000
"""The most addresses whose openings are remembered."""

_MARGIN: Final = 0.001
"""Seconds that do not matter: more than a clock's float may be off."""

_OF_A_MESSAGE: Final = 1 / 16
"""What a frame that is no message counts as."""

_MAPPED: Final = bytes(10) + b"\xff\xff"
"""How IPv6 writes an IPv4 address: these bytes before it."""


class Allowance:
    """
    A token bucket.

    What there is enough for passes. What costs more than a second brings passes when
    there is so much, and leaves a debt, which the next ones wait for: over time the
    costs of what passes are the rate. Each call is told the time; one that goes back
    only makes nothing grow meanwhile.
    """

    __slots__ = ("_burst", "_excess", "_isTold", "_level", "_passed", "_rate", "_time")

    def __init__(self, rate: float, burst: float = 0.0) -> None:
        """
        Be full.

        @param rate: what may be taken a second, for ever; above 0
        @param burst: what may be taken at once; 0: twice the rate
        """
        self._rate = rate
        self._level = self._burst = burst or BURST * rate
        self._time = 0.0
        self._excess = 0.0
        self._passed = 0.0  # since something was refused that counts
        self._isTold = False

    @property
    def isOverdrawn(self) -> bool:
        """
        Whether another burst's worth and more was refused.

        The first thing that is refused after something passed does not count: that
        is how one learns that it is too much. What counts is forgotten when the
        allowance is full again, or when a burst's worth has passed since.
        """
        return self._excess > self._burst

    def isFull(self, now: float) -> bool:
        """Tell whether it is as it was at first."""
        self._refill(now)
        return self._level >= self._burst

    def take(self, cost: float, now: float) -> float:
        """
        Take something, or note that it was refused, which takes nothing.

        @param now: in seconds
        @return: 0.0 if it passed; else after how many seconds the next may pass
        """
        wait = self.wait(cost, now)
        if wait:
            self.refuse(cost)
        else:
            self.spend(cost)
        return wait

    def wait(self, cost: float, now: float) -> float:
        """Say after how many seconds something may pass; 0.0: now."""
        self._refill(now)
        missing = min(cost, self._rate) - self._level
        if missing <= _MARGIN * self._rate:
            return 0.0
        return _MARGIN + missing / self._rate

    def spend(self, cost: float) -> None:
        """Take what L{wait} let pass."""
        self._level -= cost
        self._isTold = False
        self._passed += cost
        if self._passed >= self._burst:
            self._excess = 0.0

    def refuse(self, cost: float) -> None:
        """Note that L{wait} did not let this pass."""
        if self._isTold:
            self._excess += cost
            self._passed = 0.0
        self._isTold = True

    def charge(self, cost: float, now: float) -> None:
        """Take something that passes in any case, or, if it is not there, note that."""
        self._refill(now)
        if self._level > 0:
            self._level -= cost
        else:
            self._excess += cost
            self._passed = 0.0

    def _refill(self, now: float) -> None:
        elapsed, self._time = now - self._time, now
        if elapsed > 0:
            self._level += elapsed * self._rate
            if self._level >= self._burst:
                self._level = self._burst
                self._excess = 0.0


class Meter:
    """What one connection may send: so many messages, and so many bytes, a second."""

    __slots__ = ("_bytes", "_messages")

    def __init__(self, rate: float, byteRate: float) -> None:
        """
        Let a burst of both pass.

        @param rate: messages a second; 0: no limit
        @param byteRate: bytes a second; 0: no limit
        """
        self._messages = Allowance(rate) if rate else None
        self._bytes = Allowance(byteRate) if byteRate else None

    @property
    def isOverdrawn(self) -> bool:
        """Whether it went on for another burst's worth of what was refused."""
        return (self._messages is not None and self._messages.isOverdrawn) or (
            self._bytes is not None and self._bytes.isOverdrawn
        )

    def take(self, size: int, now: float) -> float:
        """
        Count a message.

        What one of the limits refuses is not counted by the other.

        @param size: in bytes; an empty message counts as one byte
        @param now: in seconds
        @return: 0.0 if it passed; else after how many seconds the next may pass
        """
        messages, octets = self._messages, self._bytes
        size = size or 1
        wait = messages.wait(1, now) if messages is not None else 0.0
        byteWait = octets.wait(size, now) if octets is not None else 0.0
        if not wait and not byteWait:
            if messages is not None:
                messages.spend(1)
            if octets is not None:
                octets.spend(size)
            return 0.0
        if wait and messages is not None:
            messages.refuse(1)
        if byteWait and octets is not None:
            octets.refuse(size)
        return max(wait, byteWait)

    def add(self, size: int) -> None:
        """Count bytes that a message turned out to have besides; it has passed."""
        if self._bytes is not None:
            self._bytes.spend(size)

    def takeFrame(self, size: int, now: float) -> None:
        """
        Count a frame that ends no message.

        It costs a sixteenth of a message, and its bytes, one at least. None is refused,
        but too many end in L{isOverdrawn}.

        @param size: in bytes, without those that count with a message
        """
        if self._messages is not None:
            self._messages.charge(_OF_A_MESSAGE, now)
        if self._bytes is not None:
            self._bytes.charge(size or 1, now)


class AddressRates:
    """
    How often each address may do something, such as to open a connection.

    An address is remembered until its allowance is full again; beyond
    L{MAX_ADDRESSES} the least recently seen is forgotten.
    """

    def __init__(self, rate: float, burst: float = 0.0) -> None:
        """
        Remember nobody.

        @param rate: how often a second, of each address; 0: no limit
        @param burst: how often at once; 0: twice that
        """
        self._rate = rate
        self._burst = burst
        self._allowances: OrderedDict[str, Allowance] = OrderedDict()

    def __len__(self) -> int:
        """Count the addresses that are remembered."""
        return len(self._allowances)

    def take(self, address: str, now: float) -> float:
        """
        Count one time.

        @param address: the client's own; see L{networkOf}
        @param now: in seconds
        @return: 0.0 if it may; else after how many seconds it may the next time
        """
        if not self._rate:
            return 0.0
        network = networkOf(address)
        allowance = self._allowances.get(network)
        if allowance is None:
            allowance = self._allowances[network] = Allowance(self._rate, self._burst)
        else:
            self._allowances.move_to_end(network)
        wait = allowance.take(1, now)
        self._forget(now)
        return wait

    def wait(self, address: str, now: float) -> float:
        """Say what L{take} would, without counting."""
        allowance = self._allowances.get(networkOf(address))
        return 0.0 if allowance is None else allowance.wait(1, now)

    def _forget(self, now: float) -> None:
        if len(self._allowances) > MAX_ADDRESSES:
            self._allowances.popitem(last=False)
        while self._allowances:
            network, oldest = next(iter(self._allowances.items()))
            if not oldest.isFull(now):
                break
            del self._allowances[network]


def networkOf(address: str) -> str:
    """
    Name whom an address is counted as.

    A host with IPv6 mostly has all 2**64 addresses of its network.

    @param address: an IP address, or another text such as C{unix}
    @return: C{2001:db8::/64} for IPv6; all others, IPv4 too, are themselves
    """
    if ":" not in address:
        return address
    try:
        packed = inet_pton(AF_INET6, address.partition("%")[0])
    except (OSError, ValueError):  # ValueError: a NUL, or not ASCII
        return address
    if packed.startswith(_MAPPED):
        return inet_ntop(AF_INET, packed[12:])
    return inet_ntop(AF_INET6, packed[:8] + bytes(8)) + "/64"
