"""The figures of a run: one document for machines, one table for people."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from config.environment import ROOT
from linkpay.cli.buy import rank
from linkpay.clock import SystemClock
from tests.bench.figures import machine_line
from tests.chaos.course import Course
from tests.chaos.judge import Books
from tests.chaos.storms import LIMITS

_SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}


def spread(values: Sequence[float]) -> dict[str, float | int]:
    """Count, median, 99th percentile and largest, rounded to milliseconds."""
    ordered = sorted(values)
    return {"count": len(ordered)} | {
        name: round(rank(ordered, share) or 0.0, 3) for name, share in _SHARES.items()
    }


def document(course: Course, verdict: Mapping[str, Sequence[str]], seed: int, form: str) -> dict[str, Any]:
    """Everything that was counted and measured."""
    books, town = Books(course), course.town
    attempts = [one for delivery in books.deliveries for one in delivery["attempts"]]
    answered = [one["ms"] / 1000 for one in attempts if one["status"] == 200]
    answered += [post.seconds for post in town.posts if post.status == 200]
    promises = {storm.name: storm.promise for storm in course.plan.storms}
    promises |= {"quiet": "N1", "webhook lost": "N3", "outcome unknown": "N5"}
    return {
        **_head(seed, form),
        "database": "SQLite" if town.parts.database.is_sqlite else "PostgreSQL",
        "purchases": len(town.buyers),
        "payments": len(books.payments),
        "webhooks": {
            "sent": len(attempts) + town.webhook_faults["webhook_twice"] + len(town.posts),
            "doubled": town.webhook_faults["webhook_twice"],
            "dropped": town.webhook_faults["webhook_lost"],
            "reordered": town.webhook_faults["webhook_reordered"],
            "posted once more": len(town.posts),
            "not answered": sum(one["status"] != 200 for one in attempts)
            + sum(post.status != 200 for post in town.posts),
        },
        "processes killed": dict(town.kills),
        "line": dict(town.mollie.hits + town.kajabi.hits),
        "provider faults": dict(town.provider_faults),
        "double charges": len(verdict["charged_once"]),
        "acknowledged webhooks lost": len(verdict["nothing_acknowledged_is_lost"]),
        "wrong access at the end": len(verdict["access_follows_money"]),
        "seconds without access though paid": round(sum(course.recovered["paid to granted, all"]), 1),
        "unknown outcomes": {"seen": len(town.unknowns), "still open": len(town.without_an_answer())},
        "webhook answered in": spread(answered),
        "seconds to right": {
            name: spread(values) | {"limit": LIMITS.get(promises.get(name, ""))}
            for name, values in course.recovered.items()
        },
        "stages": {name: round(seconds, 1) for name, seconds in course.stages.items()},
        "findings": [*course.wrong, *(f"{rule}: {one}" for rule, found in verdict.items() for one in found)],
        "rules": {rule: len(found) for rule, found in verdict.items()},
    }


def _head(seed: int, form: str) -> dict[str, Any]:
    return {
        "form": form,
        "at": SystemClock().now().isoformat(timespec="seconds"),
        "commit": _commit(),
        "seed": seed,
        "machine": machine_line(),
    }


def _commit() -> str:
    said = subprocess.run(
        ("git", "describe", "--always", "--dirty"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


def table(figures: Mapping[str, Any]) -> str:
    """The same for people."""
    return "\n".join(_lines(figures))


def _lines(figures: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n{figures['machine']}"
    yield f"{figures['database']}, commit {figures['commit']}, seed {figures['seed']}, {figures['form']} form"
    yield f"\n{'seconds until all is right':<36}{'count':>7}{'p50':>9}{'p99':>9}{'max':>9}{'limit':>9}"
    for name, one in figures["seconds to right"].items():
        limit = f"{one['limit']:>9.0f}" if one["limit"] else f"{'':>9}"
        yield f"{name:<36}{one['count']:>7}{one['p50']:>9.2f}{one['p99']:>9.2f}{one['max']:>9.2f}{limit}"
    one = figures["webhook answered in"]
    shares = "".join(f"{one[share]:>9.3f}" for share in _SHARES)
    yield f"{'webhook answered in':<36}{one['count']:>7}{shares}"
    yield ""
    for name in ("purchases", "payments", "double charges", "acknowledged webhooks lost",
                 "wrong access at the end", "seconds without access though paid"):  # fmt: skip
        yield f"{name:<36}{figures[name]:>7}"
    for name in ("webhooks", "processes killed", "line", "provider faults", "unknown outcomes"):
        yield f"{name}: {_told(figures[name])}"
    yield f"rules broken: {_told(figures['rules'])}"
    yield f"stages, seconds: {_told(figures['stages'])}"
    yield "\n" + "\n".join(f"WRONG: {one}" for one in figures["findings"][:40])
    yield f"{len(figures['findings'])} findings." if figures["findings"] else "Everything is right."


def _told(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {number}" for name, number in Counter(counts).items()) or "none"


def write(figures: Mapping[str, Any], path: Path) -> None:
    """One JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=2, default=str) + "\n")
