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
        "--every-boundary", action="store_true", help="kill each story at every boundary it crosses"
    )
    parser.addoption(
        "--fuzz",
        metavar="N",
        type=int,
        default=4,
        help="examples of each kind for each operation of the API",
    )


#: What a server could do otherwise than a file: the store's own tests, what rests on its locks and rules,
#: each story as it comes, doubled and reordered, real processes, and every page and export once. What is
#: marked as `races` runs there as well. The rest asks both for the same by the same statements.
ON_A_SERVER = (
    "tests/adapters/", "tests/cli/test_backup.py", "tests/cli/test_clock.py", "tests/cli/test_migrate.py",
    "tests/cli/test_replay.py", "tests/flows/test_access.py", "tests/flows/test_cash.py::test_nothing",
    "tests/flows/test_cash.py::test_those", "tests/flows/test_crashes.py", "tests/flows/test_invariants.py",
    "tests/flows/test_kills.py", "tests/flows/test_membership.py", "tests/flows/test_operations.py",
    "tests/flows/test_recovery.py", "tests/flows/test_retention.py",
    "tests/flows/test_stories.py::test_a_story_ends_the_same_in_every_weather", "tests/flows/test_twins.py",
    "tests/flows/test_webhooks.py", "tests/processes/test_purchases.py", "tests/processes/test_renewals.py",
    "tests/scenarios/", "tests/security/test_pages.py", "tests/security/test_races.py",
    "tests/services/test_round_trip.py", "tests/store/", "tests/test_builders.py", "tests/web/api/",
    "tests/web/owner/test_attention.py", "tests/web/owner/test_books.py", "tests/web/owner/test_lists.py",
    "tests/web/owner/test_log.py", "tests/web/owner/test_numbers.py", "tests/web/portal/test_home.py",
    "tests/web/portal/test_person.py", "tests/workers/",
)  # fmt: skip


#: What takes longest begins first: at the end, one process would be busy with it and the others with nothing.
LONGEST = (
    "tests/chaos/test_chaos.py::test_a_short_run",
    "tests/model/test_model.py",
    "tests/store/test_concurrency.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest first, and with --database leave out what a server would not do otherwise."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
    if config.getoption("--database"):
        _leave_out_what_a_server_does_alike(config, items)


def _leave_out_what_a_server_does_alike(config: pytest.Config, items: list[pytest.Item]) -> None:
    # What touches no database, and what is the same on both unless it was asked for.
    asked_for = any(argument.startswith("tests/") for argument in config.invocation_params.args)

    def belongs(item: pytest.Item) -> bool:
        if "database_base_url" not in getattr(item, "fixturenames", ()):
            return False
        return asked_for or item.nodeid.startswith(ON_A_SERVER) or bool(item.get_closest_marker("races"))

    left_out = [item for item in items if not belongs(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if belongs(item)]


@pytest.fixture(scope="session")
def database_base_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The server given with --database, or ``sqlite:///`` and a folder of this session with a slash.

    Tests make their own database below it and remove it.
    """
    given: str | None = request.config.getoption("--database")
    return given or f"sqlite:///{tmp_path_factory.mktemp('databases')}/"
