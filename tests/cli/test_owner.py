"""``owner add``: the way in for the first owner, before there is any site."""

from sqlalchemy import select

from linkpay.services import signin
from linkpay.store import owners
from linkpay.store.db import Database
from linkpay.store.tables import SiteOwner
from tests import builders as make
from tests.cli.conftest import Run

PASSWORD = "a sentence is easy to keep"


def test_the_first_owner_gets_in_with_the_password_she_chose(run: Run, database: Database) -> None:
    done = run("owner", "add", " Mira@Example.com", "--name", "Mira", "--password", PASSWORD)
    assert done.exit_code == 0, done.output
    assert PASSWORD not in done.output
    with database.read() as tx:
        mira = owners.by_email(tx, "mira@example.com")
        assert mira is not None
        assert mira.password_hash is not None
        assert mira.password_hash != PASSWORD
        assert tx.scalars(select(SiteOwner)).all() == []
    assert mira.password_hash.startswith("$argon2")
    assert signin.hash_password(PASSWORD) != mira.password_hash, "salted"


def test_nobodys_password_is_replaced_and_short_ones_are_refused(run: Run) -> None:
    assert run("owner", "add", "mira@example.com", "--password", PASSWORD).exit_code == 0
    again = run("owner", "add", "mira@example.com", "--password", "another long sentence")
    assert again.exit_code == 1
    assert "signs in already" in again.output
    assert run("owner", "add", "nina@example.com", "--password", "short").exit_code == 1


def test_an_address_that_is_none_is_refused_before_a_password_is_asked_for(run: Run) -> None:
    refused = run("owner", "add", "mira")
    assert refused.exit_code == 1
    assert "Password" not in refused.output
    assert "Password" in run("owner", "add", "mira@example.com").output


def test_who_lost_her_password_gets_another_and_nobody_stays_signed_in_by_the_old_one(
    run: Run, database: Database
) -> None:
    run("owner", "add", "mira@example.com", "--password", PASSWORD)
    with database.write() as tx:
        mira = owners.by_email(tx, "mira@example.com")
        assert mira is not None
        signed_in = signin.open_session(tx, mira, make.NOW, whole=True)
    done = run("owner", "new-password", "Mira@example.com", "--password", "another long sentence")
    assert done.exit_code == 0, done.output
    assert "another" not in done.output
    with database.read() as tx:
        after = owners.by_email(tx, "mira@example.com")
        assert after is not None
        assert after.password_hash not in (None, mira.password_hash)
        assert signin.present(tx, signed_in.token, make.NOW) is None


def test_nobody_unknown_gets_a_password_and_no_short_one_is_given(run: Run, database: Database) -> None:
    unknown = run("owner", "new-password", "nina@example.com")
    assert (unknown.exit_code, "Password:" in unknown.output) == (2, False)
    run("owner", "add", "mira@example.com", "--password", PASSWORD)
    assert run("owner", "new-password", "mira@example.com", "--password", "short").exit_code == 1
    assert (
        "new-password mira@example.com"
        in run("owner", "add", "mira@example.com", "--password", PASSWORD).output
    )
