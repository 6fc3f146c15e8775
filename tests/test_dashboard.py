"""Tests for what is in C{etc/} for Prometheus and Grafana."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from gows.lag import ReactorLag
from gows.measuring import metricsPage
from tests.asking import AskingTestCase
from tests.support import ROOT

WIDTH = 24
"""Columns of a dashboard of Grafana's."""

DOCUMENT = ROOT / "docs" / "operations.md"


class ExpositionTestCase(AskingTestCase):
    """
    Tests that compare with what a server answers.

    @ivar metrics: that, parsed
    """

    def setUp(self) -> None:
        """Ask a server that has just started."""
        super().setUp()
        page = metricsPage(self.factory(), ReactorLag(self.clock))
        text = self.got(self.door({"/metrics": page}), "/metrics").body.decode()
        self.metrics: list[Metric] = list(text_string_to_metric_families(text))


class OperationsTests(ExpositionTestCase):
    """docs/operations.md says what there is."""

    def test_table(self) -> None:
        """Each metric is in the table, with its type, its labels and its help."""
        rows = re.findall(
            r"^\| `(\w+)` \| (\w+) \| (.*?) ?\| (.*) \|$",
            DOCUMENT.read_text("utf-8").partition("\n## Metrics\n")[2],
            re.MULTILINE,
        )
        self.assertEqual(rows, [rowOf(metric) for metric in self.metrics])


def rowOf(metric: Metric) -> tuple[str, str, str, str]:
    """Write a metric as the table does."""
    labels = {
        f"`{label}`"
        for sample in metric.samples
        for label in sample.labels
        if label != "le"
    }
    suffix = "_total" if metric.type == "counter" else ""
    name = metric.name + suffix
    return name, metric.type, ", ".join(sorted(labels)), metric.documentation


class DashboardTests(ExpositionTestCase):
    """etc/grafana-dashboard.json is one that Grafana takes, and shows what there is."""

    def setUp(self) -> None:
        """Read it."""
        super().setUp()
        text = (ROOT / "etc" / "grafana-dashboard.json").read_text("utf-8")
        self.board: dict[str, Any] = json.loads(text)
        self.panels: list[dict[str, Any]] = self.board["panels"]

    def graphs(self) -> Iterator[dict[str, Any]]:
        """Iterate over the panels that show something."""
        return (panel for panel in self.panels if panel["type"] != "row")

    def expressions(self) -> Iterator[str]:
        """Iterate over all that is asked of Prometheus."""
        for panel in self.graphs():
            for target in panel["targets"]:
                yield target["expr"]
        for annotation in self.board["annotations"]["list"]:
            yield annotation["expr"]

    def shown(self) -> set[str]:
        """Answer the names of the samples that it shows."""
        found = re.compile(r"\b(?:gows|process|python)_\w+")
        return {name for each in self.expressions() for name in found.findall(each)}

    def test_known(self) -> None:
        """Whatever it shows is there."""
        there = {sample.name for metric in self.metrics for sample in metric.samples}
        self.assertEqual(self.shown() - there, set())

    def test_complete(self) -> None:
        """All that gows counts is shown."""
        shown = self.shown()
        missing = [
            metric.name
            for metric in self.metrics
            if metric.name.startswith("gows_")
            and not shown & {sample.name for sample in metric.samples}
        ]
        self.assertEqual(missing, [])

    def test_labels(self) -> None:
        """It groups by labels that its metrics have, or Prometheus gives."""
        labels = {
            label
            for metric in self.metrics
            for sample in metric.samples
            for label in sample.labels
        }
        for expression in self.expressions():
            for names in re.findall(r"\bby \((.*?)\)", expression):
                self.assertEqual(set(names.split(", ")) - labels, set(), expression)
        legends = " ".join(
            target["legendFormat"]
            for panel in self.graphs()
            for target in panel["targets"]
        )
        used = set(re.findall(r"\{\{(\w+)\}\}", legends))
        self.assertEqual(used - labels - {"instance"}, set())

    def test_brackets(self) -> None:
        """Each expression closes what it opens."""
        for expression in self.expressions():
            for opening, closing in ("()", "[]", "{}"):
                self.assertEqual(
                    expression.count(opening), expression.count(closing), expression
                )

    def test_importable(self) -> None:
        """It has what Grafana's import asks for, and nothing of one installation."""
        self.assertIsNone(self.board["id"])
        self.assertGreaterEqual(self.board["schemaVersion"], 36)
        for name in ("title", "uid", "time", "refresh", "version"):
            self.assertTrue(self.board[name], name)
        variables = {each["name"]: each for each in self.board["templating"]["list"]}
        self.assertEqual(variables["datasource"]["type"], "datasource")
        self.assertEqual(variables["datasource"]["query"], "prometheus")
        sources = [
            *(panel["datasource"] for panel in self.graphs()),
            *(t["datasource"] for panel in self.graphs() for t in panel["targets"]),
            *(variables[name]["datasource"] for name in ("job", "instance")),
            *(each["datasource"] for each in self.board["annotations"]["list"]),
        ]
        for source in sources:
            self.assertEqual(source, {"type": "prometheus", "uid": "${datasource}"})
        used = set(re.findall(r"\$(\w+)", " ".join(self.expressions())))
        self.assertEqual(used - {"__rate_interval"}, set(variables) - {"datasource"})

    def test_panels(self) -> None:
        """Each panel has a title, a description, a unit, and asks for something."""
        for panel in self.graphs():
            self.assertTrue(panel["title"])
            self.assertTrue(panel["description"], panel["title"])
            self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], panel["title"])
            self.assertGreater(len(panel["targets"]), 0, panel["title"])
            ids = [target["refId"] for target in panel["targets"]]
            self.assertEqual(len(ids), len(set(ids)))
        ids = [panel["id"] for panel in self.panels]
        self.assertEqual(len(ids), len(set(ids)))

    def test_thresholds(self) -> None:
        """Thresholds begin with what is normal, and ascend."""
        coloured = 0
        for panel in self.graphs():
            steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
            self.assertIsNone(steps[0]["value"])
            values = [step["value"] for step in steps[1:]]
            self.assertEqual(values, sorted(values))
            coloured += bool(values)
        self.assertGreater(coloured, 5)

    def test_places(self) -> None:
        """The panels are side by side, within the width, and none covers another."""
        places = [panel["gridPos"] for panel in self.panels]
        for place in places:
            self.assertGreaterEqual(min(place["x"], place["y"]), 0)
            self.assertGreater(min(place["w"], place["h"]), 0)
            self.assertLessEqual(place["x"] + place["w"], WIDTH)
        for one, other in combinations(places, 2):
            isBeside = (
                one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
            )
            isAbove = (
                one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
            )
            self.assertTrue(isBeside or isAbove, (one, other))


class PrometheusTests(ExpositionTestCase):
    """etc/prometheus.yml asks the door, with a key that is not in it."""

    def test_scrape(self) -> None:
        """It asks for /metrics, on loopback, with a key from a file."""
        text = (ROOT / "etc" / "prometheus.yml").read_text("utf-8")
        lines = [line.strip() for line in text.splitlines()]
        for line in (
            "metrics_path: /metrics",
            'targets: ["127.0.0.1:8889"]',
            "credentials_file: /etc/prometheus/gows.key",
        ):
            self.assertTrue(any(line in each for each in lines), line)
        self.assertNotIn("credentials:", text)
        self.assertNotIn("\t", text)
