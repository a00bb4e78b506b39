"""What a load balancer and an operator ask."""

from dataclasses import replace
from pathlib import Path

from linkpay.app import create_app
from linkpay.store.db import Database
from linkpay.web.edge import Edge
from tests.flows.stage import Stage
from tests.web.visitor import Visitor


def test_a_living_process_says_so_without_asking_anybody(visitor: Visitor) -> None:
    assert visitor.look("/healthz").get_json() == {"status": "alive"}


def test_a_migrated_database_is_ready(visitor: Visitor) -> None:
    answer = visitor.look("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {"status": "ready", "database": "ok", "missing_migrations": [], "redis": "ok"}


def test_without_redis_it_is_ready_and_degraded(stage: Stage) -> None:
    edge = Edge("a made-up key", False, redis_answers=lambda: False)
    answer = create_app(stage.parts, edge).test_client().get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json()["redis"] == "degraded"


def test_a_database_that_is_behind_is_not_ready(stage: Stage, tmp_path: Path) -> None:
    empty = Database(f"sqlite:///{tmp_path}/empty.db")
    answer = (
        create_app(replace(stage.parts, database=empty), Edge("a made-up key", False))
        .test_client()
        .get("/readyz")
    )
    assert answer.status_code == 503
    assert answer.get_json()["missing_migrations"]
    empty.dispose()


def test_a_database_that_is_away_is_not_ready(stage: Stage, tmp_path: Path) -> None:
    gone = Database(f"sqlite:///{tmp_path}/no/such/folder/x.db")
    answer = (
        create_app(replace(stage.parts, database=gone), Edge("a made-up key", False))
        .test_client()
        .get("/readyz")
    )
    assert answer.status_code == 503
    assert answer.get_json()["error"]["code"] == "unavailable"
    assert answer.headers["Retry-After"]
