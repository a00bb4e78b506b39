"""What a person sees when everything runs: where things are, and what to try next."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from linkpay.local.stack import Stack

_TRY = (
    ("buy a membership", "buy --plan monthly --email you@example.test"),
    ("let a month go by", "clock advance --days 31"),
    ("see who has access", "members"),
)


def show(console: Console, stack: Stack, demo: Mapping[str, Any], python: Path) -> None:
    """Print the addresses that seeding gave, commands to try with `python`, and where the logs are."""
    console.print("\n[bold green]LinkPay runs.[/]\n")
    _print_rows(console, _addresses(stack, demo))
    console.print("\n[bold]Try next[/], in another terminal:\n")
    _print_rows(console, [(what, f"{python} -m linkpay {command}") for what, command in _TRY])
    console.print(f"\nLogs: {stack.places.log}/*.log   Data: {stack.places.var}")
    console.print("[bold]Ctrl-C stops everything[/]; the data stays for the next start.\n")


def _addresses(stack: Stack, demo: Mapping[str, Any]) -> list[tuple[str, str]]:
    seeded = [(_words(name), text) for name, text in demo.items() if _is_address(text) or name == "sign_in"]
    sandbox = f"http://127.0.0.1:{stack.ports['SANDBOX_PORT']}/_sandbox"
    return [*seeded, ("sandbox state", f"{sandbox}/state"), ("sandbox mail", f"{sandbox}/mail")]


def _words(name: str) -> str:
    return name.removesuffix("_url").replace("_", " ")


def _is_address(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _print_rows(console: Console, rows: list[tuple[str, str]]) -> None:
    """Two columns; lines are never broken, so that each can be copied."""
    width = max(len(what) for what, _ in rows)
    for what, text in rows:
        console.print(f"  [dim]{what:<{width}}[/]   [cyan]{escape(text)}[/]", soft_wrap=True)
