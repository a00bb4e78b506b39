"""A figure beside its floor of the same run, the table of all, and what moved since the recorded run."""

import json
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from linkpay.clock import SystemClock
from tests.bench.figures import machine_line, say

ROOT = Path(__file__).parents[2]
#: The run that later ones are compared with; `--record` writes it.
RECORDED = ROOT / "docs" / "benchmarks.json"
LATEST = ROOT / "var" / "benchmarks.json"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured several times in one run, and its floor measured between the same times.

    `goal` is in words; `reached` says whether this run reached it, None where there is no goal.
    """

    part: str
    name: str
    unit: str
    values: Sequence[float]
    floor: Sequence[float] = ()
    floor_name: str = ""
    goal: str = ""
    reached: bool | None = None

    @property
    def middle(self) -> float:
        return float(median(self.values)) if self.values else 0.0

    @property
    def ratio(self) -> float | None:
        """This figure over its floor."""
        return self.middle / float(median(self.floor)) if self.floor and median(self.floor) else None

    def as_json(self) -> dict[str, Any]:
        return {
            "part": self.part, "name": self.name, "unit": self.unit, "median": round(self.middle, 3),
            "lowest": round(min(self.values, default=0), 3), "highest": round(max(self.values, default=0), 3),
            "runs": len(self.values), "floor": self.floor_name or None,
            "floor_median": round(float(median(self.floor)), 3) if self.floor else None,
            "ratio": None if self.ratio is None else round(self.ratio, 3),
            "goal": self.goal or None, "reached": self.reached,
        }  # fmt: skip


def _moved(figure: Figure, recorded: dict[tuple[str, str], dict[str, Any]]) -> str:
    """How far its ratio, or without a floor its median, is from the recorded run, if more than the noise."""
    before = recorded.get((figure.part, figure.name))
    if before is None:
        return "new"
    now, then = (
        (figure.ratio, before["ratio"]) if figure.ratio is not None else (figure.middle, before["median"])
    )
    if not now or not then:
        return ""
    noise = (before["highest"] - before["lowest"]) / (2 * before["median"]) if before["median"] else 0.0
    share = now / then - 1
    return f"{share:+.0%}" if abs(share) > max(0.15, noise) else ""


def print_table(figures: Iterable[Figure]) -> None:
    """One line per figure."""
    recorded: dict[tuple[str, str], dict[str, Any]] = {}
    if RECORDED.exists():
        lines = json.loads(RECORDED.read_text())["figures"]
        recorded = {(line["part"], line["name"]): line for line in lines}
    say(
        f"\n{'figure':<52}{'median':>10}{'lowest':>10}{'highest':>10}  {'unit':<8}{'x floor':>8}  goal, moved"
    )
    for one in figures:
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        reached = {True: "reached", False: "MISSED", None: ""}[one.reached]
        said = " ".join(word for word in (one.goal, reached, _moved(one, recorded)) if word)
        say(
            f"{f'{one.part}: {one.name}':<52}{one.middle:>10.1f}{min(one.values, default=0):>10.1f}"
            f"{max(one.values, default=0):>10.1f}  {one.unit:<8}{ratio:>8}  {said}"
        )


def write_json(figures: Iterable[Figure], path: Path, *, keep_others: bool = False) -> None:
    """The same for machines, with where and on what it was measured.

    `keep_others` leaves the figures of parts there that were not measured now, each with its own commit.
    """
    commit = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    made = [{**one.as_json(), "commit": commit} for one in figures]
    if keep_others and path.exists():
        parts = {one["part"] for one in made}
        made = [one for one in json.loads(path.read_text())["figures"] if one["part"] not in parts] + made
    whole = {
        "at": SystemClock().now().isoformat(timespec="seconds"), "commit": commit, "machine": machine_line(),
        "figures": made,
    }  # fmt: skip
    path.write_text(json.dumps(whole, indent=1) + "\n")
    say(f"written to {path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}")
