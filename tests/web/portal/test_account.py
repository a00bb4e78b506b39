"""A new bank account or card, from the page to the bank and back."""

from collections.abc import Callable

import pytest

from linkpay.store import charges
from linkpay.store.tables import Consent, Renewal
from tests.flows.renewing import mandate_of, renewals
from tests.flows.stage import Stage
from tests.flows.upsells import click, link, put_extra
from tests.web.members import bounced, newest_payment
from tests.web.portal.guests import ANNA, PORTAL, sign_in
from tests.web.portal.test_acts import page_of
from tests.web.visitor import Visitor, words_of


def renewal_page(stage: Stage) -> str:
    with stage.database.read() as tx:
        renewal = tx.query(Renewal).order_by(Renewal.id.desc()).first()
        assert renewal is not None
        return f"{PORTAL}/renewals/{charges.get(tx, renewal.charge_id).token}"


def test_a_cent_at_the_bank_sets_the_new_account(anna: Visitor, stage: Stage) -> None:
    old = mandate_of(stage)
    page = anna.look(page_of(stage, "account"))
    words = words_of(page)
    assert "iDEAL € 0,01 Bancontact € 0,02" in words
    assert "niets te betalen" in words
    to_bank = anna.press(page, -1, agree="yes", method="ideal")
    assert to_bank.headers["Location"].startswith("http://mollie.sandbox.test/checkout/")
    waiting = anna.look(renewal_page(stage))
    assert "We wachten op je bank" in words_of(waiting)
    assert "Refresh" in waiting.headers
    stage.bank(newest_payment(stage), "paid")
    stage.work()
    done = anna.look(renewal_page(stage))
    assert "Je nieuwe rekening of kaart is ingesteld" in words_of(done)
    assert "Refresh" not in done.headers
    assert mandate_of(stage).id != old.id
    assert renewals(stage) == ["moved"]


def test_the_permission_is_kept_in_the_words_she_read(anna: Visitor, stage: Stage) -> None:
    page = anna.look(page_of(stage, "account"))
    anna.press(page, -1, agree="yes")
    with stage.database.read() as tx:
        newest = tx.query(Consent).order_by(Consent.id.desc()).first()
        assert newest is not None
    for line in newest.text.replace("\xa0", " ").splitlines():
        assert line in words_of(page)
    assert "Studio Vecht schrijft dit af via Mollie" in newest.text


def test_each_permission_is_read_whole_where_one_account_pays_for_more(anna: Visitor, stage: Stage) -> None:
    put_extra(stage)
    stage.advance(days=3)
    sign_in(anna, stage)
    click(stage, link(stage, "extra-monthly"))
    with stage.database.read() as tx:
        before = tx.query(Consent).count()
    page = anna.look(page_of(stage, "account"))
    anna.press(page, -1, agree="yes")
    with stage.database.read() as tx:
        kept = [one.text for one in tx.query(Consent).order_by(Consent.id)][before:]
    assert len(kept) == 2
    for line in "\n".join(kept).replace("\xa0", " ").splitlines():
        assert line in words_of(page)


@pytest.mark.parametrize(
    ("typed", "said"),
    [({"agree": None}, "Vink het vakje aan"), ({"agree": "yes", "method": "giftcard"}, "Kies een van deze")],
)
def test_what_is_missing_is_said_and_nothing_begins(
    anna: Visitor, stage: Stage, typed: dict[str, str | None], said: str
) -> None:
    page = anna.press(anna.look(page_of(stage, "account")), -1, **typed)
    assert page.status_code == 422
    assert said in words_of(page)
    with stage.database.read() as tx:
        assert tx.query(Renewal).count() == 0


def test_a_form_from_elsewhere_begins_nothing(anna: Visitor, stage: Stage) -> None:
    page = anna.press(anna.look(page_of(stage, "account")), -1, agree="yes", form_token="x")
    assert page.status_code == 403
    with stage.database.read() as tx:
        assert tx.query(Renewal).count() == 0


@pytest.mark.parametrize("status", ["failed", "canceled", "expired"])
def test_a_check_that_failed_can_be_tried_again(anna: Visitor, stage: Stage, status: str) -> None:
    anna.press(anna.look(page_of(stage, "account")), -1, agree="yes")
    stage.bank(newest_payment(stage), status)
    stage.work()
    page = anna.look(renewal_page(stage))
    assert "Er is niets betaald" in words_of(page)
    assert page_of(stage, "account") in page.text


def test_an_account_that_is_late_is_told_so(anna: Visitor, stage: Stage) -> None:
    anna.press(anna.look(page_of(stage, "account")), -1, agree="yes")
    stage.bank(newest_payment(stage), "paid", mandate_after_hours=30)
    stage.work()
    assert "Je bank moet het nog bevestigen" in words_of(anna.look(renewal_page(stage)))


def test_another_browser_may_bring_her_back_and_sees_no_person(
    new_visitor: Callable[[], Visitor], anna: Visitor, stage: Stage
) -> None:
    anna.press(anna.look(page_of(stage, "account")), -1, agree="yes")
    words = words_of(new_visitor().look(renewal_page(stage)))
    assert "We wachten op je bank" in words
    assert ANNA not in words
    assert "Anna" not in words
    assert new_visitor().look(renewal_page(stage).replace("studio", "none")).status_code == 404
    assert new_visitor().look(f"{PORTAL}/renewals/{'a' * 32}").status_code == 404


def test_a_page_that_looks_again_goes_on_in_the_language_that_was_chosen(anna: Visitor, stage: Stage) -> None:
    page = anna.look(page_of(stage, "account") + "?lang=en")
    assert f'class="back" href="{PORTAL}?lang=en"' in page.text
    anna.press(page, -1, agree="yes", method="ideal")
    waiting = anna.look(f"{renewal_page(stage)}?lang=en")
    assert "We are waiting for your bank" in words_of(waiting)
    assert waiting.headers["Refresh"].endswith("lang=en")


def test_a_check_has_no_pay_page(anna: Visitor, stage: Stage) -> None:
    anna.press(anna.look(page_of(stage, "account")), -1, agree="yes")
    token = renewal_page(stage).rpartition("/")[2]
    assert anna.look(f"/studio/pay/{token}").status_code == 404
    assert anna.look(f"{PORTAL}/receipts/{token}").status_code == 404


def test_who_owes_is_led_to_paying(visitor: Visitor, stage: Stage) -> None:
    pay = bounced(stage)
    sign_in(visitor, stage)
    page = visitor.look(page_of(stage, "account"))
    assert page.status_code == 409
    assert "Er staat een bedrag open" in words_of(page)
    assert f'href="{pay}"' in page.text


def test_a_bank_that_gives_no_answer_is_asked_again_on_the_same_page(anna: Visitor, stage: Stage) -> None:
    stage.disturb("status:503", count=50)
    answer = anna.press(anna.look(page_of(stage, "account")), -1, agree="yes")
    assert answer.headers["Location"] == renewal_page(stage)
    stage.calm()
    again = anna.press(anna.look(page_of(stage, "account")), -1, agree="yes")
    assert again.headers["Location"].startswith("http://mollie.sandbox.test/checkout/")
    with stage.database.read() as tx:
        assert tx.query(Renewal).count() == 1
