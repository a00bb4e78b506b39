"""`python -m linkpay.local`, which is what `make run` calls."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path

from rich.console import Console

from config.environment import ROOT
from config.local import bare_environment, load_local_choices
from linkpay.errors import LinkPayError
from linkpay.local.launcher import Stopped, alone, keep_watch, running, seed, stopped_by_signals
from linkpay.local.places import Places, sandbox_settings, write_env
from linkpay.local.stack import Stack, local_stack
from linkpay.local.summary import show


def main() -> int:
    """Run everything until stopped; 0 after a stop on request, 1 when it cannot run."""
    parser = ArgumentParser(prog="python -m linkpay.local", description="Run LinkPay on this machine.")
    parser.add_argument("--database", help="PostgreSQL address to use; SQLite under var/ when not given")
    options = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    try:
        with stopped_by_signals():
            _run(console, options.database)
    except Stopped:
        console.print("Everything is stopped.")
    except LinkPayError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return 0


def _run(console: Console, database_url: str | None) -> None:
    os.umask(0o077)  # what is kept under var/ is nobody else's business
    places = Places(ROOT / "var")
    places.prepare()
    with alone(places.run):
        stack = _stack(places, database_url)
        console.print("Starting LinkPay")
        with running(stack, console) as supervisor:
            show(console, stack, seed(stack, console), _short(Path(sys.executable)))
            keep_watch(stack, console, supervisor)


def _stack(places: Places, database_url: str | None) -> Stack:
    choices = load_local_choices()
    settings = sandbox_settings(places, choices, database_url)
    write_env(places.env, settings)
    return local_stack(places, choices, {**bare_environment(), "PYTHONUNBUFFERED": "1", **settings})


def _short(python: Path) -> Path:
    """As typed from the checkout, when it lies within."""
    return python.relative_to(ROOT) if python.is_relative_to(ROOT) else python


if __name__ == "__main__":
    sys.exit(main())
