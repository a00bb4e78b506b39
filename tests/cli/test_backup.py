"""``backup``, ``restore`` and ``reconcile`` as an operator uses them."""

import json
import resource
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from linkpay.clock import SystemClock
from linkpay.services import measuring
from linkpay.store import progress
from linkpay.store.db import Database
from linkpay.store.inbox import Message
from linkpay.store.spool import beside
from linkpay.store.tables import Site
from tests import builders as make
from tests.cli.conftest import Run


def test_a_backup_is_private_and_never_replaces_another(run: Run, database: Database, tmp_path: Path) -> None:
    file = tmp_path / "linkpay.backup"
    with database.write() as tx:
        make.make_site(tx)
    done = run("backup", str(file), "--json")
    assert json.loads(done.stdout)["bytes"] == file.stat().st_size > 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = run("backup", str(file), "--json")
    assert (again.exit_code, json.loads(again.stderr)["error"]["code"]) == (1, "backup_failed")


@contextmanager
def full_disk() -> Iterator[None]:
    """No file gets longer than a few pages, for this process and what it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_no_backup_is_said_and_nothing_is_left(
    run: Run, database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    with database.write() as tx:
        make.make_site(tx)
    with full_disk():
        refused = run("backup", str(folder / "linkpay.backup"))
    assert refused.exit_code == 1
    assert "cannot be written (" in refused.stderr or "pg_dump did not do it" in refused.stderr
    assert list(folder.iterdir()) == []
    (folder / "linkpay.backup.part").mkdir()
    assert "linkpay.backup cannot be written (" in run("backup", str(folder / "linkpay.backup")).stderr


def test_a_disk_that_takes_no_restore_is_said_and_the_database_stays(
    run: Run, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database.is_sqlite:
        pytest.skip("a server keeps its files itself")
    file = tmp_path / "linkpay.backup"
    modes: list[int] = []
    target = Path(database.url.database or "")
    part = target.with_name(f"{target.name}.restoring")
    with database.write() as tx:
        make.make_site(tx)
    run("backup", str(file))
    copy = shutil.copyfile

    def watched(source: Path, made: Path) -> None:
        modes.append(stat.S_IMODE(made.stat().st_mode))
        copy(source, made)

    monkeypatch.setattr(shutil, "copyfile", watched)
    with full_disk():
        refused = run("restore", str(file), "--yes")
    assert refused.exit_code == 1
    assert f"{target.name} cannot be written (File too large)." in refused.stderr
    assert list(target.parent.glob(f"{part.name}*")) == []
    assert modes == [0o600], "before anything was in it"
    with database.read() as tx:
        assert tx.query(Site).count() == 1


def test_messages_that_were_set_aside_are_in_a_backup(run: Run, database: Database, tmp_path: Path) -> None:
    aside, file = beside(database), tmp_path / "linkpay.backup"
    if aside is None:
        pytest.skip("nothing is set aside beside a server")
    with database.write() as tx:
        token = make.make_site(tx).token
    aside.keep([Message(token, "mollie", "tr_1", "", b"id=tr_1", make.NOW)])
    assert run("backup", str(file)).exit_code == 0
    with closing(sqlite3.connect(file)) as copy:
        assert copy.execute("SELECT ref FROM inbox").fetchall() == [("tr_1",)]


def test_a_restore_needs_a_word_and_no_running_clock(run: Run, database: Database, tmp_path: Path) -> None:
    file = tmp_path / "linkpay.backup"
    with database.write() as tx:
        make.make_site(tx, slug="before")
    run("backup", str(file))
    now = SystemClock().now()
    with database.write() as tx:
        make.make_site(tx, slug="after")
        progress.put(tx, measuring.CLOCK, 0, now, now)
    assert json.loads(run("restore", str(file), "--yes", "--json").stderr)["error"]["code"] == "still_running"
    with database.write() as tx:
        progress.put(tx, measuring.CLOCK, 0, now, now - timedelta(minutes=5))
    assert json.loads(run("restore", str(file), "--json").stderr)["error"]["code"] == "not_empty"
    database.dispose()
    done = run("restore", str(file), "--yes")
    assert done.exit_code == 0, done.output
    assert "Start everything again" in done.output
    with database.read() as tx:
        (site,) = tx.query(Site).all()
        assert site.slug == "before"
        assert site.catch_up_from is not None


def test_what_is_no_backup_is_refused_and_changes_nothing(
    run: Run, database: Database, tmp_path: Path
) -> None:
    torn = tmp_path / "torn"
    with database.write() as tx:
        make.make_site(tx)
    run("backup", str(torn))
    for content in (b"", b"hello", torn.read_bytes()[:3000]):
        torn.write_bytes(content)
        refused = run("restore", str(torn), "--yes", "--json")
        assert (refused.exit_code, json.loads(refused.stderr)["error"]["code"]) == (1, "restore_failed")
    with database.read() as tx:
        assert tx.query(Site).count() == 1


def test_the_file_is_looked_at_before_anybody_is_asked_to_stop_anything(
    run: Run, database: Database, tmp_path: Path
) -> None:
    now = SystemClock().now()
    with database.write() as tx:
        make.make_site(tx)
        progress.put(tx, measuring.CLOCK, 0, now, now)
    refused = run("restore", str(tmp_path / "mistyped"))
    assert refused.exit_code == 1
    assert "cannot be read (No such file or directory)" in refused.stderr


def test_what_a_killed_restore_left_is_not_mixed_into_the_next_one(
    run: Run, database: Database, tmp_path: Path
) -> None:
    if not database.is_sqlite:
        pytest.skip("a server's restore leaves no files")
    with database.write() as tx:
        site_id = make.make_site(tx, name="Name of Monday").id
    run("backup", str(tmp_path / "monday"))
    with database.write() as tx:
        tx.get_one(Site, site_id).name = "Name of Tuesday"
    run("backup", str(tmp_path / "tuesday"))
    # Monday's, killed between marking its copy and folding that into the file.
    left, copy = Path(f"{database.url.database}.restoring"), tmp_path / "copy"
    shutil.copyfile(tmp_path / "monday", copy)
    half = Database(f"sqlite:///{copy}")
    with half.write() as tx:
        tx.get_one(Site, site_id).catch_up_from = SystemClock().now()
    for suffix in ("", "-wal"):
        shutil.copyfile(f"{copy}{suffix}", f"{left}{suffix}")
    half.dispose()
    database.dispose()
    done = run("restore", str(tmp_path / "tuesday"), "--yes")
    assert done.exit_code == 0, done.output
    with database.read() as tx:
        assert tx.get_one(Site, site_id).name == "Name of Tuesday"
    assert [path.name for path in left.parent.glob(f"{left.name}*")] == []


def test_books_are_compared_by_command(run: Run, database: Database) -> None:
    with database.write() as tx:
        make.make_site(tx, mollie_key_sealed=None)
    refused = run("reconcile", "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stderr)["error"]["code"]
