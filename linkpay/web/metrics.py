"""Figures for Prometheus, made from the database when asked for: every web process tells the same."""

from collections.abc import Iterator
from hmac import compare_digest
from ipaddress import ip_address

from flask import Blueprint, Response, abort, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from linkpay.services import measuring
from linkpay.services.measuring import Figures
from linkpay.store import intake
from linkpay.web.edge import edge, parts

bp = Blueprint("metrics", __name__)
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@bp.get("/metrics")
def metrics() -> Response:
    """For who shows METRICS_TOKEN; without one for this machine, where no proxy can hide who asks."""
    _admit()
    with parts().database.read() as tx:
        found = measuring.figures(tx, parts().clock.now(), intake.set_aside(parts().database))
    registry = CollectorRegistry()
    registry.register(_Shown(found, edge().workers_listening()))
    return Response(generate_latest(registry), content_type=_TYPE)


def _admit() -> None:
    token = edge().metrics_token
    if token is not None:
        shown = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not compare_digest(shown, f"Bearer {token}".encode()):
            abort(401)
    elif edge().secure or not _is_this_machine(request.remote_addr or ""):
        abort(404)


def _is_this_machine(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


class _Shown(Collector):
    """Figures as metric families."""

    def __init__(self, found: Figures, workers: int | None) -> None:
        self._found, self._workers = found, workers

    def collect(self) -> Iterator[Metric]:
        """All families."""
        found = self._found
        yield from _gauges(found)
        yield _one(
            "grants_behind", "Changes of access that Kajabi has not confirmed in 30 s", found.grants_behind
        )
        yield _one("charges_overdue", "Charges that should have been raised days ago", found.charges_overdue)
        if self._workers is not None:
            yield _one("workers", "Worker processes that listen", self._workers)
        if found.clock_at is not None:
            seen = found.clock_at.timestamp()
            yield _one("clock_beat_timestamp_seconds", "When a clock process was last heard of", seen)
        yield _errors(found)
        histogram = HistogramMetricFamily(
            "linkpay_paid_to_granted_seconds", "From payment at Mollie to access at Kajabi"
        )
        histogram.add_metric([], list(found.paid_to_granted.buckets), found.paid_to_granted.total_s)
        yield histogram


def _gauges(found: Figures) -> Iterator[Metric]:
    checked = {name: at.timestamp() for name, at in found.checked_at.items()}
    for name, help_text, label, values in (
        ("inbox_age_seconds", "Age of the oldest message that is not handled", "source", found.inbox_age_s),
        ("inbox_waiting", "Messages that are not handled", "source", found.inbox_waiting),
        ("outbox_age_seconds", "How late the oldest piece of due work is", "kind", found.outbox_age_s),
        ("outbox_due", "Pieces of work that are due", "kind", found.outbox_due),
        ("outbox_failing", "Pieces of work that failed ten times and go on", "kind", found.outbox_failing),
        ("parked", "Rows that only a person can set going", "table", found.parked),
        ("attention_open", "What waits for a person", "kind", found.attention),
        ("invariant_broken", "Statements that must always be true and are not", "invariant", found.broken),
        ("invariants_checked_timestamp_seconds", "When they were last checked", "scope", checked),
        ("sites", "Sites by state", "state", found.sites),
    ):
        family = GaugeMetricFamily(f"linkpay_{name}", help_text, labels=[label])
        for value in ("mollie", "kajabi") if label == "source" else ():
            family.add_metric([value], values.get(value, 0))
        for value, number in values.items():
            if label != "source":
                family.add_metric([value], number)
        yield family


def _one(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"linkpay_{name}", help_text, value=value)


def _errors(found: Figures) -> Metric:
    family = CounterMetricFamily(
        "linkpay_provider_errors", "Calls that did not end well", labels=["provider", "class"]
    )
    for label, number in found.provider_errors.items():
        provider, _, kind = label.partition("/")
        family.add_metric([provider, kind], number)
    return family
