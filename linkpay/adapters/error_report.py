"""Sentry, where it is wanted: errors of ours, without names, addresses, bodies or secrets of anybody."""

from typing import Any

from linkpay.errors import SettingsError
from linkpay.redaction import clean, clean_value

_MISSING = (
    "SENTRY_DSN is set and the client is not installed:"
    " pip install --require-hashes -r config/requirements-sentry.txt, or remove the setting."
)


def start(dsn: str, process: str, **more: Any) -> None:
    """Report errors to `dsn` from now on; `process` says which of ours this is. Raises SettingsError.

    Nothing about requests, variables or people is sent: what an error needs is where it happened.
    """
    try:
        import sentry_sdk  # noqa: PLC0415 - only who sets it has it
    except ImportError:
        raise SettingsError(_MISSING) from None
    sentry_sdk.init(
        dsn=dsn,
        server_name=process,
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        max_request_body_size="never",
        auto_session_tracking=False,
        traces_sample_rate=None,
        before_send=_without_people,
        **more,
    )


def _without_people(event: Any, _hint: Any) -> Any:
    for part in ("request", "user", "extra", "breadcrumbs", "modules"):
        event.pop(part, None)
    for raised in event.get("exception", {}).get("values", ()):
        raised["value"] = clean(str(raised.get("value", "")))
    if "logentry" in event:
        event["logentry"] = clean_value(event["logentry"])
    return event
