"""Who somebody is at Kajabi when she is taken over: by a list of contacts, or by asking its API."""

from linkpay.cli.import_mollie import ask_kajabi, read_account
from linkpay.cli.output import Output
from linkpay.domain.takeover import Verdict
from linkpay.services.contacts import Contact, Contacts
from linkpay.services.takeover_plan import Wish
from linkpay.store import sites
from linkpay.store.tables import Member
from tests.flows.connected import connect
from tests.flows.old_cart import (
    Old,
    client,
    decide,
    kajabi_knows,
    let_in_before,
    member_of_before,
    months_charged,
    take_all,
)
from tests.flows.stage import Stage

ANNA, PRIVATE = "anna@example.com", "anna.prive@example.com"


def external_id(stage: Stage, email: str) -> str:
    with stage.database.read() as tx:
        return tx.query(Member).filter_by(email=email).one().external_user_id


def asked(stage: Stage) -> Wish:
    """What the command asks Kajabi's API."""
    with stage.database.read() as tx:
        site = sites.get(tx, stage.shop.site_id)
    quiet = Output(as_json=True)
    return Wish(contacts=ask_kajabi(stage.parts, site, read_account(stage.parts, site, quiet), quiet))


def test_the_id_of_the_list_is_the_one_that_is_used(stage: Stage) -> None:
    member_of_before(stage)
    let_in_before(stage, ANNA, "kajabi-17")
    take_all(stage, kajabi_knows(Contact(ANNA, "Anna", "kajabi-17")))
    assert external_id(stage, ANNA) == "kajabi-17"
    assert stage.kajabi_calls(ANNA) == ["activate 200", "activate 422"]
    assert stage.in_step(ANNA)


def test_who_learns_may_have_another_address_than_who_pays(stage: Stage) -> None:
    old = member_of_before(stage)
    let_in_before(stage, PRIVATE, "kajabi-17")
    take_all(stage, kajabi_knows(Contact(PRIVATE, "Anna", "kajabi-17", old.customer_id)))
    assert stage.has_access(PRIVATE)
    assert stage.subscription(PRIVATE).origin == "import"
    stage.advance(days=40)
    assert months_charged(stage, old, 10) == {"2026-02": 1, "2026-03": 1}


def test_an_address_can_come_from_the_list_alone(stage: Stage) -> None:
    old = member_of_before(stage, None)
    (decision,) = decide(stage, kajabi_knows(Contact(PRIVATE, "Anna", None, old.customer_id)))
    assert (decision.verdict, decision.email) == (Verdict.TAKE, PRIVATE)


def test_who_is_on_no_list_is_taken_and_told(stage: Stage) -> None:
    member_of_before(stage)
    (decision,) = decide(stage, Wish(contacts=Contacts([], asked_all=True)))
    assert (decision.verdict, decision.note) == (Verdict.TAKE, "not among the Kajabi contacts")


def test_kajabis_api_says_who_she_is(stage: Stage) -> None:
    connect(stage)
    member_of_before(stage)
    member_of_before(stage, "new@example.com", description="Other")
    let_in_before(stage, ANNA, "kajabi-17")
    decided = {decision.email: decision for decision in decide(stage, asked(stage))}
    assert decided[ANNA].external_user_id == "kajabi-17"
    assert decided["new@example.com"].note == "not among the Kajabi contacts"


def test_without_an_api_nobody_is_asked(stage: Stage) -> None:
    member_of_before(stage)
    assert decide(stage, asked(stage))[0].note == ""


def test_two_customers_of_one_address_are_two(stage: Stage) -> None:
    """The mandates hang on Mollie's customers, so the second stays there and is shown."""
    first = member_of_before(stage)
    take_all(stage)
    second = member_of_before(stage, ANNA, description="Again")
    (decision,) = decide(stage)
    assert (decision.verdict, decision.note) == (Verdict.OTHER_CUSTOMER, first.customer_id)
    assert _still_runs(second)


def _still_runs(old: Old) -> bool:
    seen = client().customers.get(old.customer_id).subscriptions.get(old.subscription_id)
    return bool(seen["status"] == "active")
