"""Secrets at rest: none of them stands in clear anywhere, and keys can be changed while everything runs."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import text

from linkpay.domain.email import normalise_email
from linkpay.services import resealing, second_factor, setup
from linkpay.services.specs import KajabiSpec, OfferSpec, PlanSpec, SiteSpec
from linkpay.store import owners, sealed, sites
from linkpay.store.db import Database
from linkpay.store.secrets import SealBroken, SecretBox
from linkpay.store.tables import Offer, Owner, Site
from tests.builders import NOW, make_site
from tests.flows.crash import Boundaries, FragileDatabase, Killed
from tests.flows.stage import Stage
from tests.web.owner.conftest import PASSWORD, Team
from tests.web.visitor import Visitor

PLAN = PlanSpec(slug="monthly", title="Monthly", amount_cents=5_000)


def _everything(database: Database) -> Iterator[str]:
    """Every value of every row, as text."""
    with database.read() as tx:
        for table in Site.metadata.sorted_tables:
            for row in tx.execute(table.select()):
                yield from (
                    value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row
                )


def _canaries(stage: Stage) -> tuple[list[str], list[str]]:
    """Secrets put in by every door there is: those of sites, and those of people."""
    canaries = [f"canary{number:02}secretcanary" for number in range(25)]
    with stage.database.write() as tx:
        for number in range(5):
            key, secret, token, other, _ = canaries[number * 5 : number * 5 + 5]
            address = f"https://app.kajabi.com/webhooks/offers/{token}/{number + 1}"
            spec = SiteSpec(
                slug=f"site-{number}", name="Site", mollie_key=f"test_{key}{other}",
                kajabi=KajabiSpec(site_id="1", client_id="client", client_secret=secret),
                offers=[OfferSpec(slug="offer", title="Offer", plans=[PLAN], kajabi_offer_id=str(number + 1),
                                  activation_url=f"{address}/activate",
                                  deactivation_url=f"{address}/deactivate")],
            )  # fmt: skip
            setup.apply(tx, spec, stage.parts.box, stage.clock.now())
        people = []
        for number in range(5):
            owner = owners.owner_for(tx, normalise_email(f"o{number}@example.com"), stage.clock.now())
            tx.flush()
            people.append(second_factor.begin(tx, owner, stage.parts.box))
    put_in = [one for place, one in enumerate(canaries) if place % 5 != 4]
    return put_in, people


def test_no_secret_stands_in_clear_in_any_row(stage: Stage) -> None:
    put_in, seeds = _canaries(stage)
    held = "\n".join(_everything(stage.database))
    found = [secret for secret in [*put_in, *seeds] if secret in held]
    assert found == []
    if stage.database.is_sqlite:
        path = Path(stage.database.url.database or "")
        files = b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))
        assert [secret for secret in [*put_in, *seeds] if secret.encode() in files] == []


def test_tokens_and_passwords_of_people_are_kept_as_hashes(stage: Stage, team: Team, app: Flask) -> None:
    team.person("owner@studio.example.com")
    _, opened = team.enter("owner@studio.example.com")
    cookies = [one.split("=", 1)[1].split(";")[0] for one in opened.headers.getlist("Set-Cookie")]
    held = "\n".join(_everything(stage.database))
    assert PASSWORD not in held
    assert cookies
    assert [value for value in cookies if value in held] == []


def test_no_secret_reaches_a_log_or_a_page_when_things_go_wrong(
    stage: Stage, visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    """The site's key and its offer's address, while Mollie and Kajabi refuse, break and stay silent."""
    with stage.database.read() as tx:
        offer = tx.get_one(Offer, stage.shop.offer_id)
        address = sites.kajabi_url(offer, stage.parts.box, grant=True) or ""
        key = sites.mollie_key(sites.get(tx, stage.shop.site_id), stage.parts.box) or ""
    secrets = [key, address.split("/")[-3]]
    pages = []
    with caplog.at_level(logging.DEBUG):
        for kind in ("status:401", "html", "timeout_after", "reset_after", "status:503"):
            if kind != "status:401":
                stage.disturb(kind, count=3)
                stage.disturb(kind, target="kajabi", count=2)
            pages.append(visitor.order(email=f"{kind.replace(':', '')}@example.com").text)
            stage.work()
            stage.calm()
            stage.advance(minutes=5)
    written = "\n".join([*pages, *(str(vars(record)) + record.getMessage() for record in caplog.records)])
    assert [secret for secret in secrets if secret in written] == []


# Changing keys -------------------------------------------------------------------------------------

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def _many(database: Database, count: int) -> None:
    box = SecretBox([OLD])
    with database.write() as tx:
        for number in range(count):
            site = make_site(tx, slug=f"site-{number}", token=f"token-{number}")
            site.mollie_key_sealed = box.seal(site.id, "mollie_key", f"test_{number}")


def _read(database: Database, box: SecretBox) -> list[str | None]:
    with database.read() as tx:
        return [sites.mollie_key(site, box) for site in tx.query(Site).order_by(Site.id)]


def test_every_sealed_column_is_known() -> None:
    assert {f"{table.name}.{column.name}" for table, column in sealed.columns()} >= {
        "site.mollie_key_sealed", "site.kajabi_client_secret_sealed", "offer.activation_url_sealed",
        "offer.deactivation_url_sealed", "owner.totp_sealed",
    }  # fmt: skip


def test_after_resealing_the_old_key_can_go(database: Database) -> None:
    _many(database, 120)
    before = _read(database, SecretBox([OLD]))
    assert resealing.run(database, SecretBox([NEW, OLD])) == 120
    assert _read(database, SecretBox([NEW])) == before


def test_a_rotation_killed_anywhere_leaves_every_secret_readable(
    database: Database, database_url: str
) -> None:
    """Killed at twenty boundaries, while somebody replaces a key; run again, all are under the new one."""
    _many(database, 60)
    wanted = _read(database, SecretBox([OLD]))
    boundaries = Boundaries()
    fragile = FragileDatabase(database_url, boundaries)
    both = SecretBox([NEW, OLD])
    for kill_at in range(1, 21):
        boundaries.arm(kill_at)
        with pytest.raises(Killed):
            resealing.run(fragile, both, batch=7)
        assert _read(database, both) == wanted
    with database.write() as tx:
        tx.execute(text("UPDATE site SET mollie_key_sealed = NULL WHERE slug = 'site-3'"))
    boundaries.arm(0)
    resealing.run(fragile, both, batch=7)
    wanted[3] = None
    assert _read(database, SecretBox([NEW])) == wanted
    fragile.dispose()


def test_a_key_that_is_missing_is_noticed_and_changes_nothing(database: Database) -> None:
    _many(database, 3)
    with pytest.raises(SealBroken):
        resealing.run(database, SecretBox([NEW]))
    assert len(_read(database, SecretBox([OLD]))) == 3


def test_an_owners_second_step_is_sealed_for_her_alone(database: Database) -> None:
    box = SecretBox([NEW])
    with database.write() as tx:
        hers, his = (owners.owner_for(tx, f"{name}@example.com", NOW) for name in ("her", "him"))
        tx.flush()
        second_factor.begin(tx, hers, box)
        his.totp_sealed = hers.totp_sealed
    with database.read() as tx:
        stolen = tx.query(Owner).filter_by(email="him@example.com").one()
    with pytest.raises(SealBroken):
        box.open(stolen.id, "owner_totp", stolen.totp_sealed or "")
