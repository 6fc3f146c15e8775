"""What a server counts of itself, made metrics of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple, TypeVar

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from gows import __version__
from gows.counts import Bins, Counts

L = TypeVar("L", bound=tuple[str, ...])
"""What the labels say; there may be none."""

_STATUSES: Final = (400, 401, 403, 404, 405, 409, 426, 429, 431, 500, 503, 505)
"""What gows itself refuses with; an application may refuse with others."""

_HELP: Final = {
    "gows_build_info": "Always 1; the label has the version of gows.",
    "gows_connections": (
        "Open connections, by what they speak and in which form they get messages."
    ),
    "gows_people": "People who are connected, each counted once.",
    "gows_rooms": "Rooms in which there is somebody.",
    "gows_connections_opened": "Connections that have opened.",
    "gows_connections_closed": (
        "Connections that are gone, by close code; 1006: there was none."
    ),
    "gows_opening_seconds": (
        "From a connection to the answer that makes it a WebSocket."
    ),
    "gows_refused": "Openings and plain requests that were refused, by HTTP status.",
    "gows_openings_abandoned": (
        "Openings that were not completed within --handshake-timeout."
    ),
    "gows_messages_received": "Messages from clients, by whom they are for.",
    "gows_received_bytes": "Payloads of messages from clients, decompressed.",
    "gows_messages_sent": "Messages to clients, each counted once however many get it.",
    "gows_deliveries": (
        "Messages to clients, counted for each connection that is to get it."
    ),
    "gows_sent_bytes": (
        "Frames of messages, counted for each connection that is to get it."
    ),
    "gows_messages_ignored": (
        "Messages from clients that came faster than --rate or --byte-rate allow."
    ),
    "gows_messages_dropped": (
        "Deliveries that slow readers have lost, with the --slow-policy."
    ),
    "gows_waiting_bytes": (
        "Bytes that wait for slow readers; --backlog-limit bounds them."
    ),
    "gows_joined_frames": "Frames that left with one send to each member of a group.",
    "gows_flush_bytes": "Bytes that left with one send to each member of a group.",
    "gows_fanout_seconds": (
        "How long it took to send to all groups that had something to send."
    ),
    "gows_reactor_lag_seconds": "How late the reactor was, looked at twice a second.",
    "gows_reactor_lag_last_seconds": "How late the reactor was the last time.",
}
"""All metrics, and what is said of them."""


class Standing(NamedTuple):
    """
    How it stands at this moment.

    @ivar people: how many are connected
    @ivar rooms: how many have somebody in them
    @ivar waiting: bytes that wait for slow readers; those that wait for several
        count once
    @ivar dropped: messages that slow readers have lost since the start
    @ivar lag: seconds by which the reactor was late the last time
    """

    people: int
    rooms: int
    waiting: int
    dropped: int
    lag: float


class GowsCollector(Collector):
    """Makes metrics of what is counted, each time that somebody asks."""

    def __init__(
        self,
        counts: Counts,
        lags: Bins,
        standing: Callable[[], Standing],
        *,
        codes: Iterable[str],
        policy: str,
    ) -> None:
        """
        Read these.

        @param lags: how late the reactor was, in seconds
        @param codes: all that closed connections are counted by
        @param policy: for slow readers
        """
        self._counts = counts
        self._lags = lags
        self._standing = standing
        self._noneClosed = dict.fromkeys(codes, 0)
        self._policy = policy

    def collect(self) -> Iterator[Metric]:
        """Make all metrics; docs/operations.md has them in a table."""
        standing = self._standing()
        yield from self._connections(standing)
        yield from self._openings()
        yield from self._messages(standing)
        yield from self._sending(standing)

    def _connections(self, standing: Standing) -> Iterator[Metric]:
        counts, kind = self._counts, ("dialect", "form")
        yield _gauge("gows_build_info", {(__version__,): 1}, "version")
        yield _gauge("gows_connections", counts.here, *kind)
        yield _gauge("gows_people", {(): standing.people})
        yield _gauge("gows_rooms", {(): standing.rooms})
        yield _counter("gows_connections_opened", counts.opened, *kind)
        closed = self._noneClosed | counts.closed
        yield _counter("gows_connections_closed", _byLabel(closed), "code")

    def _openings(self) -> Iterator[Metric]:
        counts = self._counts
        yield _histogram("gows_opening_seconds", counts.openings)
        refused = dict.fromkeys(_STATUSES, 0) | counts.refused
        statuses = {(str(int(status)),): n for status, n in refused.items()}
        yield _counter("gows_refused", statuses, "status")
        yield _counter("gows_openings_abandoned", {(): counts.abandoned})

    def _messages(self, standing: Standing) -> Iterator[Metric]:
        received, sent = self._counts.received, self._counts.sent
        for name, flows, figure in (
            ("gows_messages_received", received, "messages"),
            ("gows_received_bytes", received, "size"),
            ("gows_messages_sent", sent, "messages"),
            ("gows_deliveries", sent, "deliveries"),
            ("gows_sent_bytes", sent, "size"),
        ):
            values = {to: getattr(flow, figure) for to, flow in flows.items()}
            yield _counter(name, _byLabel(values), "audience")
        yield _counter("gows_messages_ignored", {(): self._counts.tooFast})
        dropped = {(self._policy,): standing.dropped}
        yield _counter("gows_messages_dropped", dropped, "policy")

    def _sending(self, standing: Standing) -> Iterator[Metric]:
        counts = self._counts
        yield _gauge("gows_waiting_bytes", {(): standing.waiting})
        yield _histogram("gows_joined_frames", counts.frames)
        yield _histogram("gows_flush_bytes", counts.sizes)
        yield _histogram("gows_fanout_seconds", counts.sendings)
        yield _histogram("gows_reactor_lag_seconds", self._lags)
        yield _gauge("gows_reactor_lag_last_seconds", {(): standing.lag})


def _gauge(name: str, values: Mapping[L, float], *labels: str) -> Metric:
    return _filled(GaugeMetricFamily(name, _HELP[name], labels=labels), values)


def _counter(name: str, values: Mapping[L, float], *labels: str) -> Metric:
    return _filled(CounterMetricFamily(name, _HELP[name], labels=labels), values)


def _filled(
    family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[L, float]
) -> Metric:
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _histogram(name: str, bins: Bins) -> Metric:
    buckets = [(floatToGoString(bound), count) for bound, count in bins.upTo()]
    return HistogramMetricFamily(name, _HELP[name], buckets, bins.sum)


def _byLabel(values: Mapping[str, float]) -> Mapping[tuple[str], float]:
    """Write the only label of values as one of several."""
    return {(label,): value for label, value in values.items()}
