"""Who is here, by person and by key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Generic, TypeVar

from gows.chat.context import Context, specialKeyOf

T = TypeVar("T")

_FEW: Final = 8
"""As many connections of one person as a tuple holds."""


class Registry(Generic[T]):
    """
    The open connections, each with who it is.

    Several may share a key; whether they may at all is decided by who adds them.
    Iteration is in the order of arrival.
    """

    def __init__(self) -> None:
        """Make an empty registry."""
        self._members: dict[T, Context] = {}
        # A tuple takes the less memory, but time where there are many.
        self._byPerson: dict[str, tuple[T, ...] | dict[T, None]] = {}

    def __len__(self) -> int:
        """Count the connections."""
        return len(self._members)

    @property
    def people(self) -> int:
        """How many persons they are."""
        return len(self._byPerson)

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
        others = self._byPerson.get(person, ())
        if isinstance(others, dict):
            others[member] = None
        elif len(others) < _FEW:
            self._byPerson[person] = (*others, member)
        else:
            self._byPerson[person] = dict.fromkeys((*others, member))

    def remove(self, member: T) -> bool:
        """
        Let a connection go. Only this very one: another of the same key stays.

        @return: whether it was here
        """
        context = self._members.pop(member, None)
        if context is None:
            return False
        person = context.specialKey
        left = self._byPerson[person]
        if isinstance(left, dict):
            del left[member]
        else:
            left = tuple(other for other in left if other is not member)
            self._byPerson[person] = left
        if not left:
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
        return tuple(self._byPerson.get(specialKey, ()))
