"""Tests for what a URL says of a connection, and for the key made of it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlencode

from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import structs
from twisted.trial.unittest import SynchronousTestCase

from gows.chat.context import (
    MAX_SPECIAL_KEY,
    Context,
    anonymousKey,
    contextOf,
    contextOfKey,
    parseQuery,
    specialKeyOf,
)
from gows.chat.grant import NO_LIMITS, NOTHING, Grant, Pass, RoomRights
from gows.errors import Refusal

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)

SPECIAL_KEYS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]),
    min_size=1,
    max_size=MAX_SPECIAL_KEY,
)
FACE = "\N{GRINNING FACE}"  # outside the Basic Multilingual Plane
CONTROLS = ("\0", "\t", "\n", "\r", "\x1f", "\x7f", "\x80", "\x85", "\x9f")


def contextOfQuery(query: str, newKey: Callable[[], str] | None = None) -> Context:
    """Read a context from a URL's query, where there are no tokens."""
    context = contextOf(parseQuery(query), newKey)
    assert context.grant is NO_LIMITS
    return structs.replace(context, grant=NOTHING)


class ContextCase(SynchronousTestCase):
    """Asks for refusals."""

    def refused(self, query: str, newKey: Callable[[], str] | None = None) -> str:
        """Assert that a query is refused with 400; answer the refusal's text."""
        refusal = self.assertRaises(Refusal, contextOfQuery, query, newKey)
        self.assertEqual(refusal.status, 400)
        self.assertTrue(refusal.text)
        return str(refusal.text)


class KeyTests(ContextCase):
    """The registry's key says all that tells connections apart, and no more."""

    @PROPERTY
    @given(SPECIAL_KEYS, st.booleans(), st.sampled_from(["", "a", "0", "1", "x" * 64]))
    @example("alice:0@phone", True, "")
    @example("alice:0", False, "1")
    def test_devices(self, specialKey: str, gzip: bool, device: str) -> None:
        """A device has a key of its own, which is reversible as well."""
        context = Context(specialKey, gzip, device=device)
        self.assertEqual(contextOfKey(context.key), context)
        self.assertEqual(specialKeyOf(context.key), specialKey)

    @PROPERTY
    @given(SPECIAL_KEYS, st.booleans())
    @example(":", False)
    @example("::", True)
    @example("alice:1", False)
    @example(":0", True)
    @example(" ", False)
    @example(FACE * MAX_SPECIAL_KEY, True)
    @example("\u2028", False)
    def test_everyKeyIsReversible(self, specialKey: str, gzip: bool) -> None:
        """From a key its context comes back, whatever the specialKey holds."""
        context = Context(specialKey, gzip)
        self.assertEqual(contextOfKey(context.key), context)

    @PROPERTY
    @given(SPECIAL_KEYS, st.booleans())
    @example("a:1", True)
    def test_everyKeyComesThroughAURL(self, specialKey: str, gzip: bool) -> None:
        """Whoever percent-encodes a legal specialKey is known by just that."""
        query = f"specialKey={quote(specialKey, safe='')}&support_gzip={gzip:d}"
        self.assertEqual(contextOfQuery(query).key, f"{specialKey}:{gzip:d}")

    def test_form(self) -> None:
        """The key is the specialKey, a colon, and 1 for who reads gzip."""
        self.assertEqual(Context("alice").key, "alice:0")
        self.assertEqual(Context("alice", True).key, "alice:1")
        self.assertEqual(Context("alice", True, device="phone").key, "alice:1@phone")

    def test_parametersAreNotInIt(self) -> None:
        """The same specialKey with other parameters takes the same place."""
        self.assertEqual(
            contextOfQuery("specialKey=alice&topic=a").key,
            contextOfQuery("specialKey=alice&topic=b").key,
        )

    def test_whatIsNoKey(self) -> None:
        """What no context has as its key is not taken apart."""
        for text in (
            "",
            ":",
            ":0",
            "alice",
            "alice:",
            "alice:2",
            "alice:00",
            "alice:0 ",
            "alice:0@",
            "alice:0@a b",
            "alice:@phone",
            "0",
            "al\nice:0",
            "a" * (MAX_SPECIAL_KEY + 1) + ":0",
        ):
            self.assertRaises(ValueError, contextOfKey, text)


class SpecialKeyTests(ContextCase):
    """Who connects says who that is, in 1 to 128 characters."""

    def test_shortest(self) -> None:
        """One character is enough."""
        self.assertEqual(contextOfQuery("specialKey=a").specialKey, "a")

    def test_longest(self) -> None:
        """128 characters are let in; a character outside the BMP is one."""
        for character in ("a", FACE):
            specialKey = character * 128
            context = contextOfQuery(f"specialKey={quote(specialKey)}")
            self.assertEqual(context.specialKey, specialKey)

    def test_tooLong(self) -> None:
        """129 characters are refused, with the limit in the answer."""
        for character in ("a", FACE):
            text = self.refused(f"specialKey={quote(character * 129)}")
            self.assertIn("specialKey", text)
            self.assertIn("1 to 128", text)

    def test_missing(self) -> None:
        """Without a specialKey nobody gets in, and is told what to write."""
        for query in ("", "&", "specialKey", "specialKey=", "specialkey=a", "x=y"):
            self.assertIn("?specialKey=", self.refused(query))

    def test_controlCharacters(self) -> None:
        """Control characters, those of ISO 8859-1 too, are refused."""
        for control in CONTROLS:
            text = self.refused(f"specialKey=a{quote(control)}b")
            self.assertIn("specialKey must not hold control characters", text)

    def test_keepsItsForm(self) -> None:
        """Nothing is trimmed, folded or normalised: who one says is who one is."""
        for specialKey in (" alice ", "Alice", "e\u0301", "\u00e9", "a&b=c", "%41"):
            context = contextOfQuery(urlencode({"specialKey": specialKey}))
            self.assertEqual(context.specialKey, specialKey)


class GzipTests(ContextCase):
    """A client says with support_gzip how it wants its text."""

    def test_no(self) -> None:
        """Absent, empty and 0 mean plain text."""
        for rest in ("", "&support_gzip", "&support_gzip=", "&support_gzip=0"):
            self.assertIs(contextOfQuery(f"specialKey=a{rest}").supportGzip, False)

    def test_yes(self) -> None:
        """1 means gzip."""
        for value in ("1", "%31"):
            context = contextOfQuery(f"specialKey=a&support_gzip={value}")
            self.assertIs(context.supportGzip, True)

    def test_other(self) -> None:
        """Everything else is refused instead of guessed at."""
        for value in ("2", "-1", "01", "true", "True", "yes", "+1", "1+", "%D9%A1"):
            text = self.refused(f"specialKey=a&support_gzip={value}")
            self.assertIn("support_gzip must be 0 or 1", text)


class ParametersTests(ContextCase):
    """Applications get the URL's other parameters."""

    def test_kept(self) -> None:
        """Other parameters are there, decoded, without those that gows took."""
        context = contextOfQuery("topic=caf%C3%A9+1&specialKey=a&support_gzip=1&empty=")
        self.assertEqual(dict(context.parameters), {"topic": "café 1", "empty": ""})

    def test_none(self) -> None:
        """Without other parameters there are none."""
        self.assertEqual(dict(contextOfQuery("specialKey=a").parameters), {})
        self.assertEqual(dict(Context("a").parameters), {})

    def test_immutable(self) -> None:
        """Nobody can change who a connection is, nor what its URL said."""
        for query in ("specialKey=a", "specialKey=a&topic=b"):
            context = contextOfQuery(query)
            for field in ("specialKey", "supportGzip", "parameters"):
                self.assertRaises(AttributeError, setattr, context, field, "x")
            self.assertFalse(hasattr(context.parameters, "update"))
            self.assertFalse(hasattr(context.parameters, "__setitem__"))


class RoomTests(ContextCase):
    """A URL may name the room where one begins."""

    def test_room(self) -> None:
        """Without it, or if it is empty, one begins in everyone's room."""
        for query, room in (
            ("", "*"),
            ("&room=", "*"),
            ("&room=*", "*"),
            ("&room=a", "a"),
        ):
            context = contextOfQuery("specialKey=a" + query)
            self.assertEqual(context.room, room)
            self.assertNotIn("room", context.parameters)

    def test_refused(self) -> None:
        """What is no room's name is refused, saying what is."""
        for room in ("a b", "a*", "caf%C3%A9", "a" * 65, "a/b", "%00", "a%0A"):
            self.assertIn("1 to 64 letters", self.refused(f"specialKey=a&room={room}"))

    def test_applications(self) -> None:
        """An application that makes a wrong room or device is told its mistake."""
        self.assertRaises(ValueError, Context, "a", room="a b")
        self.assertRaises(ValueError, Context, "a", device="a:b")


class PassTests(ContextCase):
    """With a token it is the token that says who one is."""

    PASS = Pass("alice", Grant(RoomRights.of({"a": "r"}), expires=1.0), "phone")

    def test_named(self) -> None:
        """The specialKey, the device and the grant are the token's."""
        for query in ("", "specialKey=alice", "specialKey="):
            context = contextOf(parseQuery(f"support_gzip=1&{query}"), None, self.PASS)
            self.assertEqual(context.key, "alice:1@phone")
            self.assertIs(context.grant, self.PASS.grant)

    def test_otherwise(self) -> None:
        """A URL that says otherwise is refused, without saying what the token says."""
        for query in ("specialKey=bob", "specialKey=Alice", "specialKey=alice+"):
            refusal = self.assertRaises(
                Refusal, contextOf, parseQuery(query), lambda: "made-up", self.PASS
            )
            self.assertEqual(refusal.status, 403)
            self.assertNotIn("alice", refusal.text)


class AnonymousTests(ContextCase):
    """With --anonymous who has no specialKey gets a made-up one."""

    def test_made(self) -> None:
        """Who has none, or an empty one, gets the new key."""
        for query in ("", "specialKey", "specialKey=", "support_gzip=0"):
            context = contextOfQuery(query, lambda: "made-up")
            self.assertEqual(context, Context("made-up"))

    def test_parametersAreRead(self) -> None:
        """Who has no specialKey may still ask for gzip and pass parameters."""
        context = contextOfQuery("support_gzip=1&topic=b", lambda: "made-up")
        self.assertEqual(context, Context("made-up", True, {"topic": "b"}))

    def test_ownKey(self) -> None:
        """Who has a specialKey keeps it, and none is made."""
        made: list[str] = []

        def newKey() -> str:
            made.append("made-up")
            return made[-1]

        self.assertEqual(contextOfQuery("specialKey=a", newKey), Context("a"))
        self.assertEqual(made, [])

    def test_stillStrict(self) -> None:
        """A wrong specialKey is refused, not replaced by a made-up one."""
        self.assertIn("too long", self.refused("specialKey=" + "a" * 129, anonymousKey))
        self.assertIn("control", self.refused("specialKey=%00", anonymousKey))

    def test_unique(self) -> None:
        """Made-up keys are legal, recognisable, and nobody has the same."""
        keys = {anonymousKey() for _ in range(1000)}
        self.assertEqual(len(keys), 1000)
        for key in keys:
            self.assertEqual(contextOfKey(f"{key}:0"), Context(key))
            self.assertRegex(key, r"\Aanonymous-[0-9a-f]{32}\Z")


class QueryTests(ContextCase):
    """The URL's parameters are decoded strictly."""

    @PROPERTY
    @given(st.dictionaries(st.text(), st.text(), max_size=5))
    @example({"": "", "a": "", "&": "=", "+": " ", "%": "%25", FACE: "\0"})
    def test_everythingEncodedComesBack(self, parameters: dict[str, str]) -> None:
        """What a standard library encodes is what the application reads."""
        self.assertEqual(parseQuery(urlencode(parameters)), parameters)
        self.assertEqual(parseQuery(urlencode(parameters, quote_via=quote)), parameters)

    @PROPERTY
    @given(st.text() | st.text("&=+%aAfF019gC3", max_size=12))
    @example("%")
    @example("a=%C3")
    def test_anythingParsesOrIsRefused(self, query: str) -> None:
        """Whatever a URL holds, it is understood or refused with 400."""
        try:
            parameters = parseQuery(query)
        except Refusal as refusal:
            self.assertEqual(refusal.status, 400)
        else:
            self.assertEqual(parseQuery(urlencode(parameters)), parameters)

    @PROPERTY
    @given(st.text() | st.text("specialKey=%&:1", max_size=20))
    def test_anythingConnectsOrIsRefused(self, query: str) -> None:
        """Whatever a URL holds, it names a legal key or is refused with 400."""
        try:
            context = contextOfQuery(query)
        except Refusal as refusal:
            self.assertEqual(refusal.status, 400)
        else:
            self.assertEqual(contextOfKey(context.key).key, context.key)

    def test_plus(self) -> None:
        """A plus is a blank; %2B is a plus."""
        self.assertEqual(parseQuery("a+b=c+d%2Be"), {"a b": "c d+e"})

    def test_separators(self) -> None:
        """Empty parts are passed over; only the first = divides; ; is no divider."""
        self.assertEqual(parseQuery("&&a=b=c&&d&"), {"a": "b=c", "d": ""})
        self.assertEqual(parseQuery("a=b;c=d"), {"a": "b;c=d"})
        self.assertEqual(parseQuery("=x"), {"": "x"})

    def test_repeated(self) -> None:
        """A parameter given twice is refused: it is not known which one counts."""
        for query in (
            "specialKey=a&specialKey=b",
            "specialKey=a&specialKey=a",
            "specialKey=a&special%4Bey=a",
            "specialKey=a&support_gzip=1&support_gzip=1",
            "specialKey=a&x=1&x=2",
            "specialKey=a&x&x",
        ):
            self.assertIn("more than once", self.refused(query))

    def test_brokenEscapes(self) -> None:
        """Broken percent-encoding is refused, in names and in values."""
        for broken in ("%", "a%", "%4", "%zz", "%4g", "%%41", "%u0041", "% 41", "%-1"):
            for query in (f"specialKey={broken}", f"specialKey=a&{broken}=b"):
                self.assertIn("%25", self.refused(query))

    def test_notUTF8(self) -> None:
        """Bytes that are not UTF-8 are refused, in names and in values."""
        for encoded in ("%FF", "%C3", "%C0%80", "%ED%A0%80", "%F4%90%80%80", "caf%E9"):
            for query in (f"specialKey={encoded}", f"specialKey=a&{encoded}=b"):
                self.assertIn("UTF-8", self.refused(query))

    def test_refusalsRepeatNothing(self) -> None:
        """No answer holds what was sent: it may be a secret, or an attack."""
        for query in (
            f"specialKey={'xyzzy' * 26}",
            "specialKey=xyzzy%00",
            "specialKey=a&support_gzip=xyzzy",
            "specialKey=a&xyzzy=%",
            "specialKey=a&xyzzy=%FF",
            "specialKey=a&xyzzy=b&xyzzy=b",
        ):
            self.assertNotIn("xyzzy", self.refused(query))
