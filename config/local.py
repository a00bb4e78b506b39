"""The few choices that `make run` leaves to the environment: its ports and how much it logs."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, ValidationError

from config.environment import process_environment, resolve
from config.settings import SETTING_NAMES, Port, Threads
from linkpay.errors import SettingsError

_PASSED_ON = ("LOG_LEVEL", "LOG_FORMAT")  # checked by the processes themselves


class LocalChoices(BaseModel):
    """Ports of 127.0.0.1, threads, and log settings to pass on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: Port = 8000
    sandbox_port: Port = 8090
    smtp_port: Port = 8025
    web_threads: Threads = 16
    worker_threads: Threads = 64
    passed_on: dict[str, str] = {}


def load_local_choices(environ: Mapping[str, str] | None = None) -> LocalChoices:
    """Read PORT, SANDBOX_PORT, SMTP_PORT, WEB_THREADS, WORKER_THREADS, LOG_LEVEL and LOG_FORMAT.

    Raises SettingsError. Every other setting of the shell is left out on purpose: `make run` must
    never touch a database that another project's shell happens to name.
    """
    given = process_environment(only_explicit=True) if environ is None else environ
    names = [name.upper() for name in LocalChoices.model_fields if name != "passed_on"]
    values, problems = resolve(given, [*names, *_PASSED_ON])
    passed_on = {name: values.pop(name) for name in _PASSED_ON if name in values}
    try:
        choices = LocalChoices.model_validate(
            {**{name.lower(): text for name, text in values.items()}, "passed_on": passed_on}
        )
    except ValidationError as error:
        problems += [f"{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
    if problems:
        raise SettingsError("\n".join(problems))
    return choices


def bare_environment() -> dict[str, str]:
    """This process's environment without any setting of LinkPay."""
    own = {*SETTING_NAMES, *(f"{name}_FILE" for name in SETTING_NAMES)}
    explicit = process_environment(only_explicit=True)
    return {name: value for name, value in explicit.items() if name not in own}
