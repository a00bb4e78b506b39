"""What the web server runs: ``wsgi:app``."""

from redis import RedisError

from config.settings import Settings, load_settings
from linkpay import logs
from linkpay.adapters.queue import connect, require_room, workers_heard
from linkpay.app import create_app
from linkpay.bootstrap import build, settle_down, tell_outside
from linkpay.web.edge import Edge, checkout_origin

_REDIS_PATIENCE = 0.5  # seconds


def edge_of(settings: Settings) -> Edge:
    """The web layer's own settings."""
    redis = connect(settings.redis_url.get_secret_value(), patience=_REDIS_PATIENCE)

    def redis_answers() -> bool:
        try:
            require_room(redis)
        except RedisError:
            return False
        return True

    def workers_listening() -> int | None:
        try:
            return len(workers_heard(redis))
        except RedisError:
            return None

    token = settings.metrics_token
    return Edge(
        secret_key=settings.secret_key.get_secret_value(),
        secure=settings.base_url.startswith("https://"),
        checkout_origin=None if settings.env == "production" else checkout_origin(settings.mollie_api_url),
        redis_answers=redis_answers,
        workers_listening=workers_listening,
        metrics_token=token.get_secret_value() if token else None,
        proxies=settings.trusted_proxies,
    )


_settings = load_settings()
logs.configure(_settings.log_level, as_json=_settings.logs_as_json)
tell_outside(_settings, "web")
app = create_app(build(_settings), edge_of(_settings))
settle_down()
