"""Make each mistake of the catalogue in a copy and see it caught: ``python -m tests.mutants [NAME ...]``.

Exit status 1 when a mistake goes unnoticed. A NAME is any part of a mistake's name.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from config.environment import ROOT
from tests.bench.figures import say
from tests.mutants.catalogue import CATALOGUE, Mutant

_COPIED = ("linkpay", "workers", "config", "tests", "pyproject.toml", "wsgi.py", "Procfile", "Makefile")
_PATIENCE = 600  # seconds for the tests of one mistake


def main(names: list[str]) -> int:
    """Print one line per mistake."""
    chosen = [one for one in CATALOGUE if not names or any(name in one.name for name in names)]
    missed = []
    for mutant in chosen:
        started = time.monotonic()
        said = _caught(mutant)
        took = time.monotonic() - started
        say(f"{'caught' if said else 'MISSED':<7} {mutant.name:<60} {took:5.1f} s  {said}")
        if not said:
            missed.append(mutant.name)
    say(f"{len(chosen) - len(missed)} of {len(chosen)} caught")
    return 1 if missed else 0


def _caught(mutant: Mutant) -> str:
    """The first test that fails with this mistake; empty when none does."""
    with tempfile.TemporaryDirectory(prefix="mutant") as folder:
        copy = Path(folder)
        for name in _COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.exists():
                shutil.copy(source, copy / name)
        path = copy / mutant.path
        path.write_text(path.read_text().replace(mutant.old, mutant.new))
        command = (
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            "--no-header",
        )
        done = subprocess.run(
            (*command, *mutant.caught_by.split()), cwd=copy, capture_output=True, text=True, check=False,
            timeout=_PATIENCE,
        )  # fmt: skip
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    return failed[0].removeprefix("FAILED ").partition(" - ")[0] if done.returncode == 1 and failed else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
