"""The locked requirements, read: what is installed, in which version, from which files, for which part."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.environment import ROOT

#: Each lock with what needs it; what an earlier one holds belongs to that.
LOCKS = {
    ROOT / "requirements.txt": "product",
    ROOT / "config" / "requirements-sentry.txt": "option",
    ROOT / "config" / "requirements-otel.txt": "option",
    ROOT / "config" / "requirements-local.txt": "development",
    ROOT / "config" / "requirements-dev.txt": "development",
}
_PIN = re.compile(r"^([a-z0-9._-]+)==([^\s;]+)(?: ; (.+?))? \\$", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Pin:
    """One package; `marker` says on which systems alone it is installed."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]


def pins(lock: Path) -> Iterator[Pin]:
    """What one lock holds, in its order."""
    for block in re.split(r"\n(?=[a-z0-9])", lock.read_text()):
        pin = _PIN.search(block)
        if pin is not None:
            yield Pin(pin[1], pin[2], pin[3] or "", tuple(_HASH.findall(block)))
