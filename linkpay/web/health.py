"""Whether this process lives, and whether it can do its work."""

from flask import Blueprint, Response, jsonify

from linkpay.store import schema
from linkpay.web.edge import edge, parts

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> Response:
    """The process answers. Asks nothing of anybody else, so that a restart is never asked in vain."""
    return jsonify(status="alive")


@bp.get("/readyz")
def ready() -> Response:
    """200 when the database is reachable and migrated. Without Redis work is late, not lost: degraded."""
    missing = schema.missing(parts().database)
    redis = "ok" if edge().redis_answers() else "degraded"
    answer = jsonify(
        status="behind" if missing else "ready",
        database="behind" if missing else "ok",
        missing_migrations=missing,
        redis=redis,
    )
    answer.status_code = 503 if missing else 200
    return answer
