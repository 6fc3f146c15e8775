"""Tests for L{gows.web.metrics}: what is counted is shown."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gows import __version__
from gows.chat.audience import TO_EVERYONE, toKey, toRoom
from gows.counts import Bins, Counts
from gows.web.metrics import GowsCollector, Standing


class CollectorTestCase(SynchronousTestCase):
    """
    Tests with counts of their own.

    @ivar counts: what happened
    @ivar standing: how it stands
    """

    def setUp(self) -> None:
        """Count nothing yet."""
        super().setUp()
        self.counts = Counts()
        self.lags = Bins((0.1, 1))
        self.standing = Standing(0, 0, 0, 0, 0.0)
        self.collector = GowsCollector(
            self.counts,
            self.lags,
            lambda: self.standing,
            codes=("1000", "1006", "other"),
            policy="latest",
        )

    def samples(self) -> dict[str, float]:
        """Answer all samples of gows, as the text format has them."""
        return {
            sample.name
            + "".join(f" {key}={value}" for key, value in sample.labels.items()): (
                sample.value
            )
            for metric in self.collector.collect()
            for sample in metric.samples
        }

    def changed(self, before: dict[str, float]) -> dict[str, float]:
        """Answer what is not as it was before."""
        after = self.samples()
        return {name: after[name] for name in after if after[name] != before.get(name)}


class GowsCollectorTests(CollectorTestCase):
    """Each number is shown where it belongs, and nowhere else."""

    def test_zero(self) -> None:
        """At first all there will be is there, and zero: rates see the first one."""
        samples = self.samples()
        self.assertEqual(samples.pop(f"gows_build_info version={__version__}"), 1)
        self.assertEqual(set(samples.values()), {0})
        for name in (
            "gows_connections dialect=gows.v1 form=deflate",
            "gows_connections_closed_total code=other",
            "gows_refused_total status=429",
            "gows_deliveries_total audience=presence",
            "gows_messages_dropped_total policy=latest",
        ):
            self.assertIn(name, samples)

    def test_connections(self) -> None:
        """Who is here, who was, and how it ended."""
        before = self.samples()
        kind = "gows.v1", "gzip"
        self.counts.came(kind)
        self.counts.came(kind)
        self.counts.left(kind)
        self.counts.gone("1006")
        self.assertEqual(
            self.changed(before),
            {
                "gows_connections dialect=gows.v1 form=gzip": 1,
                "gows_connections_opened_total dialect=gows.v1 form=gzip": 2,
                "gows_connections_closed_total code=1006": 1,
            },
        )

    def test_openings(self) -> None:
        """How openings went; an application may refuse with any status."""
        before = self.samples()
        for status in (404, 404, 418):
            self.counts.refusal(status)
        self.counts.neverOpened()
        self.assertEqual(
            self.changed(before),
            {
                "gows_refused_total status=404": 2,
                "gows_refused_total status=418": 1,
                "gows_openings_abandoned_total": 1,
            },
        )

    def test_histogram(self) -> None:
        """A histogram has its bins up to infinity, its count and its sum."""
        before = self.samples()
        self.lags.add(0.1)
        self.lags.add(7)
        self.assertEqual(
            self.changed(before),
            {
                "gows_reactor_lag_seconds_bucket le=0.1": 1,
                "gows_reactor_lag_seconds_bucket le=1.0": 1,
                "gows_reactor_lag_seconds_bucket le=+Inf": 2,
                "gows_reactor_lag_seconds_count": 2,
                "gows_reactor_lag_seconds_sum": 7.1,
            },
        )

    def test_histograms(self) -> None:
        """Each of the histograms shows what was counted for it."""
        before = self.samples()
        self.counts.answered(10)
        self.counts.joined(1000, 1 << 30)
        self.counts.fannedOut(20)
        self.assertEqual(
            {k: v for k, v in self.changed(before).items() if k.endswith("_sum")},
            {
                "gows_opening_seconds_sum": 10,
                "gows_joined_frames_sum": 1000,
                "gows_flush_bytes_sum": 1 << 30,
                "gows_fanout_seconds_sum": 20,
            },
        )

    def test_messages(self) -> None:
        """Messages by whom they are for."""
        before = self.samples()
        self.counts.heard(TO_EVERYONE, 10)
        self.counts.said(toRoom("secret-plans"), 3, 36)
        self.counts.said(toKey("alice"), 2, 24)
        self.counts.ignored()
        changed = self.changed(before)
        self.assertEqual(
            changed,
            {
                "gows_messages_received_total audience=everyone": 1,
                "gows_received_bytes_total audience=everyone": 10,
                "gows_messages_sent_total audience=room": 1,
                "gows_deliveries_total audience=room": 3,
                "gows_sent_bytes_total audience=room": 36,
                "gows_messages_sent_total audience=key": 1,
                "gows_deliveries_total audience=key": 2,
                "gows_sent_bytes_total audience=key": 24,
                "gows_messages_ignored_total": 1,
            },
        )

    def test_standing(self) -> None:
        """How it stands is asked for each time."""
        before = self.samples()
        self.standing = Standing(1, 2, 3, 4, 0.5)
        self.assertEqual(
            self.changed(before),
            {
                "gows_people": 1,
                "gows_rooms": 2,
                "gows_waiting_bytes": 3,
                "gows_messages_dropped_total policy=latest": 4,
                "gows_reactor_lag_last_seconds": 0.5,
            },
        )
