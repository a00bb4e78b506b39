"""The only place that touches the process environment.

A secret may come from a file (``NAME_FILE`` beside ``NAME``). In a checkout where `make run` has
been used, its settings are found in ``var/env``, so a second shell speaks to the same processes.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCAL_ENV = ROOT / "var" / "env"


def process_environment(local_env: Path = LOCAL_ENV, *, only_explicit: bool = False) -> dict[str, str]:
    """What this process was started with, completed from `local_env` if LINKPAY_ENV is not set.

    What was set explicitly always wins, also a ``NAME_FILE`` over a ``NAME`` in the file.
    """
    explicit = dict(os.environ)
    if only_explicit or "LINKPAY_ENV" in explicit or not local_env.is_file():
        return explicit
    stored = read_env_file(local_env)
    said = {name.removesuffix("_FILE") for name in explicit}
    return {**{name: value for name, value in stored.items() if name not in said}, **explicit}


def read_env_file(path: Path) -> dict[str, str]:
    """Lines of NAME=value; blank lines and lines starting with # do not count; no quoting."""
    pairs = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.partition("=")
        if equals and not name.lstrip().startswith("#"):
            pairs[name.strip()] = value
    return pairs


def resolve(environ: Mapping[str, str], names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Look every name up, directly or through its file; return (values, problems).

    Blank counts as not given. Problems are whole lines that name the setting.
    """
    values: dict[str, str] = {}
    problems: list[str] = []
    for name in names:
        direct, file = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "").strip()
        if direct and file:
            problems.append(f"{name}: given twice, directly and as {name}_FILE; keep one of them")
        elif file:
            _read_into(values, problems, name, Path(file))
        elif direct:
            values[name] = direct
    return values, problems


def _read_into(values: dict[str, str], problems: list[str], name: str, file: Path) -> None:
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        problems.append(f"{name}: {name}_FILE points to {file}, which cannot be read ({reason})")
        return
    if text:
        values[name] = text
    else:
        problems.append(f"{name}: {name}_FILE points to {file}, which is empty")
