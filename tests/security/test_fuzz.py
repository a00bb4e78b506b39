"""The API, asked by a machine that read its contract: what it allows, and what it does not."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.openapi import from_wsgi
from schemathesis.schemas import BaseSchema

from linkpay.store import owners
from tests.flows.stage import Stage
from tests.web.api.test_api import key_of

Seen = Counter[tuple[str, int]]


@pytest.fixture
def schema(app: Flask, stage: Stage) -> BaseSchema:
    """The contract as it is served, with two members and a key that may write."""
    stage.buy("anna@example.com")
    stage.buy("bea@example.com", "terms")
    config = SchemathesisConfig.from_dict(
        {
            "auth": {"openapi": {"key": {"bearer": key_of(stage)}}},
            "generation": {"with-security-parameters": False},
        }
    )
    return from_wsgi("/api/v1/openapi.json", app, config=config)


@pytest.fixture
def many(pytestconfig: pytest.Config) -> settings:
    """So many examples, other ones each time; a failure prints the seed that brings it back."""
    count: int = pytestconfig.getoption("--fuzz")
    return settings(
        max_examples=count, stateful_step_count=8, database=None, suppress_health_check=list(HealthCheck)
    )


def forget_guesses(stage: Stage) -> None:
    """Some checks ask with a wrong key; so many guesses at once would be slowed down."""
    with stage.database.write() as tx:
        owners.forget_attempts(tx, stage.clock.now() + timedelta(seconds=1))


def _asks_for_an_id(case: Case[Any]) -> bool:
    right = case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE
    return right and "id" in case.path_parameters


@pytest.mark.timeout(3_600)
def test_every_operation_answers_as_the_contract_says(
    schema: BaseSchema, stage: Stage, many: settings
) -> None:
    """No 500, no answer that the contract does not know, nothing wrong taken and nothing right refused."""
    seen: Seen = Counter()

    def ask(case: Case[Any]) -> None:
        forget_guesses(stage)
        if sum(seen.values()) % 2 and _asks_for_an_id(case):
            case.path_parameters = {"id": 1}  # one that is there, or all would be 404
        answer = case.call()
        seen[case.operation.label, answer.status_code] += 1
        case.validate_response(answer)

    operations = [schema[path][method] for path in schema for method in schema[path]]
    for operation in operations:
        # Without parameters there is nothing to get wrong.
        modes = GenerationMode if any(operation.iter_parameters()) else [GenerationMode.POSITIVE]
        for mode in modes:
            many(given(operation.as_strategy(generation_mode=mode))(ask))()
        edges = schema.iter_coverage_cases(
            operation, generation_modes=list(GenerationMode), generation_config=schema.config.generation
        )
        for case in edges:
            ask(case)
    assert len(operations) == 13
    assert {name for name, status in seen if status == 200} == {one.label for one in operations}
    assert {status for _, status in seen} >= {401, 404, 405, 422}


@pytest.mark.timeout(3_600)
def test_operations_one_after_the_other_answer_as_the_contract_says(
    schema: BaseSchema, stage: Stage, many: settings
) -> None:
    """Walks along the contract's links: a list, what it names, a cancellation, the same taken back."""
    seen: Seen = Counter()

    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        def before_call(self, case: Case[Any]) -> None:
            forget_guesses(stage)

        def after_call(self, response: Response, case: Case[Any]) -> None:
            seen[case.operation.label, response.status_code] += 1

    for _ in range(20):  # a few short walks may all have gone where no link is
        Walk.run(settings=many)
        if any("{id}" in name for name, status in seen if status == 200):
            return
    raise AssertionError("no link was followed")
