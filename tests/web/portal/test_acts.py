"""What a member can do: said before in dated words, done by a button, and refused with a reason."""

from collections.abc import Callable
from datetime import date

import pytest

from linkpay.domain.leaving import CancelMode
from linkpay.domain.subscription import SubscriptionState as S
from linkpay.services import membership
from linkpay.store.tables import Plan, Subscription
from tests.flows.stage import Stage
from tests.web.members import bounced
from tests.web.portal.guests import ANNA, PORTAL, sign_in
from tests.web.visitor import Visitor, words_of


def page_of(stage: Stage, action: str, email: str = ANNA) -> str:
    return f"{PORTAL}/subscriptions/{stage.subscription(email).token}/{action}"


def test_cancelling_says_the_day_before_and_does_it(anna: Visitor, stage: Stage) -> None:
    page = anna.look(page_of(stage, "cancel"))
    words = words_of(page)
    assert "Het stopt op 28 februari 2026. Tot die dag verandert er niets." in words
    assert "Je houdt je toegang tot 28 februari 2026." in words
    assert "Er wordt niets meer afgeschreven." in words
    assert stage.subscription(ANNA).state is S.ACTIVE, "looking does nothing"
    done = anna.press(page, -1, reason="no_time", more="Later misschien")
    assert done.status_code == 303
    after = words_of(anna.look(done.headers["Location"]))
    assert "Het is opgezegd. We hebben je een e-mail gestuurd" in after
    assert "Je hebt opgezegd. Het loopt tot 28 februari 2026." in after
    held = stage.subscription(ANNA)
    assert (held.state, held.cancel_on) == (S.CANCELING, date(2026, 2, 28))
    assert (held.cancel_reason, held.canceled_by) == ("no_time: Later misschien", "member")


def test_nobody_is_told_that_she_cancelled_what_the_seller_cancelled(anna: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        membership.cancel(
            tx, stage.subscription(ANNA).id, mode=CancelMode.PERIOD_END, on=None, reason="",
            actor="owner:eva@studio.example.com", now=stage.clock.now(),
        )  # fmt: skip
    stage.work()
    words = words_of(anna.look(PORTAL))
    assert "De verkoper heeft het opgezegd. Het loopt tot 28 februari 2026." in words
    letter = stage.mailer.letters[-1]
    assert letter.subject == "Members is opgezegd"
    assert "Studio Vecht heeft Members voor je opgezegd." in letter.text
    assert "- Stopt op: 28 februari 2026" in letter.text


def test_nothing_is_promised_to_go_on_where_nothing_is_cancelled_or_all_is_over(
    anna: Visitor, stage: Stage
) -> None:
    page = anna.look(page_of(stage, "undo"))
    assert page.status_code == 409
    assert "Er loopt hier niets dat veranderd kan worden." in words_of(page)
    anna.press(anna.look(page_of(stage, "withdraw")), -1)
    page = anna.look(page_of(stage, "undo"))
    assert page.status_code == 409
    assert "Het is al gestopt." in words_of(page)
    assert "Alles gaat door" not in words_of(page)


def test_a_cancellation_is_taken_back(anna: Visitor, stage: Stage) -> None:
    anna.press(anna.look(page_of(stage, "cancel")), -1)
    page = anna.look(page_of(stage, "undo"))
    assert "De volgende afschrijving is op 28 februari 2026" in words_of(page)
    done = anna.press(page, -1)
    assert "De opzegging is ingetrokken" in words_of(anna.look(done.headers["Location"]))
    assert stage.subscription(ANNA).state is S.ACTIVE


def test_a_later_day_can_be_chosen_and_is_said_before(anna: Visitor, stage: Stage) -> None:
    page = anna.look(page_of(stage, "cancel") + "?mode=date&on=2026-03-15")
    assert "Het stopt op 15 maart 2026." in words_of(page)
    assert "voor het laatst op 28 februari 2026" in words_of(page)
    anna.press(page, -1)
    assert stage.subscription(ANNA).cancel_on == date(2026, 3, 15)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?mode=date", "Vul een dag in"),
        ("?mode=date&on=", "Vul een dag in"),
        ("?mode=date&on=morgen", "Vul een dag in"),
        ("?mode=date&on=2020-01-01", "Kies een dag na vandaag"),
        ("?mode=now", "Het kan niet meteen stoppen"),
    ],
)
def test_a_day_that_cannot_be_is_refused_with_a_reason(
    anna: Visitor, stage: Stage, query: str, said: str
) -> None:
    page = anna.look(page_of(stage, "cancel") + query)
    assert page.status_code in (409, 422)
    assert said in words_of(page)
    assert stage.subscription(ANNA).state is S.ACTIVE


def test_an_unknown_mode_is_the_plain_one(anna: Visitor, stage: Stage) -> None:
    assert anna.look(page_of(stage, "cancel") + "?mode=never").status_code == 200


def test_at_once_is_offered_where_the_seller_allows_it(anna: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.get_one(Subscription, stage.subscription(ANNA).id).policy = {"cancel_at": "now"}
    page = anna.look(page_of(stage, "cancel") + "?mode=now")
    assert "Het stopt vandaag, meteen." in words_of(page)
    anna.press(page, -1)
    assert stage.subscription(ANNA).state is S.ENDED
    stage.work()
    assert not stage.has_access(ANNA)


def test_what_was_said_is_done_or_said_anew(anna: Visitor, stage: Stage) -> None:
    page = anna.look(page_of(stage, "cancel"))
    stage.advance(days=36)
    sign_in(anna, stage)  # the session that the page was opened in is over
    late = anna.press(page, -1)
    assert late.status_code == 409
    assert "Er is iets veranderd terwijl deze pagina openstond" in words_of(late)
    assert "Het stopt op 31 maart 2026." in words_of(late)
    assert stage.subscription(ANNA).state is S.ACTIVE
    assert anna.press(late, -1).status_code == 303


def test_a_form_from_elsewhere_cancels_nothing(anna: Visitor, stage: Stage) -> None:
    page = anna.press(anna.look(page_of(stage, "cancel")), -1, form_token="made-up")
    assert page.status_code == 403
    assert stage.subscription(ANNA).state is S.ACTIVE


def test_instalments_are_not_cancelled_by_the_member(visitor: Visitor, stage: Stage) -> None:
    stage.buy(ANNA, "terms")
    page = sign_in(visitor, stage)
    assert "/cancel" not in page.text
    assert "in zijn geheel verschuldigd" in words_of(visitor.look(page_of(stage, "cancel")))


def test_somebody_elses_subscription_is_not_found(
    new_visitor: Callable[[], Visitor], anna: Visitor, stage: Stage
) -> None:
    stage.buy("eva@example.com")
    for action in ("cancel", "undo", "account"):
        url = page_of(stage, action, "eva@example.com")
        assert anna.look(url).status_code == 404
        assert anna.client.post(url, data={"form_token": "x"}).status_code in (403, 404)
    assert stage.subscription("eva@example.com").state is S.ACTIVE


def test_who_owes_can_still_cancel(visitor: Visitor, stage: Stage) -> None:
    bounced(stage)
    sign_in(visitor, stage)
    page = visitor.look(page_of(stage, "cancel"))
    assert page.status_code == 200
    visitor.press(page, -1)
    assert stage.subscription(ANNA).state in (S.CANCELING, S.ENDED)


def test_a_minimum_term_is_said(visitor: Visitor, stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.query(Plan).filter_by(slug="monthly").one().minimum_periods = 6
    stage.buy(ANNA)
    sign_in(visitor, stage)
    words = words_of(visitor.look(page_of(stage, "cancel")))
    assert "Je hebt een minimale looptijd afgesproken; voor 31 juli 2026 kan het niet stoppen." in words


def test_the_page_speaks_english_too(anna: Visitor, stage: Stage) -> None:
    page = anna.look(page_of(stage, "cancel") + "?lang=en")
    assert "It ends on 28 February 2026. Until then nothing changes." in words_of(page)
    assert "I have no time for it" in words_of(page)


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01"])
def test_a_last_day_that_nobody_means_is_refused_in_words(anna: Visitor, stage: Stage, day: str) -> None:
    url = f"{PORTAL}/subscriptions/{stage.subscription(ANNA).token}/cancel?mode=date&on={day}"
    assert anna.look(url).status_code < 500
