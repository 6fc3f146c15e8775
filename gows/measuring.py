"""Puts together what shows how a server is doing."""

from __future__ import annotations

from gows.lag import ReactorLag
from gows.web.metrics import GowsCollector, Standing
from gows.web.metricspage import MetricsPage
from gows.wire.closing import LABELS, OTHER
from gows.wire.factory import GowsFactory


def collectorOf(factory: GowsFactory, lag: ReactorLag) -> GowsCollector:
    """
    Make what reads a server's counts.

    @param lag: a service that somebody starts
    """

    def standing() -> Standing:
        hall, backlog = factory.hall, factory.terms.backlog
        return Standing(
            people=hall.registry.people,
            rooms=hall.rooms,
            waiting=backlog.size,
            dropped=backlog.dropped,
            lag=lag.latest,
        )

    return GowsCollector(
        factory.counts,
        lag.bins,
        standing,
        codes=(*LABELS, OTHER),
        policy=factory.terms.policy,
    )


def metricsPage(factory: GowsFactory, lag: ReactorLag) -> MetricsPage:
    """Make what answers C{/metrics}; see L{collectorOf}."""
    return MetricsPage(collectorOf(factory, lag))
