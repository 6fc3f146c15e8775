"""Who is here, by person and by key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

from gows.chat.context import Context, specialKeyOf

T = TypeVar("T")


class Registry(Generic[T]):
    """
    The open connections, each with who it is.

    Several may share a key; whether they may at all is decided by who adds them.
    Iteration is in the order of arrival.
    """

    def __init__(self) -> None:
        """Make an empty registry."""
        self._members: dict[T, Context] = {}
        self._byPerson: dict[str, tuple[T, ...]] = {}

    def __len__(self) -> int:
        """Count the connections."""
        return len(self._members)

    def __iter__(self) -> Iterator[T]:
        """Iterate over the connections; they must not come or go meanwhile."""
        return iter(self._members)

    def __contains__(self, member: object) -> bool:
        """Tell whether this very connection is here."""
        return member in self._members

    def add(self, context: Context, member: T) -> None:
        """
        Let a connection in.

        @raise ValueError: if this very connection is in already
        """
        if member in self._members:
            raise ValueError("already registered")
        self._members[member] = context
        person = context.specialKey
        self._byPerson[person] = (*self._byPerson.get(person, ()), member)

    def remove(self, member: T) -> bool:
        """
        Let a connection go. Only this very one: another of the same key stays.

        @return: whether it was here
        """
        context = self._members.pop(member, None)
        if context is None:
            return False
        person = context.specialKey
        left = tuple(other for other in self._byPerson[person] if other is not member)
        if left:
            self._byPerson[person] = left
        else:
            del self._byPerson[person]
        return True

    def holders(self, key: str) -> tuple[T, ...]:
        """Look up the connections of a key, the oldest first; none: empty."""
        return tuple(
            member
            for member in self.ofPerson(specialKeyOf(key))
            if self._members[member].key == key
        )

    def ofPerson(self, specialKey: str) -> tuple[T, ...]:
        """Look up all connections of one person, the oldest first; none: empty."""
        return self._byPerson.get(specialKey, ())
