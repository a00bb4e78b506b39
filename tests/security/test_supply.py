"""What is installed is what was looked at: every requirement pinned, every file known by its hash."""

import re
from pathlib import Path

import pytest

from config.environment import ROOT

LOCKS = [ROOT / "requirements.txt", *sorted((ROOT / "config").glob("requirements-*.txt"))]
_PIN = re.compile(r"^([a-z0-9._-]+)==(\S+?)(?: ;.*)? \\$", re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_its_hashes(lock: Path) -> None:
    blocks = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", lock.read_text(), flags=re.MULTILINE).strip())
    assert len(blocks) > 15
    for block in blocks:
        assert _PIN.match(block), block.splitlines()[0]
        hashes = re.findall(r"--hash=(\w+):([0-9a-f]+)", block)
        assert hashes, block.splitlines()[0]
        assert {name for name, _ in hashes} == {"sha256"}
        assert {len(value) for _, value in hashes} == {64}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_nothing_comes_from_anywhere_else(lock: Path) -> None:
    text = lock.read_text()
    for word in ("http://", "https://", "git+", "--index-url", "--extra-index-url", "--find-links", "file:"):
        assert word not in text, word


def test_installing_asks_for_the_hashes() -> None:
    assert "--require-hashes" in (ROOT / "Makefile").read_text()
    assert "--require-hashes" in (ROOT / "README.md").read_text()
