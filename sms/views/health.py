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
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from sms import figures, live, queue, readiness
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


class Installation:
    """The figures that are counted when Prometheus asks."""

    def collect(self) -> Iterator[Metric]:
        outbox = figures.outbox()
        messages = GaugeMetricFamily("faden_messages", "Messages by status.", labels=["status"])
        for status, number in outbox.messages.items():
            messages.add_metric([status], number)
        yield messages
        yield GaugeMetricFamily(
            "faden_oldest_queued_seconds",
            "How long the longest waiting message is overdue.",
            outbox.oldest_seconds,
        )
        yield GaugeMetricFamily("faden_queue_jobs", "Jobs that wait in the queue.", queue.depth())
        yield GaugeMetricFamily(
            "faden_live_pages", "Open pages that follow the live feed of this process.", len(live.feed)
        )
        silent = figures.worker_silent_seconds()
        if silent is not None:
            yield GaugeMetricFamily(
                "faden_worker_heartbeat_age_seconds", "How long ago a worker showed that it lives.", silent
            )


registry.register(Installation())


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
