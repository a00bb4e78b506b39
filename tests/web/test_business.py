"""Who buys for a business says so where the plan allows it, and has it on her receipts."""

import pytest

from linkpay.store.tables import Plan
from tests.flows.stage import Stage
from tests.web.visitor import Visitor, words_of

BUY = "/studio/buy/members?plan=monthly"
NUMBER = "NL004495445B01"


@pytest.fixture
def trading(stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.query(Plan).filter_by(slug="monthly").one().for_business = True


@pytest.mark.usefixtures("trading")
def test_company_and_number_are_kept_with_what_she_buys(visitor: Visitor, stage: Stage) -> None:
    assert visitor.order(BUY, company="De Vries BV", vat_number="nl 0044.95.445.b01").status_code == 303
    subscription = stage.subscription("anna@example.com")
    assert (subscription.company, subscription.vat_number) == ("De Vries BV", NUMBER)


@pytest.mark.usefixtures("trading")
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"company": "De Vries BV", "vat_number": "NL123"}, "Check the VAT number"),
        ({"vat_number": NUMBER}, "Fill in the company"),
    ],
)
def test_what_is_mistyped_is_said_and_kept(visitor: Visitor, typed: dict[str, str], said: str) -> None:
    refused = visitor.order(f"{BUY}&lang=en", **typed)
    assert refused.status_code == 422
    assert said in words_of(refused)
    assert f'value="{typed["vat_number"]}"' in refused.text


def test_other_plans_do_not_ask_and_keep_nothing(visitor: Visitor, stage: Stage) -> None:
    assert 'name="vat_number"' not in visitor.look(BUY).text
    assert visitor.order(BUY, company="De Vries BV").status_code == 303
    assert stage.subscription("anna@example.com").company is None


@pytest.mark.usefixtures("trading")
def test_a_mistype_hinders_nobody_who_chooses_a_plan_that_does_not_ask(
    visitor: Visitor, stage: Stage
) -> None:
    assert visitor.order(BUY, plan="terms", vat_number="NL123").status_code == 303
    assert stage.subscription("anna@example.com").vat_number is None
