"""``reseal``: older keys can go, but not for backups made before."""

import json

from linkpay.store.db import Database
from tests import builders as make
from tests.cli.conftest import Run


def test_secrets_are_sealed_anew_and_old_backups_still_need_the_old_key(run: Run, database: Database) -> None:
    with database.write() as tx:
        make.make_site(tx)
    done = run("reseal")
    assert done.exit_code == 0, done.output
    said = " ".join(done.stdout.split())
    assert "for as long as you keep backups made before" in said
    assert json.loads(run("reseal", "--json").stdout) == {"sealed": 1}
