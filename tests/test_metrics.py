"""Tests for L{gows.web.metrics}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parseOpenMetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parseText
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from gows import __version__
from gows.chat.audience import TO_EVERYONE, toKey, toRoom
from gows.counts import Bins, Counts
from gows.web.metrics import GowsCollector, MetricsPage, Standing, wantsOpenMetrics

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
"""What Prometheus 3 asks for."""


class CollectorTestCase(SynchronousTestCase):
    """
    Tests with counts of their own.

    @ivar counts: what happened
    @ivar standing: how it stands
    """

    def setUp(self) -> None:
        """Count nothing yet."""
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


class MetricsPageTests(CollectorTestCase):
    """What is answered."""

    def request(self, accept: str = "", method: bytes = b"GET") -> DummyRequest:
        """Make a request, and have it answered."""
        request = DummyRequest([b""])
        request.method = method
        if accept:
            request.requestHeaders.setRawHeaders("Accept", [accept])
        MetricsPage(self.collector).render(request)  # type: ignore[arg-type]
        self.assertEqual(request.finished, 1)
        return request

    def kindOf(self, request: DummyRequest) -> str:
        """Answer what an answer says that it is."""
        return ", ".join(request.responseHeaders.getRawHeaders("Content-Type", []))

    def assertWhole(self, families: list[Metric]) -> None:
        """Assert that an answer has everything."""
        names = {family.name for family in families}
        expected = {metric.name for metric in self.collector.collect()}
        self.assertEqual(expected - names, set())
        self.assertIn("process_resident_memory_bytes", names)
        self.assertIn("python_info", names)

    def test_text(self) -> None:
        """Who asks for nothing particular gets the text format."""
        for accept in ("", "*/*", "text/html"):
            request = self.request(accept)
            self.assertEqual(
                self.kindOf(request), "text/plain; version=0.0.4; charset=utf-8"
            )
            self.assertWhole(list(parseText(b"".join(request.written).decode())))

    def test_openMetrics(self) -> None:
        """Prometheus gets OpenMetrics, which its strict parser takes."""
        self.counts.joined(1000, 1 << 30)
        request = self.request(PROMETHEUS)
        self.assertEqual(
            self.kindOf(request),
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )
        self.assertWhole(list(parseOpenMetrics(b"".join(request.written).decode())))

    def test_head(self) -> None:
        """HEAD gets the same without the body."""
        request = self.request(method=b"HEAD")
        self.assertEqual((request.responseCode, request.written), (200, []))

    def test_otherMethods(self) -> None:
        """Nothing can be written here."""
        request = self.request(method=b"POST")
        self.assertEqual(request.responseCode, 405)
        self.assertEqual(request.responseHeaders.getRawHeaders("Allow"), ["GET, HEAD"])

    def test_registries(self) -> None:
        """Two servers in one process do not know of each other."""
        self.request()
        self.request()


class WantsOpenMetricsTests(SynchronousTestCase):
    """Which format is asked for."""

    def test_wanted(self) -> None:
        """OpenMetrics is, when it is named, and plain text is not preferred."""
        for accept in (
            PROMETHEUS,
            "application/openmetrics-text",
            "Application/OpenMetrics-Text; version=1.0.0",
            "text/plain;q=0.5, application/openmetrics-text;q=0.5",
        ):
            self.assertTrue(wantsOpenMetrics(accept), accept)

    def test_notWanted(self) -> None:
        """It is not otherwise."""
        for accept in (
            "",
            "*/*",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=much",
            "application/openmetrics-text;q=0.5, text/plain",
            "application/openmetrics-texts",
        ):
            self.assertFalse(wantsOpenMetrics(accept), accept)

    @PROPERTY
    @given(
        st.text()
        | st.lists(
            st.sampled_from(
                ["application/openmetrics-text", "text/plain", ";", "q=", "nan", ","]
            )
        ).map("".join)
    )
    def test_whatever(self, accept: str) -> None:
        """Whatever comes, there is an answer."""
        self.assertIn(wantsOpenMetrics(accept), (True, False))
