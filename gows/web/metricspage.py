"""The page with all metrics, in the formats that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, PlatformCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from twisted.web.resource import Resource
from twisted.web.server import Request

from gows.web.answers import answer, answerProblem, notAllowed
from gows.web.processmetrics import ProcessMetrics


class MetricsPage(Resource):
    """Answers with all metrics, those of the process and of Python as well."""

    isLeaf = True

    def __init__(self, collector: Collector) -> None:
        """Ask this collector."""
        super().__init__()
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        self._registry.register(ProcessMetrics())
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
