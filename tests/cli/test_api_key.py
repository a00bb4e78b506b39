"""``api-key``: made once, shown once, and gone at once."""

import json

from linkpay.services import api_keys
from linkpay.store.db import Database
from tests import builders as make
from tests.cli.conftest import Run


def test_a_key_is_made_listed_and_revoked(run: Run, database: Database) -> None:
    with database.write() as tx:
        make.make_site(tx)
    made = json.loads(run("api-key", "make", "the  books", "--may-write", "--json").stdout)
    assert (made["name"], made["may_write"]) == ("the  books", True)
    with database.read() as tx:
        found = api_keys.find(tx, made["key"])
        assert found is not None
        assert (found.name, found.may_write) == ("the books", True)
    listed = run("api-key", "list").stdout
    assert "the books" in listed
    assert made["key"] not in listed
    assert run("api-key", "revoke", str(made["number"])).exit_code == 0
    assert json.loads(run("api-key", "list", "--json").stdout)[0]["revoked_at"]
    again = run("api-key", "revoke", str(made["number"]), "--json")
    assert json.loads(again.stderr)["error"]["code"] == "key_unknown"
    with database.read() as tx:
        assert api_keys.find(tx, made["key"]) is None


def test_a_number_that_no_row_can_have_is_refused_in_words(run: Run, database: Database) -> None:
    with database.write() as tx:
        make.make_site(tx)
    refused = run("api-key", "revoke", "9" * 30)
    assert refused.exit_code == 2
    assert "Traceback" not in refused.stderr
    assert "9223372036854775807" in refused.stderr
