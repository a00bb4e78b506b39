"""One take-over for one subscription at Mollie, in a state that there is."""

import pytest
from sqlalchemy.exc import IntegrityError

from linkpay.store import takeovers
from linkpay.store.db import Database, Tx
from linkpay.store.tables import Takeover
from tests import builders as make


def planned(tx: Tx, **values: object) -> Takeover:
    site = make.make_site(tx)
    about = {
        "site_id": site.id, "mollie_customer_id": "cst_1", "mollie_subscription_id": "sub_1",
        "created_at": make.NOW,
    }  # fmt: skip
    row = Takeover(**about | values)
    tx.add(row)
    tx.flush()
    return row


def test_one_takeover_for_one_subscription_at_mollie(database: Database) -> None:
    with database.write() as tx:
        row = planned(tx)
        site_id = row.site_id
    with pytest.raises(IntegrityError, match="mollie_subscription_id"), database.write() as tx:
        planned(tx, site_id=site_id)


def test_putting_it_twice_finds_the_first(database: Database) -> None:
    with database.write() as tx:
        site_id = make.make_site(tx).id
        about = {
            "site_id": site_id, "mollie_customer_id": "cst_1", "mollie_subscription_id": "sub_1",
            "created_at": make.NOW,
        }  # fmt: skip
        first = takeovers.put(tx, **about, state="planned", why="").id
    with database.write() as tx:
        assert takeovers.put(tx, **about, state="canceled", why="").id == first
        assert takeovers.get(tx, first).state == "planned"


def test_a_state_that_there_is_not_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError, match="state"), database.write() as tx:
        planned(tx, state="half")
