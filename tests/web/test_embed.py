"""Who may hold the checkout in a page, and what its form is worth there."""

import pytest

from linkpay.store.tables import Site
from tests.flows.stage import Stage
from tests.web.visitor import Visitor, form_of, words_of

BUY = "/studio/buy/members"
HOLDER = "https://www.example.com"


@pytest.fixture
def held(stage: Stage) -> None:
    with stage.database.write() as tx:
        tx.get_one(Site, stage.shop.site_id).embed_parents = [HOLDER]


@pytest.mark.usefixtures("held")
def test_only_the_embedded_form_may_be_held_and_only_by_the_sellers_sites(visitor: Visitor) -> None:
    inside = visitor.look(f"{BUY}?embed=1")
    assert f"frame-ancestors {HOLDER};" in inside.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in inside.headers
    assert not inside.headers.getlist("Set-Cookie"), "browsers keep none there"
    for url in (BUY, f"{BUY}?embed=0", "/studio/portal?embed=1"):
        outside = visitor.look(url)
        assert "frame-ancestors 'none'" in outside.headers["Content-Security-Policy"]
        assert outside.headers["X-Frame-Options"] == "DENY"


def test_a_site_that_allows_nobody_is_held_by_nobody(visitor: Visitor) -> None:
    answer = visitor.look(f"{BUY}?embed=1")
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.usefixtures("held")
def test_the_form_pays_without_a_cookie_and_its_token_is_of_this_offer_only(
    visitor: Visitor, stage: Stage
) -> None:
    page = visitor.look(f"{BUY}?embed=1&plan=monthly")
    assert 'target="_top"' in page.text
    typed = {"name": "Anna de Vries", "email": "anna@example.com", "agree": "yes"}
    token = form_of(page).fields["form_token"]
    other = visitor.press(visitor.look("/studio/buy/solo?embed=1"), **typed, form_token=token)
    assert other.status_code == 403
    assert "Press the button once more" in words_of(other) or "nog" in words_of(other)
    paid = visitor.press(page, **typed)
    assert paid.status_code == 303
    assert stage.subscription("anna@example.com")


@pytest.mark.usefixtures("held")
def test_what_stays_in_the_page_stays_held_and_what_leaves_it_does_not(visitor: Visitor) -> None:
    page = visitor.look(f"{BUY}?embed=1")
    again = visitor.press(page, apply="yes", coupon="NONE")
    assert f"frame-ancestors {HOLDER};" in again.headers["Content-Security-Policy"]
    whole = visitor.press(page, name="")
    assert whole.status_code == 422
    assert "frame-ancestors 'none'" in whole.headers["Content-Security-Policy"]


def test_the_script_is_for_everybodys_pages(visitor: Visitor) -> None:
    script = visitor.look("/embed.js")
    assert script.mimetype == "text/javascript"
    assert script.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "event.origin !== home" in script.text
