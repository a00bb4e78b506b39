"""Logs: one event a line, with fields, a correlation id, and no secrets.

Modules log through the standard library: ``logging.getLogger(__name__).info("payment booked",
extra={"payment_id": ...})``. The message is the event; whatever stands in ``extra`` becomes a field.
Every process calls `configure` once. All text passes `linkpay.redaction` on its way out.
"""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from random import getrandbits
from types import TracebackType
from typing import Any, TextIO

from linkpay.redaction import clean, clean_lines, clean_value

_TRACEBACK = 12_000  # characters
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_correlation: ContextVar[str | None] = ContextVar("correlation", default=None)
# Ids of letters alone: what proves to be an account number is hidden in logs, and an id must never be.
_LETTERS = str.maketrans("0123456789abcdef", "bcdfghjkmnpqrstv")


@contextmanager
def correlation(identity: str | None = None) -> Iterator[str]:
    """Mark everything logged inside with `identity` (a new random one when None); yields it.

    The mark follows the code, not the thread: hand `current_correlation()` over to other threads.
    """
    # No secret: to ask the system for chance would let all other threads of a server go first.
    chosen = identity or f"{getrandbits(64):016x}".translate(_LETTERS)
    token = _correlation.set(chosen)
    try:
        yield chosen
    finally:
        _correlation.reset(token)


def current_correlation() -> str | None:
    """The innermost correlation id, or None outside of any."""
    return _correlation.get()


def configure(level: str, *, as_json: bool, stream: TextIO | None = None) -> None:
    """Send all logs of this process, warnings and uncaught errors included, to `stream` (standard error).

    Replaces whatever was configured before, so calling it twice is harmless.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # When a line cannot be written, the library would print its arguments raw to standard error.
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_uncaught_in_thread


class _RedactingFormatter(logging.Formatter):
    """Turns a record into clean parts; the children lay them out."""

    def parts(self, record: logging.LogRecord) -> dict[str, Any]:
        """The line as ordered fields: at (UTC), level, logger, event, correlation, then the extras."""
        fields = {
            clean(name, 100): clean_value(value, name)
            for name, value in vars(record).items()
            if name not in _STANDARD
        }
        message = clean(_message(record))
        parts: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": fields.pop("event", message),
        }
        if parts["event"] != message:
            parts["message"] = message
        if identity := current_correlation():
            parts["correlation"] = clean(identity, 100)
        return {**fields, **parts} if fields.keys() & parts.keys() else {**parts, **fields}

    def trace(self, record: logging.LogRecord) -> list[str]:
        """Traceback and stack as clean lines; empty when there is none."""
        found = [self.formatException(record.exc_info)] if record.exc_info else []
        if record.exc_text and not found:
            found.append(record.exc_text)
        if record.stack_info:
            found.append(record.stack_info)
        return clean_lines("\n".join(found), _TRACEBACK) if found else []


class JsonFormatter(_RedactingFormatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        parts = self.parts(record)
        if trace := self.trace(record):
            parts["traceback"] = "\n".join(trace)
        return json.dumps(parts, ensure_ascii=False, default=str)


class TextFormatter(_RedactingFormatter):
    """``10:15:30.123 info  linkpay.x  event  key=value``, for people; tracebacks are set off by a bar."""

    def format(self, record: logging.LogRecord) -> str:
        parts = self.parts(record)
        at, level, logger, event = (parts.pop(name) for name in ("at", "level", "logger", "event"))
        fields = "".join(f"  {name}={_as_text(value)}" for name, value in parts.items())
        line = f"{at[:23].replace('T', ' ')} {level:<8} {logger}  {event}{fields}"
        return "\n".join((line, *(f"    | {row}" for row in self.trace(record))))


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # the arguments do not fit the text: show both
        return f"{record.msg} {record.args!r}"


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return (
            value
            if value and " " not in value and '"' not in value
            else json.dumps(value, ensure_ascii=False)
        )
    return json.dumps(value, ensure_ascii=False, default=str)


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("linkpay").critical("uncaught error", exc_info=(kind, error, trace))


def _log_uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
        _log_uncaught(args.exc_type, args.exc_value, args.exc_traceback)
