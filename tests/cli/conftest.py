"""Commands run in this process, as a terminal would run them."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from linkpay import bootstrap
from linkpay.cli.main import main
from linkpay.clock import ManualClock
from tests import builders as make
from tests.cli.town import Town, environ
from tests.store_fixtures import Databases

Run = Callable[..., Result]


def run_with(settings: dict[str, str]) -> Run:
    """Runs ``python -m linkpay <words>`` with these settings; what was not caught fails the test."""

    def run(*words: str, **changed: str) -> Result:
        given = {"COLUMNS": "100", **settings, **changed}
        # SystemExit is how commands end; anything else that escapes would be a traceback.
        return CliRunner().invoke(main, words, env=given, catch_exceptions=False)

    return run


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands over this test's own migrated database, at `make.NOW`: midnight falls in no test."""
    monkeypatch.setattr(bootstrap, "SystemClock", lambda: ManualClock(make.NOW))
    return run_with(environ(database_url))


@pytest.fixture(scope="module")
def town(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One running LinkPay for the tests of a module; each uses people of its own."""
    url = databases.migrated()
    running = Town(tmp_path_factory.mktemp("town"), url)
    yield running
    running.close()
    databases.drop(url)


@pytest.fixture
def run_in_town(town: Town) -> Iterator[Run]:
    """Commands over the running LinkPay, which has its worker again afterwards."""
    yield run_with(town.environ)
    town.hire()
