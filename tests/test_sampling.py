"""Tests for L{gows.sampling}: how a server is doing, second by second."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from gows.counts import SENDING, Bins
from gows.lag import ReactorLag
from gows.sampling import KEPT, Sample, Sampler, quantile, residentSet
from tests.memory import TEXT, MemoryTestCase, frame

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)


class SamplerTests(MemoryTestCase):
    """
    A server that is sampled.

    @ivar cpu: the process's time
    """

    def setUp(self) -> None:
        """Begin."""
        super().setUp()
        self.server = self.factory(pingInterval=0)
        self.cpu = 1.0
        self.lag = ReactorLag(self.clock)
        self.sampler = Sampler(
            self.server, self.lag, cpuTime=lambda: self.cpu, memory=lambda: 12345
        )
        self.told: list[Sample] = []
        self.sampler.listen(self.told.append)
        self.lag.startService()
        self.sampler.startService()
        self.addCleanup(self.sampler.stopService)
        self.addCleanup(self.lag.stopService)

    def sample(self) -> Sample:
        """Let a second pass, and answer its sample."""
        before = len(self.told)
        self.clock.pump([0.5, 0.5])
        self.assertEqual(len(self.told), before + 1)
        return self.told[-1]

    def test_quiet(self) -> None:
        """Where nothing happens everything is 0, but what is there anyway."""
        sample = self.sample()
        self.assertEqual(sample.time, 1000)
        self.assertEqual(sample.memory, 12345)
        self.assertEqual((sample.fanout_p50, sample.fanout_p99), (None, None))
        rest = sample._replace(time=0, memory=0, fanout_p50=0.0, fanout_p99=0.0)
        self.assertEqual(set(rest), {0})

    def test_talk(self) -> None:
        """What is said is counted, once each way, and for each reader."""
        alice = self.opened(self.server)
        for name in "bc":
            self.opened(self.server, f"specialKey={name}&room=den")
        alice.send(frame(TEXT, b"x"))
        alice.send(frame(TEXT, b"y"))
        self.cpu += 0.25
        sample = self.sample()
        self.assertEqual((sample.connections, sample.people, sample.rooms), (3, 3, 2))
        self.assertEqual((sample.messages_in, sample.messages_out), (2, 2))
        self.assertEqual(sample.deliveries, 2)
        self.assertEqual(sample.cpu, 0.25)
        self.assertIsNotNone(sample.fanout_p50)
        self.assertEqual(self.sample().messages_in, 0)

    def test_refused(self) -> None:
        """So is what is refused."""
        self.ask(self.server, b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(self.sample().refused, 1)

    def test_lag(self) -> None:
        """The largest lag of the second counts."""
        self.clock.advance(0.8)
        self.clock.advance(0.2)
        self.assertEqual(self.told[-1].lag, 0.3)
        self.clock.pump([0.3, 0.5, 0.2])
        self.assertEqual(self.told[-1].lag, 0)

    def test_late(self) -> None:
        """When a sample is late, rates are still per second."""
        alice = self.opened(self.server)
        for _ in range(4):
            alice.send(frame(TEXT, b"x"))
        self.clock.advance(2)
        self.assertEqual(self.told[-1].messages_in, 2)

    def test_kept(self) -> None:
        """Those of the last minutes are kept."""
        self.clock.pump([0.5] * (2 * KEPT + 20))
        self.assertEqual(len(self.sampler.samples), KEPT)
        self.assertEqual(self.sampler.samples[-1], self.told[-1])

    def test_stop(self) -> None:
        """Once stopped there are no more."""
        self.sampler.stopService()
        self.clock.advance(5)
        self.assertEqual(self.told, [])

    def test_memory(self) -> None:
        """A process takes some memory."""
        self.assertGreater(residentSet(), 10_000_000)


class QuantileTests(MemoryTestCase):
    """A quantile is estimated from bins."""

    def test_none(self) -> None:
        """Of nothing there is none."""
        bins = Bins(SENDING)
        self.assertIsNone(quantile(bins, [0] * (len(SENDING) + 1), 0.5))

    @PROPERTY
    @given(
        st.lists(st.floats(0, 3), min_size=1, max_size=50),
        st.sampled_from([0.5, 0.9, 0.99]),
    )
    def test_withinItsBin(self, values: list[float], part: float) -> None:
        """It is in the same bin as the true one."""
        bins = Bins(SENDING)
        for value in values:
            bins.add(value)
        found = quantile(bins, [count for _, count in bins.upTo()], part)
        assert found is not None
        true = sorted(values)[math.ceil(part * len(values)) - 1]
        below = max([0.0, *(bound for bound in SENDING if bound < true)])
        above = min([*(bound for bound in SENDING if bound >= true), SENDING[-1]])
        self.assertGreaterEqual(found, below)
        self.assertLessEqual(found, max(above, below))
