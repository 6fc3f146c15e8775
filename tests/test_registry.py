"""Tests for who is here, by key."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.chat.context import Context, contextOfKey, specialKeyOf
from gows.chat.registry import Registry

PROPERTY = settings(max_examples=60, deadline=None, database=None, derandomize=True)

KEYS = ("a:0", "a:1", "a:0@phone", "b:0", "a:0:0")

STEPS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(KEYS), st.integers(0, 5)), max_size=40
)


class Member:
    """Somebody who is equal to nobody else."""


class RegistryTests(SynchronousTestCase):
    """Connections come, are found, and go, each by itself."""

    def setUp(self) -> None:
        """Begin with nobody."""
        self.registry: Registry[Member] = Registry()

    def add(self, key: str) -> Member:
        """Let somebody new in."""
        member = Member()
        self.registry.add(contextOfKey(key), member)
        return member

    def test_empty(self) -> None:
        """At first nobody is here."""
        self.assertEqual(len(self.registry), 0)
        self.assertEqual(list(self.registry), [])
        self.assertEqual(self.registry.holders("alice:0"), ())
        self.assertNotIn(Member(), self.registry)

    def test_people(self) -> None:
        """A person counts once, on however many connections, until the last goes."""
        first, second, other = self.add("a:0"), self.add("a:1"), self.add("b:0")
        self.assertEqual(self.registry.people, 2)
        for member, left in ((first, 2), (second, 1), (other, 0)):
            self.registry.remove(member)
            self.assertEqual(self.registry.people, left)

    def test_found(self) -> None:
        """Who came in is counted, and found under its key alone."""
        alice = self.add("alice:0")
        self.assertEqual(len(self.registry), 1)
        self.assertIn(alice, self.registry)
        self.assertEqual(self.registry.holders("alice:0"), (alice,))
        self.assertEqual(self.registry.holders("alice:1"), ())

    def test_orderOfArrival(self) -> None:
        """Everybody is listed in the order of arrival, whatever the keys."""
        members = [self.add(key) for key in ("b:0", "a:0", "c:1", "a:0")]
        self.assertEqual(list(self.registry), members)

    def test_severalOfOneKey(self) -> None:
        """Several may have one key; the oldest is named first."""
        first, other, second = self.add("a:0"), self.add("b:0"), self.add("a:0")
        self.assertEqual(self.registry.holders("a:0"), (first, second))
        self.assertEqual(self.registry.holders("b:0"), (other,))

    def test_ofPerson(self) -> None:
        """A person is found on all devices, whatever the flag; nobody else is."""
        alices = [self.add(key) for key in ("alice:0", "alice:1", "alice:0@phone")]
        self.add("alice:0:0")
        self.assertEqual(self.registry.ofPerson("alice"), tuple(alices))
        self.assertEqual(self.registry.holders("alice:0@phone"), (alices[2],))
        self.assertEqual(self.registry.ofPerson("bob"), ())

    def test_noKey(self) -> None:
        """Nobody holds what is no key at all."""
        self.add("alice:0")
        for text in ("", "alice", "alice:", "alice:2", ":0", "alice:0@"):
            self.assertEqual(self.registry.holders(text), (), text)

    def test_twice(self) -> None:
        """The same connection cannot come in twice, under no key."""
        alice = self.add("alice:0")
        self.assertRaises(ValueError, self.registry.add, Context("alice"), alice)
        self.assertRaises(ValueError, self.registry.add, Context("alice", True), alice)
        self.assertEqual(list(self.registry), [alice])
        self.assertEqual(self.registry.holders("alice:1"), ())

    def test_goes(self) -> None:
        """Who goes is found no more."""
        alice, bob = self.add("alice:0"), self.add("bob:0")
        self.assertIs(self.registry.remove(alice), True)
        self.assertNotIn(alice, self.registry)
        self.assertEqual(self.registry.holders("alice:0"), ())
        self.assertEqual(list(self.registry), [bob])

    def test_goesByIdentity(self) -> None:
        """When the old connection of a key goes, the new one stays."""
        old, new = self.add("alice:0"), self.add("alice:0")
        self.registry.remove(old)
        self.assertEqual(self.registry.holders("alice:0"), (new,))
        self.assertIn(new, self.registry)

    def test_goesTwice(self) -> None:
        """Who is gone already can go again, without effect on who took the key."""
        old = self.add("alice:0")
        self.registry.remove(old)
        new = self.add("alice:0")
        self.assertIs(self.registry.remove(old), False)
        self.assertEqual(self.registry.holders("alice:0"), (new,))

    def test_neverCame(self) -> None:
        """Who was never here can be let go, without effect."""
        alice = self.add("alice:0")
        self.assertIs(self.registry.remove(Member()), False)
        self.assertEqual(list(self.registry), [alice])

    def test_comesBack(self) -> None:
        """Who went may come again, under another key, and is the newest."""
        alice, bob = self.add("alice:0"), self.add("bob:0")
        self.registry.remove(alice)
        self.registry.add(Context("alice", True), alice)
        self.assertEqual(list(self.registry), [bob, alice])
        self.assertEqual(self.registry.holders("alice:0"), ())
        self.assertEqual(self.registry.holders("alice:1"), (alice,))

    def test_many(self) -> None:
        """However many one person has, they are found, in order, and go one by one."""
        members = [self.add(f"alice:{n % 2}") for n in range(30)]
        for gone in (7, 0, 20):
            self.registry.remove(members.pop(gone))
            self.assertEqual(self.registry.ofPerson("alice"), tuple(members))
        self.assertEqual(len(self.registry.holders("alice:1")), 14)
        for member in members:
            self.assertTrue(self.registry.remove(member))
        self.assertEqual(self.registry.ofPerson("alice"), ())

    def test_holdersDoNotChange(self) -> None:
        """Holders once looked up may be gone through while they come and go."""
        alice = self.add("alice:0")
        before = self.registry.holders("alice:0")
        self.add("alice:0")
        self.registry.remove(alice)
        self.assertEqual(before, (alice,))

    @PROPERTY
    @given(STEPS)
    def test_likeAList(self, steps: list[tuple[bool, str, int]]) -> None:
        """However they come and go, the registry says who is here and where."""
        registry: Registry[int] = Registry()
        here: list[tuple[str, int]] = []
        for comes, key, member in steps:
            present = [pair for pair in here if pair[1] == member]
            if not comes:
                self.assertEqual(registry.remove(member), bool(present))
                here = [pair for pair in here if pair[1] != member]
            elif present:
                self.assertRaises(ValueError, registry.add, contextOfKey(key), member)
            else:
                registry.add(contextOfKey(key), member)
                here.append((key, member))
            self.assertEqual(list(registry), [member for _, member in here])
            self.assertEqual(len(registry), len(here))
            for wanted in KEYS:
                holders = tuple(member for key, member in here if key == wanted)
                self.assertEqual(registry.holders(wanted), holders)
            for person in ("a", "b", "a:0"):
                all_ = [m for key, m in here if specialKeyOf(key) == person]
                self.assertEqual(registry.ofPerson(person), tuple(all_))
