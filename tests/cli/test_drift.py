"""``drift``: the comparison with Kajabi, begun and shown by command, over a whole running LinkPay."""

import json
from typing import Any

from linkpay.store.tables import Site
from tests.cli.conftest import Run
from tests.cli.town import Town
from tests.waiting import eventually


def said(run: Run, *words: str) -> Any:
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_site_is_connected_compared_and_judged(run_in_town: Run, town: Town) -> None:
    said(run_in_town, "demo")
    refused = run_in_town("drift", "--json")
    assert json.loads(refused.stderr)["error"]["code"] == "not_connected"
    theirs: Any = town.control("GET", "kajabi/sites")
    with town.parts.database.write() as tx:
        site = tx.query(Site).one()
        site.kajabi_site_id, site.kajabi_client_id = theirs[0]["id"], theirs[0]["client_id"]
        secret = theirs[0]["client_secret"]
        site.kajabi_client_secret_sealed = town.parts.box.seal(site.id, "kajabi_client_secret", secret)
    said(run_in_town, "buy", "--plan", "once", "--email", "anna@example.com")
    said(run_in_town, "drift", "--now")
    reports = finished(run_in_town)
    assert sum(report["holders"] for report in reports) == 1
    assert not any(report["strangers"] or report["found"] for report in reports)
    assert "all is as it should be" in run_in_town("drift").stdout
    findings = json.loads(run_in_town("doctor", "--json").stdout)["findings"]
    (api,) = [one for one in findings if one["check"].startswith("kajabi api")]
    assert api["level"] == "ok"


def finished(run: Run) -> Any:
    """The reports, once the comparison has come to its end."""

    def is_finished() -> bool:
        reports = said(run, "drift")
        return any(one["holders"] for one in reports) and all(one["finished_at"] for one in reports)

    eventually(is_finished)
    return said(run, "drift")
