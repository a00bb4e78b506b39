"""VAT numbers: what was mistyped is caught, what may exist is taken."""

import pytest

from linkpay.domain.vat import normalise


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("NL004495445B01", "NL004495445B01"),  # by the eleven-check
        ("nl 0044.95.445 B01", "NL004495445B01"),
        ("NL002455799B11", "NL002455799B11"),  # a sole trader's, by the check of bank accounts
        ("BE0428759497", "BE0428759497"),
        ("BE 0428.759.497", "BE0428759497"),
        ("DE 123456789", "DE123456789"),
        ("FRXX123456789", "FRXX123456789"),
        ("NL004495446B01", None),
        ("BE0428759498", None),
        ("US123456789", None),
        ("NL", None),
        ("", None),
        ("004495445B01", None),
    ],
)
def test_shape_and_check_digits(typed: str, kept: str | None) -> None:
    assert normalise(typed) == kept
