"""What is chosen to run on a server as well is there: a name that nothing has would leave its tests out."""

import pytest

from config.environment import ROOT
from tests.conftest import ON_A_SERVER


@pytest.mark.parametrize("named", ON_A_SERVER)
def test_it_is_there(named: str) -> None:
    path, _, test = named.partition("::")
    assert (ROOT / path).exists()
    assert not test or f"def {test}" in (ROOT / path).read_text(encoding="utf-8")
