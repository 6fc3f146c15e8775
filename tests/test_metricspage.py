"""Tests for L{gows.web.metricspage}: what is answered, in which format."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parseOpenMetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parseText
from twisted.trial.unittest import SynchronousTestCase

from gows.web.metricspage import MetricsPage, wantsOpenMetrics
from tests.asking import AskingTestCase
from tests.memory import Answer
from tests.test_metrics import CollectorTestCase

PROPERTY = settings(max_examples=100, deadline=None, database=None, derandomize=True)

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
    "text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
"""What Prometheus 3 asks for."""


class MetricsPageTests(CollectorTestCase, AskingTestCase):
    """What is answered."""

    def answered(
        self, accept: str = "", method: str = "GET", page: MetricsPage | None = None
    ) -> Answer:
        """Have a page answer: a new one if need be."""
        door = self.door({"/metrics": page or MetricsPage(self.collector)})
        headers = {"Accept": accept} if accept else {}
        return self.got(door, "/metrics", method, **headers)

    def assertWhole(self, families: list[Metric]) -> None:
        """Assert that an answer has everything."""
        names = {family.name for family in families}
        expected = {metric.name for metric in self.collector.collect()}
        self.assertEqual(expected - names, set())
        self.assertIn("process_resident_memory_bytes", names)
        self.assertIn("process_open_fds", names)
        self.assertIn("python_info", names)

    def test_text(self) -> None:
        """Who asks for nothing particular gets the text format."""
        for accept in ("", "*/*", "text/html"):
            answer = self.answered(accept)
            self.assertEqual(
                answer.headers["content-type"],
                "text/plain; version=0.0.4; charset=utf-8",
            )
            self.assertWhole(list(parseText(answer.body.decode())))

    def test_openMetrics(self) -> None:
        """Prometheus gets OpenMetrics, which its strict parser takes."""
        self.counts.joined(1000, 1 << 30)
        answer = self.answered(PROMETHEUS)
        self.assertEqual(
            answer.headers["content-type"],
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        )
        self.assertWhole(list(parseOpenMetrics(answer.body.decode())))

    def test_head(self) -> None:
        """HEAD gets the same without the body."""
        answer = self.answered(method="HEAD")
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_otherMethods(self) -> None:
        """Nothing can be written here."""
        answer = self.answered(method="POST")
        self.assertEqual((answer.status, answer.headers["allow"]), (405, "GET, HEAD"))

    def test_registries(self) -> None:
        """Two servers in one process do not know of each other: each shows its own."""
        pages = []
        for frames in (1, 10):
            self.setUp()
            self.counts.joined(frames, 1)
            pages.append(MetricsPage(self.collector))
        for page, frames in zip(pages, (1, 10), strict=True):
            text = self.answered(page=page).body.decode()
            self.assertRegex(text, rf"(?m)^gows_joined_frames_sum {frames}\.0$")
            self.assertWhole(list(parseText(text)))


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
