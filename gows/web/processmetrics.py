"""What the system tells of this process, made metrics of Prometheus."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gows.access import limits

_FILES: Final = Path("/proc/self/fd")
_STAT: Final = Path("/proc/self/stat")
_SYSTEM: Final = Path("/proc/stat")


class ProcessMetrics(Collector):
    """
    Makes the metrics that the library's C{ProcessCollector} does.

    That one counts open files by listing them, also where the system tells it: that
    takes milliseconds where there are thousands.
    """

    def collect(self) -> Iterator[Metric]:
        """Make all metrics; where the system is not Linux there are none."""
        try:
            stat = _STAT.read_bytes().rpartition(b")")[2].split()
            booted = _bootTime()
        except OSError:
            return
        ticks = os.sysconf("SC_CLK_TCK")
        user, system, begun = (int(stat[place]) / ticks for place in (11, 12, 19))
        virtual, pages = int(stat[20]), int(stat[21])
        resident = pages * resource.getpagesize()
        yield _gauge("virtual_memory_bytes", "Virtual memory size in bytes.", virtual)
        yield _gauge(
            "resident_memory_bytes", "Resident memory size in bytes.", resident
        )
        yield _gauge(
            "start_time_seconds",
            "Start time of the process since unix epoch in seconds.",
            booted + begun,
        )
        yield CounterMetricFamily(
            "process_cpu_seconds_total",
            "Total user and system CPU time spent in seconds.",
            user + system,
        )
        if (openFiles := countOpenFiles()) is not None:
            yield _gauge("open_fds", "Number of open file descriptors.", openFiles)
        text = "Maximum number of open file descriptors."
        yield _gauge("max_fds", text, limits.openFiles())


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"process_{name}", text, value)


def countOpenFiles() -> int | None:
    """
    Count the files that this process has open.

    Linux tells it since 6.2. Before, they have to be listed: some microseconds for
    each.

    @return: L{None}: it cannot be told
    """
    try:
        # The folder itself is open while it is listed.
        return _FILES.stat().st_size or len(os.listdir(_FILES)) - 1
    except OSError:  # not Linux; or there are so many that they cannot be listed
        return None


@cache
def _bootTime() -> float:
    for line in _SYSTEM.read_bytes().splitlines():
        if line.startswith(b"btime "):
            return float(line.split()[1])
    raise OSError(f"{_SYSTEM} does not tell it")
