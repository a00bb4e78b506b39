"""Whether this process lives, and whether it can do its work."""

from flask import Blueprint, Response, jsonify

from linkpay.clock import SystemClock
from linkpay.services import measuring
from linkpay.store import schema
from linkpay.web.edge import edge, parts

bp = Blueprint("health", __name__)
_MACHINE = SystemClock()


@bp.get("/healthz")
def alive() -> Response:
    """The process answers. Asks nothing of anybody else, so that a restart is never asked in vain."""
    return jsonify(status="alive")


@bp.get("/readyz")
def ready() -> Response:
    """200 when the database is reachable and migrated: messages are then kept and nothing is lost.

    Without Redis, workers or a clock work is late: that is told here, and no reason to turn messages away.
    """
    missing = schema.missing(parts().database)
    answer = jsonify(
        status="behind" if missing else "ready",
        database="behind" if missing else "ok",
        missing_migrations=missing,
        redis="ok" if edge().redis_answers() else "degraded",
        worker=_worker(),
        clock="unknown" if missing else _clock(),
    )
    answer.status_code = 503 if missing else 200
    return answer


def _worker() -> str:
    listening = edge().workers_listening()
    if listening is None:
        return "unknown"
    return "ok" if listening else "silent"


def _clock() -> str:
    with parts().database.read() as tx:
        return "ok" if measuring.clock_answers(tx, _MACHINE.now()) else "silent"
