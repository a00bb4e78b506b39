"""Every mistake of the catalogue can still be made: its source is there, once, and so is its test."""

import ast

import pytest

from config.environment import ROOT
from tests.mutants.catalogue import CATALOGUE, Mutant


def test_there_are_enough_and_none_twice() -> None:
    assert len(CATALOGUE) >= 21
    assert len({mutant.name for mutant in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("mutant", CATALOGUE, ids=lambda mutant: mutant.name)
def test_it_still_applies(mutant: Mutant) -> None:
    source = (ROOT / mutant.path).read_text()
    assert source.count(mutant.old) == 1, f"{mutant.path} holds it {source.count(mutant.old)} times"
    ast.parse(source.replace(mutant.old, mutant.new))
    for named in mutant.caught_by.split():
        path, _, test = named.partition("::")
        assert (ROOT / path).exists(), named
        assert not test or f"def {test}(" in (ROOT / path).read_text(), named
