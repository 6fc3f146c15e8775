"""Tests for L{gows.wire.cuts}."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.logger import formatEvent
from twisted.trial.unittest import SynchronousTestCase

from gows.wire.cuts import ENOUGH, PERIODS, Cuts
from tests.memory import PING, TEXT, MemoryTestCase, closeFrame, frame

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)


class CutsCase(SynchronousTestCase):
    """
    Counts, on a clock.

    @ivar warned: the warnings: a period, its cuts, and how many there were of all
    """

    def setUp(self) -> None:
        """Begin without any."""
        self.clock = Clock()
        self.warned: list[tuple[int, int, int]] = []
        self.cuts = Cuts(self.clock.seconds, self.warn)

    def warn(self, period: int, cuts: int, ofAll: int) -> None:
        """Note a warning."""
        self.warned.append((period, cuts, ofAll))

    def cut(self, count: int, age: float, silence: float = 1.0) -> None:
        """Have connections cut."""
        for _ in range(count):
            self.cuts.cut(age, silence)


class CountTests(CutsCase):
    """When a suspicion is raised, and when not."""

    def test_age(self) -> None:
        """Ten that go at one of the ages are enough."""
        for number, period in enumerate(PERIODS):
            self.setUp()
            self.cut(ENOUGH - 1, period + number - 1)
            self.assertEqual(self.warned, [])
            self.cut(1, period)
            self.assertEqual(self.warned, [(period, 10, 10)])

    def test_silence(self) -> None:
        """So are ten at any age after the same time of silence."""
        for number in range(ENOUGH):
            self.cut(1, 1000 + 77 * number, 60 + number % 3 - 1)
        self.assertEqual(self.warned, [(60, 10, 10)])

    def test_near(self) -> None:
        """Two seconds more or less are the same, three are not."""
        self.cut(5, 58.0)
        self.cut(5, 62.0)
        self.assertEqual(self.warned, [(60, 10, 10)])
        self.setUp()
        self.cut(100, 57.9)
        self.cut(100, 62.1)
        self.assertEqual(self.warned, [])

    def test_most(self) -> None:
        """As many that go at other times are no proxy's."""
        self.cut(20, 7.0)
        self.cut(20, 60.0)
        self.assertEqual(self.warned, [])
        self.cut(1, 60.0)
        self.assertEqual(self.warned, [(60, 21, 41)])

    def test_slow(self) -> None:
        """What was more than ten minutes ago does not count."""
        for _ in range(100):
            self.clock.advance(67)
            self.cut(1, 60.0)
        self.assertEqual(self.warned, [])
        for _ in range(ENOUGH):
            self.clock.advance(50)
            self.cut(1, 60.0)
        self.assertEqual(len(self.warned), 1)

    def test_longAgo(self) -> None:
        """Others that went long ago do not hide it."""
        self.cut(1000, 7.0)
        self.clock.advance(600)
        self.cut(ENOUGH, 60.0)
        self.assertEqual(self.warned, [(60, 10, 10)])

    def test_onceAnHour(self) -> None:
        """It is said once an hour, for each period."""
        for _ in range(3599):
            self.cut(1, 60.0)
            self.clock.advance(1)
        self.assertEqual(len(self.warned), 1)
        for _ in range(2):
            self.cut(1000, 30.0)
            self.assertEqual([period for period, _, _ in self.warned], [60, 30])
        self.clock.advance(3000)
        self.cut(1000, 60.0)
        self.assertEqual([period for period, _, _ in self.warned], [60, 30, 60])

    @PROPERTY
    @given(
        st.integers(0, 1 << 32),
        st.integers(1, 500),
        st.floats(100, 10_000),
        st.floats(0, 5),
    )
    def test_random(self, seed: int, count: int, longest: float, pause: float) -> None:
        """Connections that go at any time are nobody's doing."""
        self.setUp()
        chance = random.Random(seed)
        for _ in range(count):
            age = chance.uniform(0, longest)
            self.cuts.cut(age, chance.uniform(0, min(age, longest / 2)))
            self.clock.advance(pause)
        self.assertEqual(self.warned, [])

    @PROPERTY
    @given(
        st.integers(0, 1 << 32),
        st.sampled_from(PERIODS),
        st.integers(40, 500),
        st.booleans(),
    )
    def test_clustered(
        self, seed: int, period: int, count: int, isSilence: bool
    ) -> None:
        """Where two thirds go after a period, that one is found, and no other."""
        self.setUp()
        chance = random.Random(seed)
        for number in range(count):
            age, silence = chance.uniform(200, 5000), chance.uniform(0, 20)
            if number % 3:
                near = period + chance.uniform(-1.9, 1.9)
                age, silence = (age, near) if isSilence else (near, silence)
            self.cuts.cut(age, silence)
            self.clock.advance(chance.uniform(0, 1))
        self.assertEqual([found for found, _, _ in self.warned], [period])


class ConnectionsTests(MemoryTestCase):
    """Which connections count, and by what."""

    def warnings(self) -> list[str]:
        """Answer what was warned of."""
        warned = [event for event in self.events if event["log_level"].name == "warn"]
        return [formatEvent(event) for event in warned]

    def test_idle(self) -> None:
        """Lines that break at the same time of silence, whatever was before."""
        server = self.factory(pingInterval=0)
        clients = [self.opened(server, f"specialKey=p{n}") for n in range(10)]
        self.clock.advance(17)
        clients[0].send(frame(TEXT, b"hello"))
        self.clock.advance(60)
        for client in clients:
            client.leave(ConnectionLost())
        self.assertEqual(
            self.warnings(),
            [
                "a proxy between you and your clients seems to cut idle connections at "
                "60 s: lower --ping-interval (it is 0 s); 10 of 10 cut ones were cut "
                "then"
            ],
        )

    def test_answers(self) -> None:
        """A pong ends a silence, too."""
        server = self.factory(pingInterval=0)
        clients = [self.opened(server, f"specialKey=p{n}") for n in range(10)]
        self.clock.advance(40)
        for client in clients:
            client.send(frame(PING))
        self.clock.advance(30)
        for client in clients:
            client.leave()
        [warning] = self.warnings()
        self.assertIn("cut idle connections at 30 s", warning)

    def test_pings(self) -> None:
        """Where there are pings already, it may be the age that counts."""
        server = self.factory(pingInterval=25, pingTimeout=100)
        clients = [self.opened(server, f"specialKey=p{n}") for n in range(10)]
        self.advance(60)
        for client in clients:
            client.leave()
        [warning] = self.warnings()
        self.assertIn("at 60 s: lower --ping-interval (it is 25 s: if less", warning)

    def test_closed(self) -> None:
        """Whoever closes, or is closed, does not count."""
        server = self.factory(pingInterval=0)
        for number in range(20):
            client = self.opened(server, f"specialKey=p{number}")
            self.clock.advance(60)
            if number % 2:
                client.send(closeFrame(1000))
            else:
                client.server.close(4000)
                client.leave()
        self.assertEqual(self.warnings(), [])

    def test_silent(self) -> None:
        """Nor does who is dropped for not answering a ping."""
        server = self.factory(pingInterval=50, pingTimeout=10)
        clients = [self.opened(server, f"specialKey=p{n}") for n in range(20)]
        self.advance(60.2)
        for client in clients:
            client.flush()
        closes = [call[2:] for call in self.calls(server) if call[0] == "close"]
        self.assertEqual(closes, [(False, 1006)] * 20)
        self.assertEqual(self.warnings(), [])

    def test_sendingFails(self) -> None:
        """Who is found to be gone when something is sent does count."""
        server = self.factory(pingInterval=0)
        clients = [self.opened(server, f"specialKey=p{n}") for n in range(10)]
        self.clock.advance(60)
        for client in clients:
            client.transport.breaks = ConnectionResetError()
            client.server.send("hello")
        self.clock.advance(0)
        for client in clients:
            client.flush()
        [warning] = self.warnings()
        self.assertIn("at 60 s: ", warning)
        self.assertIn("10 of 10 cut ones", warning)
