"""Tests for L{gows.web.processmetrics}: what the system tells of this process."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import Metric, ProcessCollector
from twisted.trial.unittest import SynchronousTestCase

from gows.web import processmetrics
from gows.web.processmetrics import ProcessMetrics, countOpenFiles


def values(metrics: list[Metric]) -> dict[str, float]:
    """Answer all samples."""
    return {
        sample.name: sample.value for metric in metrics for sample in metric.samples
    }


class ProcessMetricsTests(SynchronousTestCase):
    """They are what dashboards know, of the library."""

    def setUp(self) -> None:
        """Ask both."""
        self.wanted = list(ProcessCollector(registry=None).collect())
        self.found = list(ProcessMetrics().collect())

    def test_names(self) -> None:
        """Names, types, what is said of them, and their order are the library's."""
        wanted, found = (
            [(metric.name, metric.type, metric.documentation) for metric in metrics]
            for metrics in (self.wanted, self.found)
        )
        self.assertEqual(found, wanted)

    def test_values(self) -> None:
        """So are the numbers, but that the library counts what it lists with."""
        wanted, found = values(self.wanted), values(self.found)
        openFiles = wanted.pop("process_open_fds") - 1
        self.assertEqual(found.pop("process_open_fds"), openFiles)
        for name in ("process_start_time_seconds", "process_max_fds"):
            self.assertEqual(found.pop(name), wanted.pop(name), name)
        for name, value in found.items():
            self.assertApproximates(value, wanted[name], 0.2 * value + 0.2)

    def test_uncounted(self) -> None:
        """Where open files cannot be counted, nothing is said of how many there are."""
        self.patch(processmetrics, "_FILES", Path("/proc/self/nothing"))
        found = values(list(ProcessMetrics().collect()))
        self.assertNotIn("process_open_fds", found)
        self.assertIn("process_max_fds", found)

    def test_notLinux(self) -> None:
        """Where the system tells nothing there is nothing."""
        self.patch(processmetrics, "_STAT", Path("/proc/self/nothing"))
        self.assertEqual(list(ProcessMetrics().collect()), [])

    def test_neverBooted(self) -> None:
        """So it is where it does not tell when it started."""
        processmetrics._bootTime.cache_clear()
        self.addCleanup(processmetrics._bootTime.cache_clear)
        self.patch(processmetrics, "_SYSTEM", Path("/proc/self/stat"))
        self.assertEqual(list(ProcessMetrics().collect()), [])


class CountOpenFilesTests(SynchronousTestCase):
    """Open files are counted, whatever kernel it is."""

    def assertCounts(self) -> None:
        """Assert that files are counted that are open, and no others."""
        before = countOpenFiles()
        assert before is not None
        ends = [end for _ in range(50) for end in os.pipe()]
        self.assertEqual(countOpenFiles(), before + 100)
        for end in ends:
            os.close(end)
        self.assertEqual(countOpenFiles(), before)

    def test_told(self) -> None:
        """The system is asked, and tells it."""
        self.assertCounts()

    def test_listed(self) -> None:
        """One that does not has them listed, with the same result."""
        self.patch(processmetrics, "_FILES", Path("/proc/self/fdinfo"))
        self.assertEqual(countOpenFiles(), len(os.listdir("/proc/self/fd")) - 1)
        self.assertCounts()

    def test_nowhere(self) -> None:
        """Where there is nothing to ask, nothing is said."""
        self.patch(processmetrics, "_FILES", Path("/proc/self/nothing"))
        self.assertIsNone(countOpenFiles())
