"""The sixty scenarios by name: each leans on tests that exist."""

import ast
from functools import cache

import pytest

from config.environment import ROOT
from tests.scenarios.catalogue import CATALOGUE, Scenario


@cache
def _tests(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_there_are_sixty_in_order() -> None:
    assert [int(one.name[1:3]) for one in CATALOGUE] == list(range(1, 61))


@pytest.mark.parametrize("scenario", CATALOGUE, ids=lambda one: one.name)
def test_scenario(scenario: Scenario) -> None:
    assert scenario.tests or scenario.proves.startswith("not proven yet")
    for named in scenario.tests.split():
        path, _, test = named.partition("::")
        assert test in _tests(path), f"{scenario.name} leans on {named}, which is gone"


def test_no_more_are_open_than_docs_say() -> None:
    told = (ROOT / "docs/reliability.md").read_text()
    for scenario in CATALOGUE:
        assert scenario.tests or scenario.name in told, (
            f"docs/reliability.md does not say that {scenario.name} is open"
        )
