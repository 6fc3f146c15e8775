"""What a server counts of itself, in the formats that Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from twisted.web.resource import Resource
from twisted.web.server import Request

from gows import __version__
from gows.counts import KINDS, Bins, Counts, Flow
from gows.web.answers import answer, answerProblem, notAllowed

Values = Mapping[tuple[str, ...], float]
"""By the labels' values."""

_STATUSES: Final = (400, 401, 403, 404, 405, 409, 426, 429, 431, 500, 503, 505)
"""What gows itself refuses with; an application may refuse with others."""


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
        counts = self._counts
        yield _gauge(
            "gows_build_info",
            "Always 1; the label has the version of gows.",
            {(__version__,): 1},
            "version",
        )
        yield _gauge(
            "gows_connections",
            "Open connections, by what they speak and in which form they get messages.",
            {kind: counts.here[kind] for kind in KINDS},
            "dialect",
            "form",
        )
        yield _gauge(
            "gows_people",
            "People who are connected, each counted once.",
            {(): standing.people},
        )
        yield _gauge(
            "gows_rooms",
            "Rooms in which there is somebody.",
            {(): standing.rooms},
        )
        yield _counter(
            "gows_connections_opened",
            "Connections that have opened.",
            {kind: counts.opened[kind] for kind in KINDS},
            "dialect",
            "form",
        )
        yield _counter(
            "gows_connections_closed",
            "Connections that are gone, by close code; 1006: there was none.",
            {(code,): n for code, n in (self._noneClosed | counts.closed).items()},
            "code",
        )

    def _openings(self) -> Iterator[Metric]:
        counts = self._counts
        yield _histogram(
            "gows_opening_seconds",
            "From a connection to the answer that makes it a WebSocket.",
            counts.openings,
        )
        refused = dict.fromkeys(_STATUSES, 0) | counts.refused
        yield _counter(
            "gows_refused",
            "Openings and plain requests that were refused, by HTTP status.",
            {(str(int(status)),): n for status, n in refused.items()},
            "status",
        )
        yield _counter(
            "gows_openings_abandoned",
            "Openings that were not completed within --handshake-timeout.",
            {(): counts.abandoned},
        )

    def _messages(self, standing: Standing) -> Iterator[Metric]:
        received, sent = self._counts.received, self._counts.sent
        yield _counter(
            "gows_messages_received",
            "Messages from clients, by whom they are for.",
            _ofFlows(received, lambda flow: flow.messages),
            "audience",
        )
        yield _counter(
            "gows_received_bytes",
            "Payloads of messages from clients, decompressed.",
            _ofFlows(received, lambda flow: flow.size),
            "audience",
        )
        yield _counter(
            "gows_messages_sent",
            "Messages to clients, each counted once however many get it.",
            _ofFlows(sent, lambda flow: flow.messages),
            "audience",
        )
        yield _counter(
            "gows_deliveries",
            "Messages to clients, counted for each connection that is to get it.",
            _ofFlows(sent, lambda flow: flow.deliveries),
            "audience",
        )
        yield _counter(
            "gows_sent_bytes",
            "Frames of messages, counted for each connection that is to get it.",
            _ofFlows(sent, lambda flow: flow.size),
            "audience",
        )
        yield _counter(
            "gows_messages_ignored",
            "Messages from clients that came faster than --rate or --byte-rate allow.",
            {(): self._counts.tooFast},
        )
        yield _counter(
            "gows_messages_dropped",
            "Deliveries that slow readers have lost, with the --slow-policy.",
            {(self._policy,): standing.dropped},
            "policy",
        )

    def _sending(self, standing: Standing) -> Iterator[Metric]:
        counts = self._counts
        yield _gauge(
            "gows_waiting_bytes",
            "Bytes that wait for slow readers; --backlog-limit bounds them.",
            {(): standing.waiting},
        )
        yield _histogram(
            "gows_joined_frames",
            "Frames that left with one send to each member of a group.",
            counts.frames,
        )
        yield _histogram(
            "gows_flush_bytes",
            "Bytes that left with one send to each member of a group.",
            counts.sizes,
        )
        yield _histogram(
            "gows_fanout_seconds",
            "How long it took to send to all groups that had something to send.",
            counts.sendings,
        )
        yield _histogram(
            "gows_reactor_lag_seconds",
            "How late the reactor was, looked at twice a second.",
            self._lags,
        )
        yield _gauge(
            "gows_reactor_lag_last_seconds",
            "How late the reactor was the last time.",
            {(): standing.lag},
        )


class MetricsPage(Resource):
    """Answers with all metrics, those of the process and of Python as well."""

    isLeaf = True

    def __init__(self, collector: Collector) -> None:
        """Ask this collector."""
        super().__init__()
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

    def render(self, request: Request) -> int:
        """Answer in the format that is asked for."""
        if request.method not in (b"GET", b"HEAD"):
            return answerProblem(request, notAllowed(["GET"]))
        accepted = request.requestHeaders.getRawHeaders("Accept", [])
        if wantsOpenMetrics(",".join(accepted)):
            body: bytes = openmetrics.generate_latest(self._registry)
            return answer(request, body, openmetrics.CONTENT_TYPE_LATEST)
        return answer(
            request, generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4
        )


def wantsOpenMetrics(accept: str) -> bool:
    """
    Tell which format to answer in.

    The library's own choice would put what came into the answer's C{Content-Type}.

    @param accept: a header; whatever cannot be read counts as not there
    @return: whether OpenMetrics is asked for, and plain text is not preferred to it
    """
    weights = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for item in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        if kind in weights:
            weights[kind] = max(weights[kind], _weightOf(parameters))
    wanted, plain = weights.values()
    return wanted > 0 and wanted >= plain


def _weightOf(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _gauge(name: str, text: str, values: Values, *labels: str) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _counter(name: str, text: str, values: Values, *labels: str) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _histogram(name: str, text: str, bins: Bins) -> Metric:
    buckets = [(floatToGoString(bound), count) for bound, count in bins.upTo()]
    return HistogramMetricFamily(name, text, buckets, bins.sum)


def _ofFlows(flows: Mapping[str, Flow], figure: Callable[[Flow], int]) -> Values:
    return {(audience,): figure(flow) for audience, flow in flows.items()}
