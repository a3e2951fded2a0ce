"""Is this process alive, can the installation do its work, and what are its figures?

The three answer without a sign-in, as what watches over an installation has none; they hold no text, number,
name or secret. Who does not want to show them outside closes them in the proxy.
"""

import time
from collections.abc import Iterator

from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue
from peewee import InterfaceError, OperationalError
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from sms import figures, queue, readiness
from sms.models.carrier import STATES
from sms.views.gate import public

blueprint = Blueprint("health", __name__)
registry = CollectorRegistry()
durations = Histogram(
    "faden_http_request_seconds",
    "How long pages and calls took in this process, by endpoint and status; live streams are not among them.",
    ("method", "endpoint", "status"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})


KEPT_SECONDS = 5.0
"""Whoever asks more often gets the same figures again: anybody may ask, and counting a long queue takes a moment."""


class Installation:
    """The figures of all processes, counted when Prometheus asks."""

    def __init__(self) -> None:
        self.until, self.kept = 0.0, list[Metric]()

    def collect(self) -> list[Metric]:
        """Return the figures, some seconds old at most."""
        if time.monotonic() >= self.until:
            self.kept = [*_messages(), *_carriers(), *_processes()]
            self.until = time.monotonic() + KEPT_SECONDS
        return self.kept

    def forget(self) -> None:
        """Count anew at the next question."""
        self.until = 0.0


def _messages() -> Iterator[Metric]:
    queued = figures.queued()
    messages = GaugeMetricFamily("faden_messages", "Messages that are not done with.", labels=["status"])
    for status, number in figures.open_messages().items() | {("queued", sum(lane.number for lane in queued))}:
        messages.add_metric([status], number)
    yield messages
    labels = ["carrier", "channel", "lane"]
    waiting = GaugeMetricFamily("faden_queued_messages", "Messages that wait for a carrier.", labels=labels)
    oldest = GaugeMetricFamily(
        "faden_oldest_queued_seconds", "How long the longest waiting message is overdue.", labels=labels
    )
    for lane in queued:
        waiting.add_metric([lane.carrier, lane.channel, lane.lane], lane.number)
        oldest.add_metric([lane.carrier, lane.channel, lane.lane], lane.oldest_seconds)
    yield from (waiting, oldest)


def _carriers() -> Iterator[Metric]:
    handed = HistogramMetricFamily(
        "faden_handed_over_seconds",
        "How long carriers took to answer when they were given a text, by outcome.",
        labels=["carrier", "outcome"],
    )
    for row in figures.handed_over():
        handed.add_metric([row.carrier, row.outcome], row.buckets, row.seconds)
    yield handed
    reached = CounterMetricFamily(
        "faden_message_statuses", "Statuses that messages have reached.", labels=["carrier", "status"]
    )
    for (carrier, status), number in figures.statuses().items():
        reached.add_metric([carrier, status], number)
    yield reached
    calls = CounterMetricFamily(
        "faden_calls", "Calls to recipients that have ended.", labels=["carrier", "result"]
    )
    for (carrier, result), number in figures.calls().items():
        calls.add_metric([carrier, result], number)
    yield calls
    states = GaugeMetricFamily("faden_carrier_state", "How a carrier stands: 1.", labels=["carrier", "state"])
    for carrier, standing in figures.standings().items():
        for state in (*STATES, "paused"):
            states.add_metric([carrier, state], int(state == standing.state))
    yield states


def _processes() -> Iterator[Metric]:
    running = GaugeMetricFamily("faden_processes", "Processes that live, by kind.", labels=["kind"])
    silent = GaugeMetricFamily(
        "faden_heartbeat_age_seconds",
        "How long ago the last process of a kind showed that it lives.",
        labels=["kind"],
    )
    for kind in figures.processes():
        running.add_metric([kind.name], kind.running)
        silent.add_metric([kind.name], kind.silent_seconds)
    yield from (running, silent)
    yield GaugeMetricFamily("faden_live_pages", "Open pages that follow the live feed.", figures.live_pages())
    yield GaugeMetricFamily("faden_queue_jobs", "Jobs that wait in the queue.", queue.depth())


installation = Installation()
registry.register(installation)


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """Answer as long as the process can; whether its work gets done is told at /readyz."""
    return {"status": "alive"}


@blueprint.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Tell whether messages would go out now; 503 with the reasons where they would not."""
    try:
        checks = readiness.checks()
    except (OperationalError, InterfaceError):
        checks = readiness.without_database()
    reasons = [sentence for sentence in checks.values() if sentence != "ok"]
    body = {"status": "not ready" if reasons else "ready", "reasons": reasons, "checks": checks}
    return body, 503 if reasons else 200, {"Cache-Control": "no-store"}


@blueprint.get("/metrics")
@public
def metrics() -> ResponseReturnValue:
    """Show the figures to Prometheus, in its text format."""
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


@blueprint.before_app_request
def start_watch() -> None:
    """Note when a request began."""
    g.began = time.perf_counter()


@blueprint.after_app_request
def stop_watch(response: Response) -> Response:
    """Note how long a request took; unknown addresses share one name, as anybody can make up more of them."""
    if "began" in g:
        method = request.method if request.method in METHODS else "other"
        labels = durations.labels(method, request.endpoint or "unknown", str(response.status_code))
        labels.observe(time.perf_counter() - g.began)
    return response
