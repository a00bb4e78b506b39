"""Out and in again: what an export holds of members and running subscriptions is what an import makes."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkpay.domain.calendar import Unit, period
from linkpay.domain.cells import read_text, write
from linkpay.domain.plan import PlanKind
from linkpay.domain.snapshots import MandateSnapshot, MandateStatus
from linkpay.domain.subscription import SubscriptionState as S
from linkpay.errors import InputError
from linkpay.services import import_csv, import_sheets
from linkpay.services.import_csv import Fate
from linkpay.store import agreements, exports, grants, importing
from linkpay.store.db import Database, Tx
from linkpay.store.tables import Coupon, Notice, PriceChange, Redemption, Site, Subscription, Withdrawal
from linkpay.store.tables.people import Access
from tests import builders as make
from tests.store_fixtures import Databases

#: Columns that name rows of the database they come from, or moments of it.
_OWN = ("id", "subscription", "created_at", "origin", "ended_at")
_NAMES = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30
) | st.sampled_from(["=cmd|' /C calc'!A0", "'t Hooft", "-", "+31 6", "@anna", 'Anna, "de" Vries\r\nx'])


@pytest.fixture
def elsewhere(databases: Databases) -> Iterator[Database]:
    """Another LinkPay, of the same Mollie account."""
    url = databases.migrated()
    database = Database(url)
    yield database
    database.dispose()
    databases.drop(url)


def exported(database: Database, site_id: int) -> dict[str, bytes]:
    """The files of a site, in memory."""
    files = {}
    with database.read() as tx:
        for sheet in exports.sheets(site_id):
            file = io.StringIO(newline="")
            lines = csv.writer(file)
            lines.writerow(sheet.columns)
            lines.writerows([write(value) for value in row] for row in exports.rows(tx, sheet))
            files[sheet.name] = file.getvalue().encode()
    return files


def rows(files: dict[str, bytes], name: str) -> list[dict[str, str]]:
    """A file's rows, without what is of its own database."""
    found = csv.DictReader(io.StringIO(files[name].decode(), newline=""))
    return [{key: cell for key, cell in row.items() if key not in _OWN} for row in found]


def valid(files: dict[str, bytes]) -> dict[str, MandateSnapshot]:
    """Every mandate of the files, as Mollie would show it."""
    found = {}
    for row in rows(files, "mandates"):
        signed_on = date.fromisoformat(row["signed_on"]) if row["signed_on"] else None
        found[row["mollie_id"]] = MandateSnapshot(
            row["mollie_id"], MandateStatus.VALID, row["method"], row["account_hint"] or None,
            read_text(row["reference"]), signed_on, None,
        )  # fmt: skip
    return found


def taken_in(database: Database, site_id: int, files: dict[str, bytes]) -> list[Fate]:
    """Import the files into a site, as the command does."""
    folder, mandates = import_sheets.read(files), valid(files)
    fates = []
    with database.write() as tx:
        site = tx.get_one(Site, site_id)
        for row in folder.members:
            import_csv.put_member(tx, site, row, make.NOW)
        for row in folder.coupons:
            import_csv.put_coupon(tx, site, row, make.NOW)
        for row in folder.subscriptions:
            finding = import_csv.decide(tx, site, row, mandates)
            fates.append(finding.fate)
            if finding.fate is Fate.TAKE:
                import_csv.take(tx, site, folder, row, mandates.get(row["mandate"]), make.NOW)
    return fates


def shop(tx: Tx) -> Site:
    """A site with the plans that both have."""
    site = make.make_site(tx)
    offer = make.make_offer(tx, site, slug="members")
    make.make_plan(tx, offer, slug="monthly")
    make.make_plan(tx, offer, slug="yearly", interval_unit=Unit.YEAR)
    make.make_plan(tx, offer, slug="course", kind=PlanKind.INSTALMENTS, periods=4)
    return site


def plan_of(tx: Tx, site: Site, slug: str) -> Any:
    return importing.plan(tx, site.id, slug)


LIVES = st.fixed_dictionaries(
    {
        "name": _NAMES,
        "state": st.sampled_from([S.ACTIVE, S.CANCELING, S.PAUSED, S.TRIALING]),
        "plan": st.sampled_from(["monthly", "yearly", "course"]),
        "index": st.integers(1, 3),
        "cents": st.integers(1, 1_000_000),
        "reason": st.none() | _NAMES,
        "discount": st.none() | st.integers(1, 10_000),
        "credit": st.integers(0, 500),
        "price": st.none() | st.integers(1, 99_999),
        "consent": _NAMES,
    }
)


def live(tx: Tx, site: Site, number: int, life: dict[str, Any]) -> Subscription:
    """Somebody with this life."""
    payer = make.make_customer(
        tx, site, email=f"anna{number}@example.com", name=life["name"], mollie_id=f"cst_{site.id}x{number}"
    )
    member = make.make_member(
        tx,
        site,
        email=f"m{number}@example.com",
        name=life["name"],
        external_user_id=f"{life['name'][:9]}{number}",
    )
    mandate = make.make_mandate(tx, payer, mollie_id=f"mdt_{site.id}x{number}", reference=life["name"][:20])
    anchor, plan = date(2026, 2, 10), plan_of(tx, site, life["plan"])
    made = make.make_subscription(
        tx, plan, payer, member=member, state=life["state"], anchor_on=anchor,
        next_index=life["index"], amount_cents=life["cents"], mandate_id=mandate.id,
        next_charge_on=period(anchor, plan.terms.interval, life["index"]).starts_on,
        cancel_reason=life["reason"], cancel_on=date(2026, 6, 30) if life["state"] is S.CANCELING else None,
        pause_on=date(2026, 3, 1) if life["state"] is S.PAUSED else None, pause_keeps_access=True,
        policy={"grace_days": life["index"]},
    )  # fmt: skip
    make.make_consent(tx, made, text=life["consent"], data={"notice_days": 2})
    belongings(tx, site, made, number, life)
    return made


def belongings(tx: Tx, site: Site, made: Subscription, number: int, life: dict[str, Any]) -> None:
    """Her coupon, her credit and the price that was announced to her."""
    if life["discount"]:
        coupon = Coupon(
            site_id=site.id, code=f"C{number}", kind="percent", value=life["discount"], duration="forever",
            plan_slugs=["monthly"], created_at=make.NOW,
        )  # fmt: skip
        tx.add(coupon)
        tx.flush()
        tx.add(
            Redemption(
                site_id=site.id, coupon_id=coupon.id, subscription_id=made.id, kind="percent",
                value=life["discount"], duration="forever", counted_at=make.NOW, created_at=make.NOW,
            )
        )  # fmt: skip
    if life["credit"]:
        agreements.add_credit(tx, made, life["credit"], reason="switch", ref="x", now=make.NOW)
    if life["price"]:
        tx.add(
            PriceChange(
                site_id=site.id, subscription_id=made.id, batch="b", amount_cents=life["price"],
                effective_on=date(2026, 4, 1), told_at=make.NOW, decided_by="owner", created_at=make.NOW,
            )
        )  # fmt: skip
    tx.flush()


@given(st.lists(LIVES, max_size=3))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_goes_out_comes_in(database: Database, elsewhere: Database, lives: list[dict[str, Any]]) -> None:
    with database.write() as tx:
        here = shop(tx)
        for number, life in enumerate(lives):
            live(tx, here, number, life)
        here_id = here.id
    with elsewhere.write() as tx:
        there_id = shop(tx).id
    out = exported(database, here_id)
    assert taken_in(elsewhere, there_id, out) == [Fate.TAKE] * len(lives)
    again = exported(elsewhere, there_id)
    for name in ("members", "mandates", "coupons", "subscriptions", "prices", "consents"):
        assert rows(again, name) == rows(out, name), name
    # A second time everybody is here, and nothing changes.
    assert set(taken_in(elsewhere, there_id, out)) <= {Fate.ALREADY_HERE}
    assert exported(elsewhere, there_id) == again


def one(database: Database, **life: Any) -> tuple[int, dict[str, bytes]]:
    """A site with one member, and its files."""
    about = {
        "name": "Anna", "state": S.ACTIVE, "plan": "monthly", "index": 1, "cents": 5000, "reason": None,
        "discount": None, "credit": 0, "price": None, "consent": "Ja",
    }  # fmt: skip
    with database.write() as tx:
        site = shop(tx)
        live(tx, site, 0, about | life)
    return site.id, exported(database, site.id)


def test_whoever_comes_in_has_access_and_is_charged_on_her_day(
    database: Database, elsewhere: Database
) -> None:
    _, files = one(database)
    with elsewhere.write() as tx:
        there_id = shop(tx).id
    taken_in(elsewhere, there_id, files)
    with elsewhere.read() as tx:
        made = tx.query(Subscription).one()
        grant = grants.find(tx, made.member_id, made.offer_id)
    assert grant is not None
    assert grant.wanted is Access.GRANTED
    assert made.next_charge_on == date(2026, 3, 10)


def test_two_sites_here_never_charge_one_mandate(database: Database) -> None:
    _, files = one(database)
    with database.write() as tx:
        other = shop(tx).id
    assert taken_in(database, other, files) == [Fate.CHARGED_ELSEWHERE]


@pytest.mark.parametrize(
    ("change", "fate"),
    [
        ({"state": S.PAST_DUE}, Fate.OWES), ({"state": S.SUSPENDED}, Fate.OWES),
        ({"state": S.ENDED}, Fate.OVER),
    ],
)  # fmt: skip
def test_who_does_not_run_stays_where_she_is(
    database: Database, elsewhere: Database, change: dict[str, Any], fate: Fate
) -> None:
    _, files = one(database, **change)
    with elsewhere.write() as tx:
        there_id = shop(tx).id
    assert taken_in(elsewhere, there_id, files) == [fate]


def test_a_mandate_that_mollie_does_not_show_is_refused(database: Database, elsewhere: Database) -> None:
    _, files = one(database)
    with elsewhere.write() as tx:
        site = shop(tx)
        (row,) = import_sheets.read(files).subscriptions
        assert import_csv.decide(tx, site, row, {}).fate is Fate.NO_MANDATE
        row["plan"] = "weekly"
        assert import_csv.decide(tx, site, row, valid(files)).fate is Fate.UNKNOWN_PLAN
        row["plan"], row["amount_cents"] = "monthly", 0
        assert import_csv.decide(tx, site, row, valid(files)).fate is Fate.TERMS


@pytest.mark.parametrize(
    ("name", "old", "new", "field"),
    [
        ("subscriptions", b"2026-02-10", b"10 February", "anchor_on"),
        ("subscriptions", b",5000,", b",fifty,", "amount_cents"),
        ("subscriptions", b",active,", b",dancing,", "state"),
        ("subscriptions", b"amount_cents", b"amount", "amount_cents"),
        ("members", b"external_user_id", b"id", "external_user_id"),
        ("members", b"Anna", b"\xff", "members"),
    ],
)
def test_what_cannot_be_read_is_named(
    database: Database, name: str, old: bytes, new: bytes, field: str
) -> None:
    _, files = one(database)
    assert old in files[name]
    with pytest.raises(InputError) as refused:
        import_sheets.read(files | {name: files[name].replace(old, new)})
    assert refused.value.field == field
    assert name in refused.value.message


def test_a_folder_without_members_is_refused() -> None:
    with pytest.raises(InputError, match=r"no members\.csv"):
        import_sheets.read({})


def test_proofs_go_out_too(database: Database) -> None:
    """Of what was told before a debit, and of who withdrew and what came of it."""
    site_id, _ = one(database)
    with database.write() as tx:
        made, mail = tx.query(Subscription).one(), make.make_mail(tx, subject="50 euro", to="a@example.com")
        told = {"site_id": site_id, "subscription_id": made.id, "created_at": make.NOW}
        tx.add(Notice(**told, mail_id=mail.id, amount_cents=5000, currency="EUR", due_on=date(2026, 4, 1)))
        tx.add(
            Withdrawal(**told, token="hidden", email="a@example.com", statement="I do.", received_at=make.NOW)
        )
    files = exported(database, site_id)
    (notice,), (withdrawal,) = rows(files, "notices"), rows(files, "withdrawals")
    assert (notice["amount_cents"], notice["due_on"], notice["subject"]) == ("5000", "2026-04-01", "50 euro")
    assert (withdrawal["statement"], withdrawal["received_at"]) == ("I do.", make.NOW.isoformat())
    assert b"hidden" not in b"".join(files.values())


def test_no_secret_leaves(database: Database) -> None:
    site_id, files = one(database)
    with database.read() as tx:
        site, made = tx.get_one(Site, site_id), tx.query(Subscription).one()
    everything = b"".join(files.values()).decode()
    for secret in (site.token, site.mollie_key_sealed, made.token):
        assert secret
        assert secret not in everything
