"""What a member sees of her own: the truth in every state, and nobody else's."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from sqlalchemy import event

from linkpay.domain.subscription import SubscriptionState as S
from linkpay.services import blocks
from linkpay.store.tables import Charge, Member, Subscription
from tests.builders import (
    make_customer,
    make_offer,
    make_paid_charge,
    make_plan,
    make_site,
    make_subscription,
)
from tests.flows.stage import Stage
from tests.web.members import bounced, second_month
from tests.web.portal.guests import ANNA, PORTAL, sign_in
from tests.web.visitor import Visitor, words_of


def change(stage: Stage, **values: object) -> None:
    with stage.database.write() as tx:
        held = tx.get_one(Subscription, stage.subscription(ANNA).id)
        for name, value in values.items():
            setattr(held, name, value)


def test_a_running_membership_says_what_happens_next_and_from_where(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    words = words_of(sign_in(visitor, stage))
    assert "Members Loopt Alles is betaald." in words
    assert "Op 28 februari 2026 wordt € 50,00 afgeschreven van je rekening die eindigt op" in words
    assert "Open, zoals het er nu voor staat tot" in words
    assert "€ 50,00 per maand" in words


def test_a_bounce_says_why_and_leads_to_the_pay_page(visitor: Visitor, stage: Stage) -> None:
    pay = bounced(stage)
    page = sign_in(visitor, stage)
    words = words_of(page)
    assert "Betaling open" in words
    assert (
        "De afschrijving van € 50,00 van 28 februari 2026 is mislukt: je bank meldt dat er te weinig" in words
    )
    assert f'href="{pay}"' in page.text
    assert "€ 50,00 betalen" in words


def test_who_pays_and_is_shut_out_is_told_so(anna: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        member = tx.query(Member).filter_by(email=ANNA).one()
        blocks.block(tx, member.id, "why", "owner:eva", stage.clock.now(), stop_billing=False)
    words = words_of(anna.look(PORTAL))
    assert "Loopt Alles is betaald, maar je toegang is dicht. Vraag de verkoper waarom." in words
    assert "Toegang Dicht" in words


def test_a_debit_that_runs_asks_for_nothing(visitor: Visitor, stage: Stage) -> None:
    charge = second_month(stage)
    page = sign_in(visitor, stage)
    assert "€ 50,00 is onderweg van je bank; je hoeft niets te doen." in words_of(page)
    assert charge.token not in page.text


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"state": S.CANCELING, "cancel_on": date(2026, 2, 28)},
            "Opgezegd Je hebt opgezegd. Het loopt tot 28 februari 2026.",
        ),
        (
            {"state": S.PAUSED, "pause_on": date(2026, 2, 1), "resume_on": date(2026, 3, 5)},
            "Het gaat vanzelf verder op 5 maart 2026.",
        ),
        ({"state": S.SUSPENDED}, "Je toegang is dicht omdat er een bedrag openstaat."),
        (
            {"state": S.COMPLETED, "next_charge_on": None},
            "Helemaal betaald Alles is betaald; er wordt niets meer afgeschreven.",
        ),
        ({"state": S.ENDED, "next_charge_on": None}, "Gestopt Er wordt niets meer afgeschreven."),
        ({"state": S.TRIALING}, "Proefperiode Je probeert het uit."),
    ],
)
def test_every_state_is_said_in_words(
    visitor: Visitor, stage: Stage, values: dict[str, object], said: str
) -> None:
    stage.buy(ANNA)
    change(stage, **values)
    assert said in words_of(sign_in(visitor, stage))


def test_who_cancelled_is_told_of_no_collection_after_it(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    change(stage, state=S.CANCELING, cancel_on=date(2026, 2, 28))
    assert "wordt € 50,00 afgeschreven" not in words_of(sign_in(visitor, stage))


def test_a_receipt_says_what_was_paid_with_its_vat(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    page = sign_in(visitor, stage)
    charge = stage.charges(ANNA)[0]
    receipt = visitor.look(f"{PORTAL}/receipts/{charge.token}")
    words = words_of(receipt)
    assert f"STUDIO-{charge.id}" in words
    assert "31 januari 2026" in words
    assert "Betaald, inclusief btw € 50,00" in words
    assert "waarvan 21% btw over € 50,00 € 8,68" in words
    assert "iDEAL" in words
    assert f"/receipts/{charge.token}" in page.text


def test_a_receipt_splits_the_vat_by_rate_and_shows_what_took_off(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    lines = [
        {"kind": "period", "cents": 5000, "vat_basis_points": 2100},
        {"kind": "setup_fee", "cents": 1000, "vat_basis_points": 900},
        {"kind": "discount", "cents": -500, "vat_basis_points": 2100},
    ]
    with stage.database.write() as tx:
        charge = tx.get_one(Charge, stage.charges(ANNA)[0].id)
        charge.lines, charge.amount_cents = lines, 5500
    sign_in(visitor, stage)
    words = words_of(visitor.look(f"{PORTAL}/receipts/{charge.token}?lang=en"))
    assert "Discount 21% -€5.00" in words
    assert "of which 21% VAT on €45.00 €7.81" in words
    assert "of which 9% VAT on €10.00 €0.83" in words


def test_what_is_not_paid_has_no_receipt(visitor: Visitor, stage: Stage) -> None:
    charge = second_month(stage)
    sign_in(visitor, stage)
    assert visitor.look(f"{PORTAL}/receipts/{charge.token}").status_code == 404


def test_nobody_elses_receipt_is_found(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    stage.buy("eva@example.com")
    with stage.database.write() as tx:
        other = make_site(tx, slug="other")
        other.mollie_key_sealed = None
        foreign = make_paid_charge(
            tx,
            make_subscription(tx, make_plan(tx, make_offer(tx, other)), make_customer(tx, other, email=ANNA)),
        ).token
    sign_in(visitor, stage)
    for token in (stage.charges("eva@example.com")[0].token, foreign, "a" * 32):
        assert visitor.look(f"{PORTAL}/receipts/{token}").status_code == 404


def test_a_refund_is_shown(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    charge = stage.charges(ANNA)[0]
    body = {"amount": {"currency": "EUR", "value": "20.00"}}
    stage.sandbox.call("POST", f"/_sandbox/payments/{stage.mollie_ids(charge.id)[0]}/refunds", body)
    stage.advance(days=2)
    page = sign_in(visitor, stage)
    assert "€ 20,00 ging terug" in words_of(page)
    assert "Naar je teruggestort € 20,00" in words_of(visitor.look(f"{PORTAL}/receipts/{charge.token}"))


def test_who_is_let_in_by_another_sees_her_access_and_no_money(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    with stage.database.write() as tx:
        tx.get_one(Member, stage.subscription(ANNA).member_id).email = "kind@example.com"
    page = sign_in(visitor, stage, "kind@example.com")
    words = words_of(page)
    assert "Door iemand anders betaald Members Open" in words
    assert "€" not in words


@contextmanager
def counted(stage: Stage) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(stage.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(stage.database.engine, "before_cursor_execute", note)


def test_a_page_asks_as_much_for_many_months_as_for_one(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    sign_in(visitor, stage)
    with counted(stage) as few:
        visitor.look(PORTAL)
    with stage.database.write() as tx:
        held = tx.get_one(Subscription, stage.subscription(ANNA).id)
        for index in range(1, 30):
            make_paid_charge(tx, held, period_index=index)
    with counted(stage) as many:
        assert words_of(visitor.look(PORTAL)).count("Betaalbewijs") == 30
    assert len(many) == len(few) <= 21


def test_the_newest_comes_first(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA)
    stage.sandbox.advance(timedelta(days=28))
    stage.advance(days=8)
    words = words_of(sign_in(visitor, stage))
    assert words.index("SEPA-incasso") < words.index("iDEAL")
