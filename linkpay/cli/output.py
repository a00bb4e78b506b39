"""How a command speaks: a table for people or one JSON document for machines, errors on standard error.

Exit codes: 0 when done, 1 when it could not be done or something is wrong, 2 for a command that was
not understood.
"""

import functools
import json
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any, Concatenate, ParamSpec

import click
from rich.console import Console
from rich.text import Text

from linkpay.errors import InputError, LinkPayError, ProviderError, SettingsError
from linkpay.redaction import clean
from linkpay.store.db import STORE_ERRORS

P = ParamSpec("P")


class CommandFailed(LinkPayError):
    """A command could not be done. `code` is stable, the message says what to do about it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Output:
    """Where one command writes. `people` is silent when a machine reads, and `notes` is then, too."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.people = Console(quiet=as_json, highlight=False)
        self.notes = Console(stderr=True, quiet=as_json, highlight=False)

    def document(self, value: object) -> None:
        """Print the one JSON document; silent when people read."""
        if self.as_json:
            click.echo(json.dumps(value, default=_plain, ensure_ascii=False, indent=2))

    def failed(self, code: str, message: str, field: str | None = None) -> None:
        """Say on standard error why the command could not be done."""
        if self.as_json:
            error = {"code": code, "message": message, "field": field}
            click.echo(json.dumps({"error": error}, ensure_ascii=False), err=True)
        else:
            Console(stderr=True, highlight=False, soft_wrap=True).print(
                Text.assemble(("Error: ", "bold red"), message)
            )


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no plain value")


def speaking(command: Callable[Concatenate[Output, P], None]) -> Callable[P, None]:
    """Give a command `--json`, its `Output` as first argument, and errors in one sentence."""

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON document for machines.")
    @functools.wraps(command)
    def spoken(*args: P.args, **kwargs: P.kwargs) -> None:
        output = Output(as_json=bool(kwargs.pop("as_json")))
        try:
            command(output, *args, **kwargs)
        except (LinkPayError, *STORE_ERRORS) as error:
            output.failed(*_said(error))
            click.get_current_context().exit(1)

    return spoken


def _said(error: Exception) -> tuple[str, str, str | None]:
    """(code, message, field) of an error, with nothing secret in it."""
    match error:
        case InputError():
            return error.code, error.message, error.field
        case CommandFailed():
            return error.code, error.message, None
        case SettingsError():
            return "settings", str(error), None
        case ProviderError():
            return "provider", f"An outside system did not do it: {clean(error.detail)}", None
        case LinkPayError():
            return "failed", clean(str(error)), None
    # The text of a database error repeats the statement with its values; the first line names the trouble.
    cause = getattr(error, "orig", None) or error
    first = (str(cause).strip() or type(cause).__name__).splitlines()[0]
    return "database", f"The database did not do it: {clean(first)}. `doctor` looks closer.", None
