"""Tests of L{gows.access.rates}: how often something may happen."""

from __future__ import annotations

import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from gows.access.rates import (
    MAX_ADDRESSES,
    AddressRates,
    Allowance,
    Meter,
    networkOf,
)

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)

NOW = 1_700_000_000.0
"""A time as the reactor tells it: its floats are coarse."""

TICK = 1 / 8
"""A time that floats hold exactly."""

STEPS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 40)), min_size=1, max_size=60
)


class Tally:
    """
    The naive model of an allowance: it grows tick by tick.

    @ivar level: what may be taken
    @ivar excess: what was refused, without the first after something passed, since
        it was full, or since a burst's worth passed
    """

    def __init__(self, rate: int) -> None:
        """Be full."""
        self.rate = rate
        self.level = 2.0 * rate
        self.excess = 0
        self.passed = 0
        self.told = False

    def tick(self) -> None:
        """Let a tick pass."""
        self.level = min(2.0 * self.rate, self.level + self.rate * TICK)
        if self.level == 2 * self.rate:
            self.excess = 0

    def passes(self, cost: int) -> bool:
        """Take something if it passes."""
        if self.level < min(cost, self.rate):
            if self.told:
                self.excess += cost
                self.passed = 0
            self.told = True
            return False
        self.level -= cost
        self.told = False
        self.passed += cost
        if self.passed >= 2 * self.rate:
            self.excess = 0
        return True


class RatesTestCase(SynchronousTestCase):
    """Compares with what is about right."""

    def assertNear(self, found: float, expected: float, by: float) -> None:
        """Assert that a number differs by so much at the most."""
        self.assertLessEqual(abs(found - expected), by, (found, expected))


class AllowanceTests(RatesTestCase):
    """Over time the rate is kept; for a moment, twice of it."""

    def passing(self, allowance: Allowance, cost: int, times: int, now: float) -> int:
        """Count how many of so many pass at once."""
        return sum(allowance.take(cost, now) == 0.0 for _ in range(times))

    def test_burst(self) -> None:
        """Twice the rate passes at once, then nothing."""
        allowance = Allowance(10)
        self.assertEqual(self.passing(allowance, 1, 50, NOW), 20)
        self.assertEqual(self.passing(allowance, 1, 50, NOW), 0)

    def test_noMoreThanABurst(self) -> None:
        """The time that it takes to send a burst does not make it larger."""
        for rate in (1, 2, 10):
            allowance = Allowance(rate)
            passed = [allowance.take(1, NOW + n / 100_000) for n in range(50)]
            self.assertEqual(passed.count(0.0), 2 * rate)

    def test_sustained(self) -> None:
        """Who always asks for more gets the rate, minute by minute."""
        allowance = Allowance(10)
        passed = [
            sum(
                self.passing(allowance, 1, 3, NOW + minute * 60 + tick * TICK)
                for tick in range(60 * 8)
            )
            for minute in range(5)
        ]
        self.assertEqual(passed[1:], [600] * 4)
        self.assertTrue(600 <= passed[0] <= 621, passed)

    def test_withinTheRate(self) -> None:
        """Who keeps to the rate is never refused."""
        allowance = Allowance(8)
        for tick in range(60 * 8):
            self.assertEqual(allowance.take(1, NOW + tick * TICK), 0.0)

    def test_debt(self) -> None:
        """What is larger than a burst passes, and is paid for by waiting."""
        allowance = Allowance(100)
        self.assertEqual(allowance.take(1200, NOW), 0.0)
        self.assertNear(allowance.take(50, NOW), 10.5, by=0.01)
        self.assertNear(allowance.take(50, NOW + 4), 6.5, by=0.01)
        self.assertGreater(allowance.take(50, NOW + 10.4), 0)
        self.assertEqual(allowance.take(50, NOW + 10.6), 0.0)

    def test_largeOnes(self) -> None:
        """Large ones too average to the rate."""
        allowance = Allowance(1000)
        passed = sum(
            7000
            for tick in range(600 * 8)
            if allowance.take(7000, NOW + tick * TICK) == 0.0
        )
        self.assertNear(passed / 600, 1000, by=20)

    def test_idle(self) -> None:
        """However long nothing comes, no more than a burst is saved up."""
        allowance = Allowance(10)
        self.passing(allowance, 1, 20, NOW)
        self.assertEqual(self.passing(allowance, 1, 50, NOW + 86400), 20)

    def test_overdrawn(self) -> None:
        """Who is told, and refused more than another burst's worth, is overdrawn."""
        allowance = Allowance(10)
        self.passing(allowance, 1, 41, NOW)
        self.assertFalse(allowance.isOverdrawn)
        allowance.take(1, NOW)
        self.assertTrue(allowance.isOverdrawn)

    def test_excessIsForgotten(self) -> None:
        """Once the allowance is full again, what was refused is forgotten."""
        allowance = Allowance(10)
        self.passing(allowance, 1, 40, NOW)
        self.assertEqual(self.passing(allowance, 1, 20, NOW + 2), 20)
        self.assertEqual(self.passing(allowance, 1, 20, NOW + 2), 0)
        self.assertFalse(allowance.isOverdrawn)

    def test_excessIsKept(self) -> None:
        """Until then it is not: going on at that pace ends badly."""
        allowance = Allowance(10)
        self.passing(allowance, 1, 41, NOW)
        self.passing(allowance, 1, 21, NOW + 1.875)
        self.assertTrue(allowance.isOverdrawn)

    def test_threefold(self) -> None:
        """Who sends three times what is allowed, and does not stop, is overdrawn."""
        allowance = Allowance(10)
        overdrawn = [
            allowance.take(1, NOW + n / 30) > 0 and allowance.isOverdrawn
            for n in range(300)
        ]
        self.assertIn(True, overdrawn)

    def test_obedient(self) -> None:
        """Who waits as long as told, each time, goes on for ever."""
        for rate, cost in ((2, 1), (20, 1), (0.4, 1), (10_000, 30_000)):
            allowance, now = Allowance(rate), NOW
            for _ in range(1000):
                while not (wait := allowance.take(cost, now)):
                    pass
                self.assertFalse(allowance.isOverdrawn, (rate, cost))
                now += wait

    def test_nowAndThen(self) -> None:
        """Who is a little too fast at times, and slower at others, goes on as well."""
        allowance, now = Allowance(10), NOW
        self.passing(allowance, 1, 20, now)
        for _ in range(1000):
            now += 2
            self.assertEqual(self.passing(allowance, 1, 22, now), 20)
            self.assertFalse(allowance.isOverdrawn)

    def test_full(self) -> None:
        """It is full at first, and again when all is paid back."""
        allowance = Allowance(10)
        self.assertTrue(allowance.isFull(NOW))
        allowance.take(5, NOW)
        self.assertFalse(allowance.isFull(NOW + 0.25))
        self.assertTrue(allowance.isFull(NOW + 0.75))

    def test_timeGoesBack(self) -> None:
        """A clock that is set back gives nothing, and takes nothing."""
        allowance = Allowance(10)
        self.passing(allowance, 1, 20, NOW)
        self.assertEqual(self.passing(allowance, 1, 5, NOW - 3600), 0)
        self.assertEqual(self.passing(allowance, 1, 50, NOW - 3598), 20)

    @PROPERTY
    @given(
        st.sampled_from([0.01, 0.5, 3, 100, 12345.6, 1e9]),
        st.floats(1, 20),
        st.floats(0, 1e9),
    )
    def test_honest(self, rate: float, bursts: float, now: float) -> None:
        """Who waits as long as told passes; half of that is too short."""
        allowance = Allowance(rate)
        allowance.take(bursts * 2 * rate, now)
        wait = allowance.take(rate, now)
        self.assertGreater(wait, 0)
        self.assertGreater(allowance.take(rate, now + wait / 2), 0)
        self.assertEqual(allowance.take(rate, now + wait), 0.0)

    @PROPERTY
    @given(st.integers(1, 16), STEPS)
    def test_asTicks(self, rate: int, steps: list[tuple[int, int]]) -> None:
        """It is the same as what grows by the rate, tick by tick."""
        allowance, tally = Allowance(rate), Tally(rate)
        now = 0.0
        for ticks, cost in steps:
            for _ in range(ticks):
                tally.tick()
            now += ticks * TICK
            self.assertEqual(allowance.take(cost, now) == 0.0, tally.passes(cost))
            self.assertEqual(allowance.isOverdrawn, tally.excess > 2 * rate)


class MeterTests(RatesTestCase):
    """Messages and bytes are limited together."""

    def sent(self, meter: Meter, size: int, each: int, seconds: int) -> int:
        """Send so many messages each tick, from NOW on, and count what passes."""
        return sum(
            meter.take(size, NOW + tick * TICK) == 0.0
            for tick in range(seconds * 8)
            for _ in range(each)
        )

    def test_off(self) -> None:
        """Without limits everything passes."""
        meter = Meter(0, 0)
        self.assertEqual(self.sent(meter, 1_000_000, 100, 1), 800)
        self.assertFalse(meter.isOverdrawn)

    def test_messages(self) -> None:
        """Small messages are limited by their number."""
        self.assertNear(self.sent(Meter(10, 10_000), 5, 4, 120), 1220, by=2)

    def test_bytes(self) -> None:
        """Large messages are limited by their size."""
        passed = self.sent(Meter(10, 1000), 500, 4, 120)
        self.assertNear(passed, (120 + 2) * 1000 / 500, by=2)

    def test_oneOfThem(self) -> None:
        """Each limit works without the other."""
        self.assertNear(self.sent(Meter(10, 0), 500, 4, 120), 1220, by=2)
        self.assertNear(self.sent(Meter(0, 1000), 500, 4, 120), 244, by=2)

    def test_chargedTogether(self) -> None:
        """What one limit refuses costs nothing of the other."""
        meter = Meter(10, 1000)
        self.assertEqual(meter.take(3000, NOW), 0.0)
        for _ in range(100):
            self.assertNear(meter.take(1, NOW), 1, by=0.01)
        passed = [meter.take(1, NOW + 1.1) for _ in range(30)]
        self.assertEqual(passed.count(0.0), 20)

    def test_longerWait(self) -> None:
        """Where both refuse, the longer wait is told."""
        meter = Meter(1, 1000)
        self.assertEqual([meter.take(10_000, NOW)], [0.0])
        self.assertEqual(Meter(1, 1000).take(10, NOW), 0.0)
        wait = meter.take(1, NOW)
        self.assertNear(wait, 8, by=0.01)
        self.assertEqual(meter.take(1, NOW + wait), 0.0)

    def test_overdrawn(self) -> None:
        """Who goes on for another burst's worth of either is overdrawn."""
        for rate, byteRate, size in ((10, 0, 5), (0, 100, 10), (10, 100, 10)):
            meter = Meter(rate, byteRate)
            for _ in range(41):
                meter.take(size, NOW)
            self.assertFalse(meter.isOverdrawn)
            meter.take(size, NOW)
            self.assertTrue(meter.isOverdrawn)

    def test_empty(self) -> None:
        """Empty messages are bytes too, so nobody sends them for nothing."""
        meter = Meter(0, 10)
        for _ in range(42):
            meter.take(0, NOW)
        self.assertTrue(meter.isOverdrawn)

    def test_moreThanItSeemed(self) -> None:
        """What a message turns out to have besides is owed."""
        meter = Meter(0, 1000)
        self.assertEqual(meter.take(100, NOW), 0.0)
        meter.add(9900)
        self.assertNear(meter.take(1, NOW), 8, by=0.01)
        other = Meter(10, 0)
        self.assertEqual(other.take(100, NOW), 0.0)
        other.add(9900)
        self.assertEqual(other.take(1, NOW), 0.0)

    def test_small(self) -> None:
        """A connection's meter takes a few hundred bytes."""
        tracemalloc.start()
        try:
            meters = [Meter(10, 1000) for _ in range(1000)]
            for meter in meters:
                meter.take(100, NOW)
            size, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        self.assertLess(size / len(meters), 500)


class AddressRatesTests(RatesTestCase):
    """Each address opens so many connections a second."""

    def test_off(self) -> None:
        """Without a limit nobody is refused or remembered."""
        rates = AddressRates(0)
        self.assertEqual({rates.take("192.0.2.1", NOW) for _ in range(1000)}, {0.0})
        self.assertEqual(len(rates), 0)

    def test_sustained(self) -> None:
        """An address that always tries gets the rate, over minutes."""
        rates = AddressRates(5)
        passed = sum(
            rates.take("192.0.2.1", NOW + tick * TICK) == 0.0
            for tick in range(300 * 8)
            for _ in range(3)
        )
        self.assertNear(passed, 302 * 5, by=2)

    def test_wait(self) -> None:
        """One may ask before, which costs nothing; a burst may be of any size."""
        rates = AddressRates(0.5, burst=3)
        for _ in range(3):
            for _ in range(10):
                self.assertEqual(rates.wait("192.0.2.1", NOW), 0.0)
            self.assertEqual(rates.take("192.0.2.1", NOW), 0.0)
        wait = rates.wait("192.0.2.1", NOW)
        self.assertGreater(wait, 0)
        self.assertEqual(rates.wait("192.0.2.1", NOW + wait), 0.0)
        self.assertEqual(rates.wait("192.0.2.2", NOW), 0.0)
        self.assertEqual(len(rates), 1)

    def test_apart(self) -> None:
        """One address costs another nothing."""
        rates = AddressRates(5)
        first = [rates.take("192.0.2.1", NOW) for _ in range(20)]
        second = [rates.take("192.0.2.2", NOW) for _ in range(20)]
        self.assertEqual(first, second)
        self.assertEqual(first.count(0.0), 10)

    def test_retry(self) -> None:
        """Who waits as long as told opens."""
        rates = AddressRates(0.1)
        for _ in range(2):
            wait = rates.take("192.0.2.1", NOW)
        self.assertGreater(wait, 0)
        self.assertEqual(rates.take("192.0.2.1", NOW + wait), 0.0)

    def test_oneNetwork(self) -> None:
        """All addresses of an IPv6 network count as one, those of the next do not."""
        rates = AddressRates(5)
        passed = [rates.take(f"2001:db8::{n:x}", NOW) for n in range(1, 1000)]
        self.assertEqual(passed.count(0.0), 10)
        self.assertEqual(len(rates), 1)
        self.assertEqual(rates.take("2001:db8:0:1::1", NOW), 0.0)

    def test_forgets(self) -> None:
        """An address whose allowance is full again takes no memory."""
        rates = AddressRates(5)
        for n in range(1000):
            rates.take(f"192.0.2.{n}", NOW)
        self.assertEqual(len(rates), 1000)
        rates.take("198.51.100.1", NOW + 10)
        self.assertEqual(len(rates), 1)

    def test_remembers(self) -> None:
        """One that keeps trying is not forgotten because others come and go."""
        rates = AddressRates(1)
        passed = 0
        for tick in range(60 * 8):
            passed += rates.take("192.0.2.1", NOW + tick * TICK) == 0.0
            rates.take(f"198.51.100.{tick}", NOW + tick * TICK)
        self.assertNear(passed, 62, by=1)
        self.assertLess(len(rates), 30)

    def test_bounded(self) -> None:
        """However many come at once, the latest ones are remembered and no more."""
        rates = AddressRates(1)
        for n in range(MAX_ADDRESSES + 10):
            rates.take(f"host {n}", NOW)
        self.assertEqual(len(rates), MAX_ADDRESSES)
        latest = f"host {MAX_ADDRESSES + 9}"
        self.assertEqual(rates.take(latest, NOW), 0.0)
        self.assertGreater(rates.take(latest, NOW), 0)

    def test_timeGoesBack(self) -> None:
        """A clock that is set back keeps nobody out for long, or in memory."""
        rates = AddressRates(1)
        for _ in range(3):
            rates.take("192.0.2.1", NOW)
        rates.take("192.0.2.2", NOW - 3600)
        self.assertEqual(rates.take("192.0.2.1", NOW - 3597), 0.0)
        rates.take("192.0.2.2", NOW - 3500)
        rates.take("192.0.2.2", NOW - 3490)
        self.assertLessEqual(len(rates), 1)


class NetworkTests(SynchronousTestCase):
    """What an address is counted as."""

    def test_itself(self) -> None:
        """IPv4, and what is no address, count as themselves."""
        for text in ("192.0.2.1", "unix", "unknown", "", "::x", ":", "1::2::3", "a:\0"):
            self.assertEqual(networkOf(text), text)
        self.assertEqual(networkOf("ä:1"), "ä:1")

    def test_network(self) -> None:
        """IPv6, however it is written, counts by the first 64 bits."""
        for text in (
            "2001:db8:1:2::",
            "2001:DB8:1:2::1",
            "2001:db8:1:2:ffff:ffff:ffff:ffff",
            "2001:0db8:0001:0002:0000:0000:192.0.2.1",
        ):
            self.assertEqual(networkOf(text), "2001:db8:1:2::/64")
        self.assertEqual(networkOf("2001:db8:1:3::1"), "2001:db8:1:3::/64")
        self.assertEqual(networkOf("::1"), "::/64")

    def test_zone(self) -> None:
        """A zone does not make an address another one."""
        self.assertEqual(networkOf("fe80::1%eth0"), "fe80::/64")

    def test_mapped(self) -> None:
        """IPv4 addresses that IPv6 wraps are not all one network."""
        self.assertEqual(networkOf("::ffff:192.0.2.1"), "192.0.2.1")
        self.assertEqual(networkOf("::ffff:c000:202"), "192.0.2.2")

    def test_asCounted(self) -> None:
        """A network's name is not an address: nobody has it by chance."""
        self.assertEqual(networkOf("2001:db8::/64"), "2001:db8::/64")
