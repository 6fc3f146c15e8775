"""Who is here, by key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """
    The open connections, each under its key.

    Several may share a key; whether they may at all is decided by who adds them.
    Iteration is in the order of arrival.
    """

    def __init__(self) -> None:
        """Make an empty registry."""
        self._members: dict[T, str] = {}
        self._byKey: dict[str, tuple[T, ...]] = {}

    def __len__(self) -> int:
        """Count the connections."""
        return len(self._members)

    def __iter__(self) -> Iterator[T]:
        """Iterate over the connections; they must not come or go meanwhile."""
        return iter(self._members)

    def __contains__(self, member: object) -> bool:
        """Tell whether this very connection is here."""
        return member in self._members

    def add(self, key: str, member: T) -> None:
        """
        Let a connection in.

        @raise ValueError: if this very connection is in already
        """
        if member in self._members:
            raise ValueError("already registered")
        self._members[member] = key
        self._byKey[key] = (*self._byKey.get(key, ()), member)

    def remove(self, member: T) -> bool:
        """
        Let a connection go. Only this very one: another of the same key stays.

        @return: whether it was here
        """
        key = self._members.pop(member, None)
        if key is None:
            return False
        left = tuple(other for other in self._byKey[key] if other is not member)
        if left:
            self._byKey[key] = left
        else:
            del self._byKey[key]
        return True

    def holders(self, key: str) -> tuple[T, ...]:
        """Look up the connections of a key, the oldest first; none: empty."""
        return self._byKey.get(key, ())
