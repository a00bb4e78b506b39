"""The page of numbers, its plots and tables."""

import csv
import io
import re
from datetime import timedelta

import pytest

from linkpay.services import numbers, price_changes
from linkpay.store import numbers as store
from linkpay.store import sites
from tests.flows.stage import Stage
from tests.web.members import bounced
from tests.web.owner.conftest import Team
from tests.web.visitor import words_of
from workers import clock

PAGE, ZONE = "/owner/studio/numbers", "Europe/Amsterdam"


def test_what_was_bought_counts_for_its_month(team: Team, stage: Stage) -> None:
    stage.buy("anna@example.com")
    stage.buy("bram@example.com", "weekly")
    words = words_of(team.signed_in().look(PAGE))
    assert "€115.00" in words, "50 euro a month, and 15 euro a week"
    assert "January 2026 2 0 0 2 €115.00" in words


def test_a_new_price_is_more_and_who_leaves_is_lost(team: Team, stage: Stage) -> None:
    stage.buy("anna@example.com")
    stage.buy("bram@example.com")
    with stage.database.write() as tx:
        number = stage.subscription("anna@example.com").id
        site = sites.get(tx, stage.shop.site_id)
        price_changes.announce(tx, site, number, 6000, "one", "owner", stage.clock.now())
    stage.advance(days=62)
    stage.stop("bram@example.com")
    stage.advance(days=40)
    words = words_of(team.signed_in().look(PAGE))
    assert "March 2026 €100.00 €0.00 €0.00 €10.00 €0.00 €0.00 €110.00" in words
    assert "January 2026 €0.00 €100.00 €0.00 €0.00 €0.00 €0.00 €100.00" in words
    assert "€-50.00" in words or "-€50.00" in words
    assert "January 2026 2 100% 100% 100%" in words


def test_failed_payments_are_told_by_the_step_that_brought_the_money(team: Team, stage: Stage) -> None:
    bounced(stage)
    assert "Still asked for 1 100%" in words_of(team.signed_in().look(PAGE))
    stage.advance(days=6)
    charge = stage.charges("anna@example.com")[1]
    stage.bank(stage.mollie_ids(charge.id)[-1], "paid")
    stage.work()
    visitor = team.signed_in()
    assert "Paid by debit number 2 1 100% €50.00" in words_of(visitor.look(PAGE))
    lines = visitor.look(f"{PAGE}/recovery.csv").text.splitlines()
    assert lines == ["how,debit,number,cents", "debit,2,1,5000"]


def test_a_large_site_is_shown_as_it_was_counted_within_the_hour(
    team: Team, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "LARGE", 2)
    stage.buy("anna@example.com")
    stage.buy("bram@example.com")
    visitor = team.signed_in()
    counted = visitor.look(PAGE).text
    clock.turn(stage.parts, stage.clock)
    stage.work()
    stage.buy("carla@example.com")
    stage.advance(minutes=50)
    assert visitor.look(PAGE).text == counted
    stage.advance(minutes=11)
    assert "January 2026 3 0 0 3 €150.00" in words_of(visitor.look(PAGE))


def test_what_was_counted_last_is_kept_and_read_back_whole(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "LARGE", 1)
    bounced(stage)
    site_id, now = stage.shop.site_id, stage.clock.now()
    with stage.database.write() as tx:
        numbers.have_counted(tx, now)
        numbers.have_counted(tx, now)
    assert [job.ref for job in stage.jobs("count_numbers")] == [f"site:{site_id}"]
    stage.work()
    with stage.database.write() as tx:
        store.keep(tx, site_id, {}, now - timedelta(seconds=1))
    with stage.database.read() as tx:
        assert store.kept(tx, site_id, now) is not None
        assert numbers.look(tx, site_id, ZONE, now) == numbers.of_site(tx, site_id, ZONE, now)


def test_what_another_version_counted_is_counted_anew(team: Team, stage: Stage) -> None:
    stage.buy("anna@example.com")
    site_id, now = stage.shop.site_id, stage.clock.now()
    with stage.database.write() as tx:
        store.keep(tx, site_id, {"counted_at": now.isoformat(), "months": 7}, now)
    assert "January 2026 1 0 0 1 €50.00" in words_of(team.signed_in().look(PAGE))


def test_a_small_site_is_counted_for_each_page(stage: Stage) -> None:
    stage.buy("anna@example.com")
    with stage.database.write() as tx:
        numbers.have_counted(tx, stage.clock.now())
    assert stage.jobs("count_numbers") == []


def test_ten_a_month_at_fifty_of_whom_a_fifth_leaves(team: Team) -> None:
    visitor = team.signed_in()
    table = csv.DictReader(io.StringIO(visitor.look(f"{PAGE}/growth.csv").text))
    rows = [(row["members"], row["cents"]) for row in table]
    assert rows[:3] == [("10", "50000"), ("18", "90000"), ("25", "125000")]
    assert "€1,250.00" in words_of(visitor.look(PAGE))


@pytest.mark.parametrize(
    "typed",
    ["joining=ten", "joining=-1", "joining=1000001", "price=1e9", "leaving=101", "price=nan", "leaving="],
)
def test_what_is_no_number_is_said_and_kept(team: Team, typed: str) -> None:
    page = team.signed_in().look(f"{PAGE}?{typed}")
    assert page.status_code == 200
    assert "Fill in numbers" in words_of(page)
    assert f'value="{typed.partition("=")[2]}"' in page.text


@pytest.mark.parametrize("name", ["revenue", "members", "growth"])
def test_a_plot_is_a_picture_without_script_or_foreign_parts(team: Team, name: str) -> None:
    plot = team.signed_in().look(f"{PAGE}/{name}.svg")
    assert plot.mimetype == "image/svg+xml"
    assert "<script" not in plot.text
    assert not re.search(r"(href|src)=|url\(|@import", plot.text)


@pytest.mark.parametrize("name", ["months", "weeks", "cohorts"])
def test_a_table_has_a_line_for_each_stretch(team: Team, stage: Stage, name: str) -> None:
    stage.buy("anna@example.com")
    lines = team.signed_in().look(f"{PAGE}/{name}.csv").text.splitlines()
    assert len(lines) == {"months": 13, "weeks": 9, "cohorts": 13}[name]


@pytest.mark.parametrize(("speech", "said"), [("nl", "1.500"), ("en", "1,500")])
def test_large_numbers_are_written_as_their_readers_write_them(
    team: Team, stage: Stage, speech: str, said: str
) -> None:
    page = team.signed_in().look(f"{PAGE}?joining=1500&price=50&leaving=3&lang={speech}")
    assert f"1 {said} 0 {said}" in words_of(page)
