"""The commands of ``python -m linkpay``. A command imports only what it needs itself."""

from importlib import import_module

import click

_COMMANDS = (
    "access",
    "api-key",
    "attention",
    "backup",
    "buy",
    "clock",
    "debt",
    "demo",
    "doctor",
    "drift",
    "export",
    "forecast",
    "import-csv",
    "import-mollie",
    "mail",
    "member",
    "members",
    "migrate",
    "owner",
    "policies",
    "price-rise",
    "reconcile",
    "refund",
    "replay",
    "reseal",
    "restore",
    "setup",
    "timeline",
    "upsell-link",
)


class _Commands(click.Group):
    """Finds each command in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"linkpay.cli.{name}"), name)
        return command


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
def main() -> None:
    """Monthly payments through Mollie whose Kajabi access follows the money by itself."""
