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


#: Left out with --database unless asked for by name: they look at pages, doors and schedules, take
#: minutes, and what they use of a database is what the stories use, which run on each.
_ONE_DATABASE_WILL_DO = (
    "tests/browser/", "tests/model/", "tests/processes/test_chaos.py", "tests/security/",
    "tests/services/test_mail_texts.py", "tests/web/test_",
)  # fmt: skip


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest, and with --database leave out what touches none."""
    # Whoever runs in two halves at once never has two sets of processes at work in both.
    items.sort(key=lambda item: not item.nodeid.startswith("tests/processes/"))
    if config.getoption("--database"):
        _leave_out(config, items)


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what touches no database, or would only be the same test again."""
    named = any(place in argument for argument in config.args for place in _ONE_DATABASE_WILL_DO)
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
