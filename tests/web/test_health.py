"""What a load balancer and an operator ask."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from linkpay.app import create_app
from linkpay.clock import SystemClock
from linkpay.store.db import Database
from linkpay.web.edge import Edge
from tests.flows.stage import Stage
from tests.web.visitor import Visitor
from workers import clock


def test_a_living_process_says_so_without_asking_anybody(visitor: Visitor) -> None:
    assert visitor.look("/healthz").get_json() == {"status": "alive"}


def test_a_migrated_database_is_ready(visitor: Visitor) -> None:
    answer = visitor.look("/readyz")
    assert answer.status_code == 200
    told = answer.get_json()
    assert told == {"status": "ready", "database": "ok", "missing_migrations": [], "redis": "ok"} | {
        "worker": "unknown",
        "clock": "silent",
    }


def no() -> None:
    """Redis cannot be asked."""


def test_who_works_behind_it_is_told_and_turns_nothing_away(stage: Stage) -> None:
    clock.turn(stage.parts, SystemClock())
    for heard, told in ((2, "ok"), (0, "silent"), (None, "unknown")):
        edge = Edge(
            "a made-up key", False, workers_listening=partial(int, heard) if heard is not None else no
        )
        answer = create_app(stage.parts, edge).test_client().get("/readyz")
        assert (answer.status_code, answer.get_json()["worker"], answer.get_json()["clock"]) == (
            200,
            told,
            "ok",
        )


def test_a_database_that_a_newer_version_migrated_is_served_on(stage: Stage, visitor: Visitor) -> None:
    with stage.database.write() as tx:
        tx.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    answer = visitor.look("/readyz")
    assert (answer.status_code, answer.get_json()["database"]) == (200, "ok")


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
