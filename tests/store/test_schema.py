"""The migrations build exactly what the models say, and can be undone and done again."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, String, delete, func, inspect, select
from sqlalchemy.exc import IntegrityError

from linkpay.store import schema
from linkpay.store.db import Database
from linkpay.store.tables import Base, LedgerEntry, Site
from tests import builders as make


@pytest.fixture
def empty(empty_database_url: str) -> Database:
    return Database(empty_database_url)


def differences(database: Database) -> list[object]:
    with database.read() as tx:
        context = MigrationContext.configure(tx.connection(), opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def test_models_and_migrations_say_the_same(database: Database) -> None:
    assert differences(database) == []


def test_models_and_migrations_hold_the_same_checks(database: Database) -> None:
    """Alembic compares columns, keys and indexes, but no checks."""
    with database.read() as tx:
        inspector = inspect(tx.connection())
        for table in Base.metadata.sorted_tables:
            said = {str(c.name) for c in table.constraints if isinstance(c, CheckConstraint)}
            assert {c["name"] for c in inspector.get_check_constraints(table.name)} == said, table.name


def test_a_difference_would_be_noticed(database: Database) -> None:
    with database.write() as tx:
        tx.connection().exec_driver_sql("ALTER TABLE owner ADD COLUMN shoe_size INTEGER")
    assert [found[0] for found in differences(database) if isinstance(found, tuple)] == ["remove_column"]


def test_the_migrations_have_one_head() -> None:
    script = ScriptDirectory.from_config(schema._config())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def test_all_can_be_undone_and_done_again(empty: Database) -> None:
    schema.upgrade(empty)
    schema.downgrade(empty, "base")
    assert set(inspect(empty.engine).get_table_names()) <= {"alembic_version"}
    schema.upgrade(empty)
    assert differences(empty) == []
    empty.dispose()


def test_each_step_can_be_undone_and_done_again(empty: Database) -> None:
    for revision in schema.missing(empty):
        schema.upgrade(empty, revision)
        schema.downgrade(empty, "-1")
        schema.upgrade(empty, revision)
    assert schema.missing(empty) == []
    empty.dispose()


def test_what_is_missing_is_told_oldest_first(empty: Database) -> None:
    everything = schema.missing(empty)
    assert everything[0] == "0001"
    schema.upgrade(empty, everything[0])
    assert schema.missing(empty) == everything[1:]
    schema.upgrade(empty)
    schema.upgrade(empty)
    assert schema.missing(empty) == []
    empty.dispose()


def test_a_table_that_others_point_at_can_be_changed_with_its_rows(database: Database) -> None:
    """SQLite builds the table anew and drops the old one, which foreign keys would forbid."""
    with database.write() as tx:
        make.make_paid_charge(tx)
    with schema.migrating(database) as connection:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("site") as batch:
            batch.alter_column("name", type_=String(200))
    with database.read() as tx:
        assert tx.scalars(select(Site.name)).all() == ["Yoga at home"]
        assert tx.scalar(select(func.count(LedgerEntry.id))) == 1


def test_a_migration_that_leaves_rows_in_the_air_changes_nothing(database: Database) -> None:
    with database.write() as tx:
        make.make_paid_charge(tx)

    def remove_the_site() -> None:
        with schema.migrating(database) as connection:
            connection.execute(delete(Site))

    with pytest.raises((schema.SchemaBroken, IntegrityError)):
        remove_the_site()
    with database.read() as tx:
        assert tx.scalar(select(func.count(Site.id))) == 1


def test_every_tenant_owned_row_names_its_site(database: Database) -> None:
    """Whatever has a site must have one, and it must exist."""
    tenant_free = {"site", "owner", "owner_session", "recovery_code", "attempt", "progress", "counter"}
    for table in Base.metadata.sorted_tables:
        if table.name in tenant_free:
            assert "site_id" not in table.columns
            continue
        assert not table.columns.site_id.nullable, table.name
        assert [key.target_fullname for key in table.columns.site_id.foreign_keys] == ["site.id"], table.name
    with database.read() as tx:
        found = {t for t in inspect(tx.connection()).get_table_names() if t != "alembic_version"}
    assert found == {table.name for table in Base.metadata.sorted_tables}
