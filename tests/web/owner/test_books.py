"""The books page: the last comparison with Mollie, and what nothing explains."""

from datetime import timedelta

from linkpay.domain.ledger import EntryKind
from linkpay.services import reconciling
from linkpay.store.tables import Payment
from tests import builders as make
from tests.flows.stage import Stage
from tests.web.owner.conftest import Team
from tests.web.visitor import words_of

BOOKS = "/owner/studio/books"


def compare(stage: Stage) -> None:
    reconciling.run(stage.parts, stage.shop.site_id, stage.clock.now() - timedelta(days=31))


def test_books_that_agree_are_shown_with_their_sums(team: Team, stage: Stage) -> None:
    visitor = team.signed_in()
    assert "Nothing was compared yet" in words_of(visitor.look(BOOKS))
    stage.buy("anna@example.com")
    compare(stage)
    words = words_of(visitor.look(BOOKS))
    assert "Both books are the same, to the cent." in words
    assert words.count("€50.00") == 2


def test_what_differs_is_named_and_earlier_ones_stay(team: Team, stage: Stage) -> None:
    stage.buy("anna@example.com")
    compare(stage)
    with stage.database.write() as tx:
        payment = tx.query(Payment).one()
        make.make_entry(tx, payment, kind=EntryKind.REFUND, amount_cents=-1)
    compare(stage)
    words = words_of(team.signed_in().look(BOOKS))
    assert "One payment differs and nothing explains it yet." in words
    assert str(payment.mollie_id) in words
    assert "€49.99" in words
    assert "Before that" in words
