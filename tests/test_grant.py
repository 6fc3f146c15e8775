"""Tests for L{gows.chat.grant}: what a connection may do."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gows.chat.grant import NO_LIMITS, Grant, RoomRights


class RoomRightsTests(SynchronousTestCase):
    """The most specific right counts."""

    def rights(self, room: str, **rooms: str) -> str:
        """Look up the rights to a room; write C{x_} for C{x*}."""
        given = {name.replace("_", "*"): value for name, value in rooms.items()}
        return RoomRights.of(given).to(room)

    def test_names(self) -> None:
        """A name is that room alone; what is not named is not allowed."""
        self.assertEqual(self.rights("lobby", lobby="rw"), "rw")
        self.assertEqual(self.rights("lobby2", lobby="rw"), "")
        self.assertEqual(self.rights("*", lobby="rw"), "")

    def test_prefixes(self) -> None:
        """A pattern is all rooms that begin so, the shortest name included."""
        for room in ("team", "team-1", "teammates"):
            self.assertEqual(self.rights(room, team_="r"), "r")
        self.assertEqual(self.rights("tea", team_="r"), "")

    def test_mostSpecific(self) -> None:
        """A longer pattern wins over a shorter one, a name over both."""
        rooms = {"t_": "r", "te_": "w", "tea": "", "team_": "rw"}
        for room, rights in (("tx", "r"), ("tex", "w"), ("tea", ""), ("teams", "rw")):
            self.assertEqual(self.rights(room, **rooms), rights)

    def test_everyone(self) -> None:
        """C{*} is everyone's room, and no pattern for all rooms."""
        self.assertEqual(self.rights("*", _="rw"), "rw")
        self.assertEqual(self.rights("lobby", _="rw"), "")

    def test_refused(self) -> None:
        """What is no name, no pattern or no right is refused, saying what is."""
        for name in ("", "a b", "a**", "**", "*a", "x" * 65, "ä"):
            with self.assertRaisesRegex(ValueError, "1 to 64 letters"):
                RoomRights.of({name: "r"})
        for rights in ("wr", "R", "rwx", "read", " "):
            with self.assertRaisesRegex(ValueError, "r, w, rw, or empty"):
                RoomRights.of({"lobby": rights})


class GrantTests(SynchronousTestCase):
    """A grant answers what one may do."""

    def test_noLimits(self) -> None:
        """Where there are no tokens everything is allowed, for ever."""
        for room in ("*", "lobby"):
            self.assertTrue(NO_LIMITS.mayRead(room) and NO_LIMITS.mayWrite(room))
        self.assertTrue(NO_LIMITS.direct)
        self.assertIsNone(NO_LIMITS.expires)

    def test_rooms(self) -> None:
        """Reading and writing are allowed one by one."""
        grant = Grant(RoomRights.of({"a": "r", "b": "w", "c": "rw", "d": ""}))
        self.assertEqual(
            [*map(grant.mayRead, "abcde")], [True, False, True, *[False] * 2]
        )
        self.assertEqual(
            [*map(grant.mayWrite, "abcde")], [False, True, True, *[False] * 2]
        )
