"""Old and new code on one database: while a version is rolled out, the one before it goes on working."""

from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from linkpay.store import schema
from linkpay.store.db import Database

#: Whatever came before was never rolled out over anything.
FIRST = "0009"
#: "revision: table.column" -> why the version before it lives with that.
EXCEPTIONS = dict.fromkeys(
    (
        "0014: plan.for_business", "0014: site.embed_parents", "0014: site.methods",
        "0014: site.keep_messages_days", "0014: site.keep_mails_days",
    ),
    "came before the first release, and so was never rolled out over a version that works",
)  # fmt: skip


def shape(engine: Engine) -> dict[str, dict[str, Any]]:
    """Every column of every table."""
    found = inspect(engine)
    return {name: {c["name"]: c for c in found.get_columns(name)} for name in found.get_table_names()}


def since_first() -> list[str]:
    script = ScriptDirectory.from_config(schema._config())
    return [step.revision for step in reversed(list(script.walk_revisions(FIRST, "heads")))]


def breaks(old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> list[str]:
    """What code that knows the old shape trips over: what is gone, and what it does not fill in."""
    found = []
    for table, columns in old.items():
        there = new.get(table, {})
        found += [f"{table}.{name}" for name in columns.keys() - there.keys()]
        found += [
            f"{table}.{name}"
            for name in there.keys() - columns.keys()
            if not there[name]["nullable"] and there[name]["default"] is None
        ]
        found += [f"{table}.{n}" for n in columns.keys() & there.keys()
                  if columns[n]["nullable"] and not there[n]["nullable"]]  # fmt: skip
    return found


def test_no_migration_takes_away_what_the_version_before_uses(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    first, *later = since_first()
    schema.upgrade(database, first)
    before, found = shape(database.engine), []
    for revision in later:
        schema.upgrade(database, revision)
        after = shape(database.engine)
        found += [f"{revision}: {what}" for what in breaks(before, after)]
        before = after
    database.dispose()
    assert [what for what in found if what not in EXCEPTIONS] == []
    assert EXCEPTIONS.keys() <= set(found)


@pytest.mark.parametrize(
    ("new", "tells"),
    [
        ({"a": {"x": {"nullable": True, "default": None}}}, []),
        ({"a": {}}, ["a.x"]),
        ({}, ["a.x"]),
        ({"a": {"x": {"nullable": False, "default": None}}}, ["a.x"]),
        ({"a": {"x": {"nullable": True}, "y": {"nullable": False, "default": None}}}, ["a.y"]),
        ({"a": {"x": {"nullable": True}, "y": {"nullable": False, "default": "0"}}}, []),
    ],
)
def test_each_way_to_break_it_is_noticed(new: dict[str, Any], tells: list[str]) -> None:
    assert breaks({"a": {"x": {"nullable": True, "default": None}}}, new) == tells
