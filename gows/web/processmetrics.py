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
from twisted.internet.threads import deferToThread

from gows.access import limits

_FILES: Final = Path("/proc/self/fd")
_STAT: Final = Path("/proc/self/stat")
_SYSTEM: Final = Path("/proc/stat")


class ProcessMetrics(Collector):
    """
    Makes the metrics that the library's C{ProcessCollector} does.

    That one counts open files by listing them, which takes milliseconds where there
    are thousands, and cannot be told not to.
    """

    def __init__(self, openFiles: int | None) -> None:
        """
        Show that so many files are open.

        @param openFiles: see L{countOpenFiles}
        """
        self._openFiles = openFiles

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
        if self._openFiles is not None:
            text = "Number of open file descriptors."
            yield _gauge("open_fds", text, self._openFiles)
        text = "Maximum number of open file descriptors."
        yield _gauge("max_fds", text, limits.openFiles())


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"process_{name}", text, value)


async def countOpenFiles() -> int | None:
    """
    Count the files that this process has open.

    Linux tells it since 6.2. Before, a thread lists them.

    @return: L{None}: it cannot be told
    """
    try:
        return _FILES.stat().st_size or await deferToThread(_listOpenFiles)
    except OSError:  # not Linux; or there are so many that they cannot be listed
        return None


def _listOpenFiles() -> int:
    return len(os.listdir(_FILES)) - 1  # the folder itself is open meanwhile


@cache
def _bootTime() -> float:
    for line in _SYSTEM.read_bytes().splitlines():
        if line.startswith(b"btime "):
            return float(line.split()[1])
    raise OSError(f"{_SYSTEM} does not tell it")
