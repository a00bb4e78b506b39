"""Requests and jobs are told of at a collector over OTLP/HTTP, without anybody's data."""

import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic
from typing import Any

import pytest
from flask import Flask
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from linkpay import spans
from linkpay.adapters import traces
from linkpay.app import create_app
from linkpay.errors import SettingsError
from linkpay.sandbox.inprocess import mounted
from linkpay.spans import span
from linkpay.store.db import Database
from tests.flows.crash import Boundaries
from tests.flows.stage import Stage
from tests.web.conftest import EDGE

ANNA = "anna@example.com"


class Collector:
    """A collector on a port of its own, as any other would listen."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.paths: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                collector.paths.add(self.path)
                collector.raw.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def spans(self) -> dict[str, Any]:
        """Every span by its name, with its facts."""
        found: dict[str, Any] = {}
        for raw in self.raw:
            for resource in ExportTraceServiceRequest.FromString(raw).resource_spans:
                for scope in resource.scope_spans:
                    found |= {
                        one.name: (one, {fact.key: fact.value for fact in one.attributes})
                        for one in scope.spans
                    }
        return found


@pytest.fixture
def stage(database: Database) -> Iterator[Stage]:
    """A stage beside which this machine may be reached."""
    made = Stage(database, Boundaries())
    with mounted(made.sandbox, passthrough=("http://127.0.0.1:",)):
        made.set_up()
        yield made
    made.sandbox.close()


@pytest.fixture
def app(stage: Stage) -> Flask:
    return create_app(stage.parts, EDGE)


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    spans.fall_silent()
    made.server.shutdown()
    made.server.server_close()


def test_a_request_and_its_jobs_are_told_by_route_and_kind(
    app: Flask, stage: Stage, collector: Collector
) -> None:
    stop = traces.start(collector.address, "web")
    app.test_client().get(f"/studio/buy/members?email={ANNA}")
    stage.buy(ANNA)
    with pytest.raises(ValueError, match=ANNA), span("job", "broken"):
        raise ValueError(f"{ANNA} cannot be")
    stop()
    told = collector.spans()
    page, facts = told["GET /<slug:site>/buy/<slug:offer>"]
    assert (page.kind, facts["http.response.status_code"].int_value) == (2, 200)
    assert page.end_time_unix_nano > page.start_time_unix_nano
    assert {"inbox mollie", "outbox apply_grant", "outbox send_mail"} <= told.keys()
    assert told["outbox apply_grant"][1]["correlation"].string_value.startswith("outbox:")
    assert (told["broken"][0].status.code, told["broken"][0].status.message) == (2, "ValueError")
    assert collector.paths == {"/v1/traces"}
    assert b"linkpay-web" in b"".join(collector.raw)
    assert b"anna" not in b"".join(collector.raw).lower()


def test_a_collector_that_is_away_costs_neither_a_request_nor_a_stop(
    app: Flask, collector: Collector
) -> None:
    collector.server.shutdown()
    collector.server.server_close()
    began = monotonic()
    stop = traces.start(collector.address, "web")
    assert app.test_client().get("/studio/buy/members").status_code == 200
    assert monotonic() - began < 5  # a try to reach it lasts ten
    stop()
    assert monotonic() - began < 10


def test_without_a_tracer_nothing_is_told_and_nothing_is_missing(app: Flask, collector: Collector) -> None:
    assert app.test_client().get("/studio/buy/members").status_code == 200
    assert collector.raw == []


def test_who_sets_it_without_the_packages_is_told_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(SettingsError, match=r"requirements-otel\.txt"):
        traces.start("http://127.0.0.1:4318", "web")
