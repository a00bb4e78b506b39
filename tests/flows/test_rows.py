"""Rows that are given back without being read are what the database has."""

from typing import Any

import pytest
from sqlalchemy import select

from linkpay.store import charges, grants, ledger, people
from linkpay.store.db import Tx, insert_row_once
from linkpay.store.tables import Base, Charge, Grant, LedgerEntry, Mandate, Payment
from tests.flows.stage import Stage
from tests.flows.stories import STORIES


def test_a_row_given_back_is_the_one_that_was_written(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: set[type[Base]] = set()

    def compare(tx: Tx, table: type[Base], **values: Any) -> Base | None:
        made = insert_row_once(tx, table, **values)
        if made is not None:
            names = [column.key for column in table.__mapper__.column_attrs]
            columns = [getattr(table, name) for name in names]
            stored = tx.execute(select(*columns).where(table.id == made.id)).one()
            given = [made.__dict__[name] for name in names]
            assert given == list(stored)
            assert [type(value) for value in given] == [type(value) for value in stored]
            compared.add(table)
        return made

    for module in (charges, grants, ledger, people):
        monkeypatch.setattr(module, "insert_row_once", compare)
    STORIES["money taken back"].begin(stage)
    STORIES["money taken back"].go_on(stage)
    assert compared == {Charge, Payment, Mandate, Grant, LedgerEntry}
