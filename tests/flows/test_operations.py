"""Alerts speak of figures that there are, and the runbook speaks of every alert and finding."""

import re
from typing import Any

import yaml
from flask.testing import FlaskClient

from config.environment import ROOT
from linkpay.app import create_app
from linkpay.clock import SystemClock
from linkpay.domain.invariants import Broken
from linkpay.store import counters
from linkpay.store.tables import Payment
from linkpay.web.edge import Edge
from tests import builders as make
from tests.flows.stage import Stage
from workers import clock

RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "config" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]


def shown(client: FlaskClient) -> set[str]:
    return set(re.findall(r"^(linkpay_\w+)", client.get("/metrics").text, re.MULTILINE))


def test_every_alert_asks_for_a_figure_that_is_shown(stage: Stage) -> None:
    stage.buy("anna@example.com")
    clock.turn(stage.parts, SystemClock())
    with stage.database.write() as tx:
        counters.add(tx, "provider_error", "kajabi/retryable", stage.clock.now())
        site = make.site_of(tx, tx.query(Payment).limit(1).one())
        make.make_outbox(tx, site, kind="turn", run_at=stage.clock.now(), attempts=10, last_error="away")
    edge = Edge("a made-up key", False, workers_listening=lambda: 1)
    figures = shown(create_app(stage.parts, edge).test_client())
    for rule in ALERTS:
        asked = set(re.findall(r"linkpay_\w+", rule["expr"]))
        assert asked, rule["alert"]
        assert asked <= figures, rule["alert"]


def test_a_figure_that_nobody_gives_any_more_is_an_alert_too(stage: Stage) -> None:
    figures = shown(create_app(stage.parts, Edge("a made-up key", False)).test_client())
    silent = {"ClockSilent", "InvariantsNotChecked", "NoWorker", "MetricsGone"}
    for rule in ALERTS:
        (*_, asked) = re.findall(r"linkpay_\w+", rule["expr"])
        assert (f"absent({asked}" in rule["expr"]) is (rule["alert"] in silent), rule["alert"]
        assert asked not in figures or rule["alert"] not in silent - {"MetricsGone"}, rule["alert"]


def test_the_runbook_says_what_each_alert_and_finding_means() -> None:
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS) > 10
    for rule in ALERTS:
        assert f"### {rule['alert']}\n" in RUNBOOK, rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
    for kind in Broken:
        assert f"`{kind.value}`" in RUNBOOK, kind
