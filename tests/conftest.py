"""Options and fixtures that every test may use."""

import pytest
from hypothesis import settings

pytest_plugins = ["tests.store_fixtures"]

# A shared machine may pause a process at any moment: that is no finding.
settings.register_profile("linkpay", deadline=None)
settings.load_profile("linkpay")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        metavar="URL",
        help="PostgreSQL server to test on, as postgresql://user@host:port/name; SQLite files when not given",
    )
    parser.addoption(
        "--every-boundary", action="store_true", help="kill each story at every boundary, not at every third"
    )
    parser.addoption(
        "--fuzz",
        metavar="N",
        type=int,
        default=4,
        help="examples of each kind for each operation of the API",
    )


#: Left out with --database unless asked for by name: they look at pages, doors, schedules and the finer
#: points of rules, take minutes, and what they use of a database is what the stories use, which run on each.
_ONE_DATABASE_WILL_DO = (
    "tests/browser/", "tests/model/", "tests/processes/test_chaos.py", "tests/security/",
    "tests/services/test_mail_texts.py", "tests/web/test_", "tests/flows/test_catching_up.py",
    "tests/flows/test_debits.py", "tests/flows/test_drift.py", "tests/flows/test_dunning.py",
    "tests/flows/test_forecast.py", "tests/flows/test_leaving.py", "tests/flows/test_mandates.py",
    "tests/flows/test_money_back.py", "tests/flows/test_notices.py", "tests/flows/test_outside.py",
    "tests/flows/test_pausing.py", "tests/flows/test_price_changes.py", "tests/flows/test_reactivation.py",
    "tests/flows/test_renewal.py", "tests/flows/test_switching.py", "tests/flows/test_takeover.py",
)  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest, and with --database leave out what touches none."""
    # Whoever runs in two halves at once never has two sets of processes at work in both.
    items.sort(key=lambda item: not item.nodeid.startswith("tests/processes/"))
    if config.getoption("--database"):
        _leave_out(config, items)


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what touches no database, or would only be the same test again."""
    named = any(
        place.startswith(argument) or place in argument
        for argument in config.args
        for place in _ONE_DATABASE_WILL_DO
        if argument != "tests"
    )
    left_out = {
        item
        for item in items
        if "database_base_url" not in getattr(item, "fixturenames", ())
        or (not named and item.nodeid.startswith(_ONE_DATABASE_WILL_DO))
    }
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def database_base_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The server given with --database, or ``sqlite:///`` and a folder of this session with a slash.

    Tests make their own database below it and remove it.
    """
    given: str | None = request.config.getoption("--database")
    return given or f"sqlite:///{tmp_path_factory.mktemp('databases')}/"
