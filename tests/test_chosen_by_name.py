"""What is chosen by name is there: a name that nothing has would choose nothing."""

import pytest

from config.environment import ROOT
from tests.conftest import LONGEST, ON_A_SERVER


@pytest.mark.parametrize("named", [*ON_A_SERVER, *LONGEST])
def test_it_is_there(named: str) -> None:
    path, _, test = named.partition("::")
    assert (ROOT / path).exists()
    assert not test or f"def {test}" in (ROOT / path).read_text(encoding="utf-8")
