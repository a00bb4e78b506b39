"""/metrics tells the present state, to who may know."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from linkpay.app import create_app
from linkpay.clock import SystemClock
from linkpay.errors import Retryable
from linkpay.ports import Letter
from linkpay.store.inbox import Message
from linkpay.store.spool import beside
from linkpay.store.tables import Charge, Mail, Subscription
from tests import builders as make
from tests.flows.stage import Stage
from tests.web.conftest import EDGE
from tests.web.visitor import Visitor
from workers import clock

ANNA = "anna@example.com"
TOKEN = "a token of this test alone"


def figures(visitor: Visitor) -> Mapping[str, float]:
    """Each sample by its name and labels, as ``name{a=b}``."""
    answer = visitor.look("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_a_quiet_service_shows_zeros(visitor: Visitor) -> None:
    told = figures(visitor)
    assert told["linkpay_inbox_age_seconds{source=mollie}"] == 0
    assert told["linkpay_invariant_broken{invariant=kept_too_much}"] == 0
    assert told["linkpay_parked{table=outbox}"] == 0
    assert told["linkpay_charges_overdue"] == 0
    assert told["linkpay_sites{state=halted}"] == 0


def test_what_waits_and_what_went_wrong_is_told(stage: Stage, visitor: Visitor) -> None:
    stage.buy(ANNA)
    stage.advance(minutes=2)
    clock.turn(stage.parts, SystemClock())
    stage.disturb("status:503", target="kajabi", count=2)
    stage.buy("bea@example.com")
    stage.post("tr_nobodysownever")
    with stage.database.write() as tx:
        tx.query(Charge).limit(1).one().refunded_cents += 1
        site = make.site_of(tx, tx.query(Charge).limit(1).one())
        make.make_outbox(tx, site, kind="turn", parked_at=stage.clock.now(), run_at=stage.clock.now())
    stage.clock.advance(timedelta(minutes=7))
    told = figures(visitor)
    assert told["linkpay_inbox_age_seconds{source=mollie}"] == 7 * 60
    assert told["linkpay_parked{table=outbox}"] == 1
    assert told["linkpay_grants_behind"] == 1
    assert told["linkpay_provider_errors_total{class=retryable,provider=kajabi}"] >= 1
    assert told["linkpay_outbox_age_seconds{kind=apply_grant}"] > 60
    assert told["linkpay_clock_beat_timestamp_seconds"] > 0
    assert told["linkpay_paid_to_granted_seconds_count"] == 1
    assert told["linkpay_paid_to_granted_seconds_bucket{le=+Inf}"] == 1
    stage.advance(days=40)
    stage.clock.advance(timedelta(days=30))
    assert figures(visitor)["linkpay_charges_overdue"] > 0


def test_who_waits_for_her_notice_is_not_overdue(stage: Stage, visitor: Visitor) -> None:
    stage.buy(ANNA)
    today = stage.clock.now().date()
    with stage.database.write() as tx:
        anna = tx.query(Subscription).one()
        anna.next_charge_on, anna.not_before_on = today - timedelta(days=4), today + timedelta(days=4)
    assert figures(visitor)["linkpay_charges_overdue"] == 0
    stage.clock.advance(timedelta(days=6))
    assert figures(visitor)["linkpay_charges_overdue"] == 1


class Full:
    """A mail server without room."""

    def send(self, letter: Letter) -> None:
        """Not now."""
        raise Retryable("452 no room")


def test_work_that_fails_again_and_again_shows_though_it_is_never_late(
    stage: Stage, visitor: Visitor
) -> None:
    stage.parts = replace(stage.parts, mailer=Full())
    stage.buy(ANNA)
    stage.advance(hours=3)
    told = figures(visitor)
    assert told.get("linkpay_outbox_age_seconds{kind=send_mail}", 0) < 600
    with stage.database.read() as tx:
        assert told["linkpay_outbox_failing{kind=send_mail}"] == tx.query(Mail).count() > 0


def test_messages_that_were_set_aside_wait_as_well(stage: Stage, visitor: Visitor) -> None:
    aside = beside(stage.database)
    if aside is None:
        pytest.skip("nothing is set aside beside a server")
    old = Message(stage.shop.token, "mollie", "tr_1", "", b"id=tr_1", stage.clock.now())
    stage.clock.advance(timedelta(minutes=7))
    stage.post("tr_2")
    aside.keep([old, replace(old, source="kajabi")])
    told = figures(visitor)
    assert told["linkpay_inbox_age_seconds{source=mollie}"] == 7 * 60
    assert told["linkpay_inbox_waiting{source=mollie}"] == 2
    assert told["linkpay_inbox_waiting{source=kajabi}"] == 1


@pytest.mark.parametrize("shown", ["", "Bearer", "Bearer wrong", f"bearer {TOKEN}", f"Basic {TOKEN}"])
def test_a_token_keeps_others_out(stage: Stage, shown: str) -> None:
    app = create_app(stage.parts, replace(EDGE, metrics_token=TOKEN))
    answer = app.test_client().get("/metrics", headers={"Authorization": shown})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "unauthorized")
    right = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert right.status_code == 200


def test_without_a_token_only_this_machine_is_told_and_nobody_behind_a_proxy(stage: Stage) -> None:
    here = create_app(stage.parts, EDGE).test_client()
    assert here.get("/metrics").status_code == 200
    assert here.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404
    public = create_app(stage.parts, replace(EDGE, secure=True)).test_client()
    assert public.get("/metrics").status_code == 404
