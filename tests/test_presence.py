"""Tests for L{gows.chat.presence}: who is in which room."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gows.chat.presence import LINGER, PACE, News, Presence, Roster

PROPERTY = settings(max_examples=400, deadline=None, database=None, derandomize=True)


class PresenceTestCase(SynchronousTestCase):
    """
    Rooms of up to three people are told of by name.

    @ivar news: what was told
    """

    def setUp(self) -> None:
        """Begin with empty rooms."""
        self.clock = Clock()
        self.news: list[tuple[str, News]] = []
        self.presence = Presence(
            self.clock, 3, lambda room, news: self.news.append((room, news))
        )

    def come(self, *keys: str, room: str = "a") -> None:
        """Have people come."""
        for key in keys:
            self.presence.come(room, key)

    def go(self, *keys: str, room: str = "a") -> None:
        """Have people go."""
        for key in keys:
            self.presence.go(room, key)

    def told(self) -> list[News]:
        """Answer the news of room a, and forget them."""
        self.assertEqual({room for room, _ in self.news} - {"a"}, set())
        news, self.news = self.news, []
        return [one for _, one in news]


class RosterTests(PresenceTestCase):
    """Everybody in a room is listed once."""

    def test_who(self) -> None:
        """People are listed in the order of arrival, each room for itself."""
        self.come("zoe", "ann")
        self.come("bob", room="b")
        self.assertEqual(self.presence.who("a"), Roster(2, ("zoe", "ann")))
        self.assertEqual(self.presence.who("b"), Roster(1, ("bob",)))
        self.assertEqual(self.presence.who("c"), Roster(0, ()))
        self.assertEqual(dict(self.presence.rooms()), {"a": 2, "b": 1})

    def test_keys(self) -> None:
        """Operators see all of them, however many."""
        self.come(*"fedcba")
        self.assertIsNone(self.presence.who("a").keys)
        self.assertEqual(self.presence.keys("a"), tuple("fedcba"))
        self.assertEqual(self.presence.keys("b"), ())

    def test_once(self) -> None:
        """Who has several connections is there until the last one goes."""
        self.come("ann", "ann")
        self.assertEqual(self.presence.who("a"), Roster(1, ("ann",)))
        self.go("ann")
        self.assertEqual(self.presence.who("a").people, 1)
        self.go("ann")
        self.assertEqual(self.presence.who("a").people, 0)

    def test_tooMany(self) -> None:
        """People are named up to the limit; of more there is the number."""
        self.come("1", "2", "3")
        self.assertEqual(self.presence.who("a").keys, ("1", "2", "3"))
        self.come("4")
        self.assertEqual(self.presence.who("a"), Roster(4, None))

    def test_nothingLeft(self) -> None:
        """Nothing is kept of a room in which there was somebody."""
        self.presence.watch("a")
        self.come("ann", "bob")
        self.go("ann", "bob")
        self.clock.advance(LINGER)
        self.presence.unwatch("a")
        self.assertEqual(list(self.presence.rooms()), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual((self.presence._rooms, self.presence._watches), ({}, {}))


class NewsTests(PresenceTestCase):
    """Who watches a room is told who comes and who goes."""

    def setUp(self) -> None:
        """Have room a watched."""
        super().setUp()
        self.presence.watch("a")

    def test_unwatched(self) -> None:
        """Other rooms are not told of, and nobody lingers there."""
        self.come("ann", room="b")
        self.go("ann", room="b")
        self.clock.advance(LINGER)
        self.assertEqual(self.news, [])
        self.assertEqual(self.presence.who("b").people, 0)

    def test_comes(self) -> None:
        """Who comes is told of at once; a second connection is no news."""
        self.come("ann", "bob", "ann")
        self.assertEqual(self.told(), [News(True, "ann", 1), News(True, "bob", 2)])

    def test_leaves(self) -> None:
        """Who goes is told of after five seconds, and is listed until then."""
        self.come("ann", "bob")
        self.told()
        self.go("ann")
        self.clock.advance(LINGER - 0.01)
        self.assertEqual(self.told(), [])
        self.assertEqual(self.presence.who("a").people, 2)
        self.clock.advance(0.01)
        self.assertEqual(self.told(), [News(False, "ann", 1)])
        self.assertEqual(self.presence.who("a"), Roster(1, ("bob",)))

    def test_comesBack(self) -> None:
        """Who comes back in time was never away; the next time counts anew."""
        self.come("ann")
        self.told()
        for _ in range(3):
            self.go("ann")
            self.clock.advance(LINGER - 1)
            self.come("ann")
        self.clock.advance(LINGER)
        self.assertEqual(self.told(), [])
        self.go("ann")
        self.clock.advance(LINGER)
        self.assertEqual(self.told(), [News(False, "ann", 0)])

    def test_oneAfterTheOther(self) -> None:
        """Each has five seconds of its own."""
        self.come("ann", "bob", "cid")
        self.told()
        self.go("ann")
        self.clock.advance(2)
        self.go("bob")
        self.clock.advance(1)
        self.come("ann")
        self.go("ann")
        self.clock.advance(4)
        self.assertEqual(self.told(), [News(False, "bob", 2)])
        self.clock.advance(1)
        self.assertEqual(self.told(), [News(False, "ann", 1)])

    def test_unwatch(self) -> None:
        """When the last one watches no more, who lingers is gone."""
        self.presence.watch("a")
        self.come("ann", "bob")
        self.go("ann")
        self.presence.unwatch("a")
        self.assertEqual(self.presence.who("a").people, 2)
        self.presence.unwatch("a")
        self.assertEqual(self.presence.who("a"), Roster(1, ("bob",)))
        self.told()
        self.come("ann")
        self.go("bob")
        self.assertEqual(self.told(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ReentranceTests(SynchronousTestCase):
    """Who is told something may be gone by that."""

    def test_unwatch(self) -> None:
        """The last watcher leaves while it is told: nobody lingers any more."""
        clock = Clock()
        news: list[News] = []

        def tell(room: str, one: News) -> None:
            news.append(one)
            if not one.hasCome:
                presence.unwatch(room)

        presence = Presence(clock, 3, tell)
        presence.watch("a")
        for key in "xyz":
            presence.come("a", key)
        for key in "xyz":
            presence.go("a", key)
        clock.advance(LINGER)
        self.assertEqual(news[3:], [News(False, "x", 2)])
        self.assertEqual(presence.who("a"), Roster(0, ()))
        self.assertEqual(list(presence.rooms()), [])
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_watchedAnew(self) -> None:
        """Somebody else watches in its stead at once, and people come back."""
        clock = Clock()
        news: list[News] = []

        def tell(room: str, one: News) -> None:
            news.append(one)
            if one == News(False, "x", 1):
                presence.unwatch(room)
                presence.watch(room)
                presence.come("a", "y")

        presence = Presence(clock, 3, tell)
        presence.watch("a")
        for key in "xy":
            presence.come("a", key)
            presence.go("a", key)
        clock.advance(LINGER)
        self.assertEqual(news[2:], [News(False, "x", 1), News(True, "y", 1)])
        self.assertEqual(presence.who("a"), Roster(1, ("y",)))


class CrowdTests(PresenceTestCase):
    """Of a room with too many people only their number is told."""

    def setUp(self) -> None:
        """Have a room watched in which there are four."""
        super().setUp()
        self.come("1", "2", "3", "4")
        self.presence.watch("a")

    def test_count(self) -> None:
        """However many come in a second, there is one number."""
        for number in range(5, 105):
            self.come(str(number))
        self.assertEqual(self.told(), [])
        self.clock.advance(PACE)
        self.assertEqual(self.told(), [News(True, None, 104)])
        self.clock.advance(PACE)
        self.assertEqual(self.told(), [])

    def test_fewer(self) -> None:
        """When there are fewer, somebody left; if there are as many, nobody did."""
        self.come("5", "6")
        self.clock.advance(PACE)
        self.told()
        self.go("5")
        self.clock.advance(LINGER)
        self.assertEqual(self.told(), [])
        self.clock.advance(PACE)
        self.assertEqual(self.told(), [News(False, None, 5)])
        self.go("6")
        self.clock.advance(LINGER)
        self.come("7")
        self.clock.advance(PACE)
        self.assertEqual(self.told(), [])

    def test_smallAgain(self) -> None:
        """Once there are few enough, people are named again."""
        self.go("4")
        self.clock.advance(LINGER)
        self.assertEqual(self.told(), [News(False, "4", 3)])
        self.clock.advance(PACE)
        self.assertEqual(self.told(), [])

    def test_growsTooLarge(self) -> None:
        """The first one too many is a number, at once; the next ones can wait."""
        self.go("4")
        self.clock.advance(LINGER)
        self.told()
        self.come("5", "6")
        self.assertEqual(self.told(), [News(True, None, 4)])
        self.clock.advance(PACE)
        self.assertEqual(self.told(), [News(True, None, 5)])

    def test_shortCrowd(self) -> None:
        """However short there were too many, who watches knows to ask anew."""
        self.go("3", "4")
        self.clock.advance(LINGER)
        self.go("1")
        self.clock.advance(LINGER - PACE / 2)
        self.told()
        self.come("5", "6")
        self.clock.advance(PACE / 2)
        self.assertEqual(
            self.told(),
            [News(True, "5", 3), News(True, None, 4), News(False, "1", 3)],
        )
        self.clock.advance(PACE)
        self.assertEqual(self.told(), [])


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["come", "go", "wait", "watch", "unwatch"]),
        st.sampled_from("abcdefg"),
        st.sampled_from([0.25, 1.0, 2.5, 5.0]),
    ),
    max_size=60,
)


class AnythingTests(SynchronousTestCase):
    """However people come and go, who watches knows who is there."""

    @PROPERTY
    @given(STEPS)
    def test_known(self, steps: list[tuple[str, str, float]]) -> None:
        """The news add up to the roster; it holds all who are connected."""
        clock = Clock()
        known: set[str] | None = set()
        count = 0

        def ask() -> None:
            nonlocal known, count
            count, keys = presence.who("a")
            known = None if keys is None else set(keys)

        def tell(room: str, news: News) -> None:
            nonlocal known, count
            count = news.people
            if news.key is None:
                known = None
            elif known is None:
                ask()
            else:
                (known.add if news.hasCome else known.remove)(news.key)

        presence = Presence(clock, 4, tell)
        here: Counter[str] = Counter()
        watchers = 0
        for step, key, seconds in steps:
            if step == "come":
                presence.come("a", key)
                here[key] += 1
            elif step == "go" and here[key]:
                presence.go("a", key)
                here[key] -= 1
            elif step == "wait":
                clock.advance(seconds)
            elif step == "watch":
                presence.watch("a")
                watchers += 1
                ask()
            elif step == "unwatch" and watchers:
                presence.unwatch("a")
                watchers -= 1
            roster = presence.who("a")
            self.assertEqual(presence.roomCount, bool(roster.people))
            connected = set(+here)
            if roster.keys is not None:
                self.assertLessEqual(connected, set(roster.keys))
                if watchers:
                    self.assertEqual(known, set(roster.keys))
            if not watchers:
                self.assertEqual(roster.people, len(connected))
        clock.pump([LINGER, PACE])
        self.assertEqual(presence.who("a").people, len(+here))
        if watchers:
            self.assertEqual(count, len(+here))
