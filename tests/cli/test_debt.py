"""``debt``, ``refund`` and ``mail``: what an owner sees and decides on a terminal."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from linkpay.domain.calendar import local_day
from linkpay.domain.charge import ChargeState
from linkpay.domain.ledger import EntryKind
from linkpay.domain.notice import Told
from linkpay.domain.snapshots import PaymentStatus
from linkpay.domain.subscription import SubscriptionState
from linkpay.services import dunning
from linkpay.store import notices as store
from linkpay.store.db import Database
from linkpay.store.tables import Charge, LedgerEntry, Mail, MailText, Outbox, Payment, Refund, Subscription
from tests import builders as make
from tests.cli.conftest import Run


def failing(database: Database, code: str = "AM04") -> int:
    """A charge of this moment that failed; its number."""
    with database.write() as tx:
        subscription = make.make_subscription(tx, started_at=make.NOW)
        charge = make.make_charge(tx, subscription)
        subscription.state = SubscriptionState.PAST_DUE
        dunning.begin(tx, subscription, charge, code=code, taken_back=False, now=make.NOW)
        return charge.id


def tell_of_today(database: Database, charge_id: int) -> None:
    """As the mail about the failure tells of the tries that follow."""
    with database.write() as tx:
        charge = tx.get_one(Charge, charge_id)
        subscription = tx.get_one(Subscription, charge.subscription_id)
        assert subscription.mandate_id is not None
        told = Told(
            subscription.mandate_id, charge.amount_cents, local_day(make.NOW, "Europe/Amsterdam"), None
        )
        store.keep(tx, subscription, told, make.NOW, sent_at=make.NOW)


def charge_of(database: Database, charge_id: int) -> Charge:
    with database.read() as tx:
        return tx.get_one(Charge, charge_id)


def done(run: Run, *words: str) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refused(run: Run, *words: str) -> str:
    result = run(*words, "--json")
    assert result.exit_code == 1, result.output
    return str(json.loads(result.stderr)["error"]["code"])


def test_the_list_says_who_owes_what_why_and_what_comes_next(run: Run, database: Database) -> None:
    assert "Nobody owes anything" in run("debt", "list").stdout
    charge_id = failing(database)
    text = " ".join(run("debt", "list").stdout.split())
    for part in (str(charge_id), "€50.00", "AM04", "may succeed later", "a mail"):
        assert part in text
    (found,) = json.loads(run("debt", "list", "--json").stdout)
    assert (found["charge_id"], found["next_step"], found["reason_class"]) == (charge_id, "mail", "soft")


def test_more_time_a_stop_and_letting_go(run: Run, database: Database) -> None:
    charge_id = failing(database)
    until = (make.NOW + timedelta(days=30)).date().isoformat()
    done(run, "debt", "extend", str(charge_id), "--until", until)
    assert charge_of(database, charge_id).grace_until is not None
    done(run, "debt", "stop", str(charge_id))
    assert charge_of(database, charge_id).dunning_stopped_at is not None
    done(run, "debt", "write-off", str(charge_id), "--go-on")
    assert charge_of(database, charge_id).state is ChargeState.WRITTEN_OFF
    assert refused(run, "debt", "stop", str(charge_id)) == "not_failing"


def test_letting_go_asks_what_becomes_of_the_subscription(run: Run, database: Database) -> None:
    charge_id = failing(database)
    assert run("debt", "write-off", str(charge_id)).exit_code == 2
    done(run, "debt", "write-off", str(charge_id), "--end")
    with database.read() as tx:
        assert tx.query(Subscription).one().state is SubscriptionState.ENDED


def test_one_more_try_where_the_rules_allow_it(run: Run, database: Database) -> None:
    charge_id = failing(database)
    tell_of_today(database, charge_id)
    assert "goes_on" not in done(run, "debt", "retry", str(charge_id))
    with database.read() as tx:
        assert tx.query(Payment).filter_by(charge_id=charge_id, is_open=True).count() == 1
    assert refused(run, "debt", "retry", str(charge_id)) == "retry_being_paid"


def test_a_try_that_its_member_knows_nothing_of_is_told_first(run: Run, database: Database) -> None:
    charge_id = failing(database)
    day = (local_day(make.NOW, "Europe/Amsterdam") + timedelta(days=2)).isoformat()
    for _ in range(2):
        assert done(run, "debt", "retry", str(charge_id))["goes_on"] == day
    with database.read() as tx:
        assert tx.query(Payment).filter_by(charge_id=charge_id).count() == 0
        assert tx.query(Mail).filter_by(kind="debit_notice").count() == 1
        assert tx.query(Outbox).filter(Outbox.ref.like("%:debit"), Outbox.kind == "dunning_step").count() == 3


def test_money_from_outside_and_back(run: Run, database: Database) -> None:
    charge_id = failing(database)
    ref = done(run, "debt", "paid-outside", str(charge_id), "--note", "in cash")["ref"]
    assert charge_of(database, charge_id).state is ChargeState.PAID
    done(run, "debt", "paid-outside", str(charge_id), "--undo", ref)
    assert charge_of(database, charge_id).state is ChargeState.FAILED
    with database.read() as tx:
        assert tx.query(LedgerEntry).filter_by(kind=EntryKind.OUTSIDE_UNDONE).count() == 1


@pytest.mark.parametrize(
    "words", [("debt", "stop", "999"), ("refund", "999"), ("refund", "tr_nothing"), ("refund", "x")]
)
def test_what_there_is_not_is_said(run: Run, database: Database, words: tuple[str, ...]) -> None:
    failing(database)
    assert refused(run, *words) in ("charge_unknown", "payment_unknown")


def test_another_sites_charge_is_not_there(run: Run, database: Database) -> None:
    charge_id = failing(database)
    with database.write() as tx:
        other = make.make_site(tx).slug
    assert refused(run, "debt", "stop", str(charge_id), "--site", other) == "charge_unknown"
    assert refused(run, "refund", str(charge_id), "--site", other) == "charge_unknown"
    assert refused(run, "debt", "stop", str(charge_id)) == "site_unclear"


def paid(database: Database) -> tuple[int, str]:
    """(charge, payment's id at Mollie) of fifty euro that came in."""
    with database.write() as tx:
        charge = make.make_charge(tx, state=ChargeState.PAID)
        payment = make.make_payment(tx, charge, status=PaymentStatus.PAID, paid_at=make.NOW, method="ideal")
        make.make_entry(tx, payment)
        assert payment.mollie_id is not None
        return charge.id, payment.mollie_id


def test_a_part_goes_back_by_the_payments_id_and_the_rest_by_the_charge(run: Run, database: Database) -> None:
    charge_id, mollie_id = paid(database)
    assert done(run, "refund", mollie_id, "--cents", "1500", "--name", "sorry")["cents"] == 1500
    assert done(run, "refund", mollie_id, "--cents", "1500", "--name", "sorry")["cents"] == 1500
    assert done(run, "refund", str(charge_id))["cents"] == 3500
    assert refused(run, "refund", str(charge_id), "--cents", "1") == "refund_too_much"
    with database.read() as tx:
        assert sorted(refund.amount_cents for refund in tx.query(Refund)) == [1500, 3500]


def test_mails_are_listed_shown_tried_kept_and_reset(run: Run, database: Database, tmp_path: Path) -> None:
    with database.write() as tx:
        make.make_site(tx)
    listed = json.loads(run("mail", "list", "--json").stdout)
    assert {"payment_failed", "caught_up", "refunded"} <= {text["kind"] for text in listed}
    text = json.loads(run("mail", "show", "welcome", "--locale", "en", "--json").stdout)["text"]["text"]
    file = tmp_path / "welcome.txt"
    file.write_text(text.replace("Thank you!", "Hooray!"), encoding="utf-8")
    assert "Hooray!" in run("mail", "preview", "welcome", str(file), "--locale", "en").stdout
    done(run, "mail", "set", "welcome", str(file), "--locale", "en")
    assert "your own" in run("mail", "list").stdout
    done(run, "mail", "reset", "welcome", "--locale", "en")
    with database.read() as tx:
        assert tx.query(MailText).count() == 0


def test_words_of_a_mail_are_shown_as_they_can_be_set(run: Run, database: Database, tmp_path: Path) -> None:
    with database.write() as tx:
        make.make_site(tx)
    file = tmp_path / "welcome.txt"
    line = f"{'A sentence of an owner. ' * 9}[bold] :heart: {{{{ offer_title }}}}"
    file.write_text(f"Welcome to {'your own ' * 9}course\n\n{line}\n", encoding="utf-8")
    done(run, "mail", "set", "welcome", str(file), "--locale", "en")
    shown = run("mail", "show", "welcome", "--locale", "en", COLUMNS="40").stdout
    assert shown == file.read_text(encoding="utf-8")
    tried = run("mail", "preview", "welcome", str(file), "--locale", "en", COLUMNS="40").stdout
    assert tried.startswith(f"Welcome to {'your own ' * 9}course\n\n{'A sentence of an owner. ' * 9}")


def test_a_mail_that_cannot_be_is_refused_with_its_line(run: Run, database: Database, tmp_path: Path) -> None:
    with database.write() as tx:
        make.make_site(tx)
    file = tmp_path / "welcome.txt"
    file.write_text("Subject\n\n{{ secret }}", encoding="utf-8")
    result = run("mail", "set", "welcome", str(file))
    assert result.exit_code == 1
    assert "Line 3: 'secret' is not known in this mail." in result.stderr
    file.write_text("Voilà", encoding="latin-1")
    for command in ("set", "preview"):
        assert "is not written in UTF-8" in run("mail", command, "welcome", str(file)).stderr
