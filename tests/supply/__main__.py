"""Write the bill of materials: ``python -m tests.supply [FILE]``, CycloneDX JSON into ``var/bom.json``."""

import sys
from pathlib import Path

from config.environment import ROOT
from tests.bench.figures import say
from tests.supply import bom


def main(words: list[str]) -> None:
    """Say where it is and how much it holds."""
    path = Path(words[0]) if words else ROOT / "var" / "bom.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    made = bom.bill()
    path.write_text(bom.as_json(made), encoding="utf-8")
    say(f"{len(made.components)} packages in {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
