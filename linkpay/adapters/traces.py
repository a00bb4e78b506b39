"""OpenTelemetry, where it is wanted: how long requests and jobs take, without anybody's data."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from linkpay import spans
from linkpay.errors import SettingsError

_MISSING = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set and the client is not installed:"
    " pip install --require-hashes -r config/requirements-otel.txt, or remove the setting."
)
#: Seconds for one delivery. A collector that is away costs spans, never a request or a stop.
_PATIENCE = 3.0


def start(endpoint: str, process: str) -> Callable[[], None]:
    """Send spans to the collector at `endpoint` from now on; `process` says which of ours this is.

    Returns what sends the rest and ends it; else that happens when the process ends. Raises SettingsError.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http import trace_exporter as otlp  # noqa: PLC0415 - who sets it has it
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - as above
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - as above
    except ImportError:
        raise SettingsError(_MISSING) from None
    exporter = otlp.OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=_PATIENCE)
    provider = TracerProvider(resource=Resource.create({"service.name": f"linkpay-{process}"}))
    provider.add_span_processor(BatchSpanProcessor(exporter, export_timeout_millis=_PATIENCE * 1000))
    spans.listen(partial(_trace, provider.get_tracer("linkpay")))

    def stop() -> None:
        spans.fall_silent()
        provider.shutdown()

    return stop


@contextmanager
def _trace(tracer: Any, told: spans.Span) -> Iterator[None]:
    """One span. What an error says may hold a person: only its kind is sent."""
    from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415 - there, or nobody calls this

    kind = SpanKind.SERVER if told.kind == "request" else SpanKind.CONSUMER
    with tracer.start_as_current_span(
        told.name, kind=kind, record_exception=False, set_status_on_exception=False
    ) as sent:
        try:
            yield
        except BaseException as raised:
            sent.set_status(Status(StatusCode.ERROR, type(raised).__name__))
            raise
        finally:
            sent.update_name(told.name)
            sent.set_attributes(told.facts)
