"""The commands of ``python -m linkpay``."""

import click

from linkpay.cli.doctor import doctor
from linkpay.cli.members import members
from linkpay.cli.migrate import migrate
from linkpay.cli.replay import replay
from linkpay.cli.timeline import timeline


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Monthly payments through Mollie whose Kajabi access follows the money by itself."""


for command in (doctor, members, migrate, replay, timeline):
    main.add_command(command)
