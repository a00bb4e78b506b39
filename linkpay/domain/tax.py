"""VAT that prices include. Rates are basis points: 2100 is 21 percent."""

from collections import defaultdict
from collections.abc import Iterable

from linkpay.domain.pricing import Line

_WHOLE = 10_000


def included_cents(gross_cents: int, vat_basis_points: int) -> int:
    """The VAT within a gross amount, rounded half away from zero; negative for what takes off."""
    sign = -1 if gross_cents < 0 else 1
    net, rest = divmod(abs(gross_cents) * _WHOLE, _WHOLE + vat_basis_points)
    net += 2 * rest >= _WHOLE + vat_basis_points
    return sign * (abs(gross_cents) - net)


def by_rate(lines: Iterable[Line]) -> dict[int, tuple[int, int]]:
    """(gross, VAT) in cents for each rate, highest rate first; grosses sum to the lines' total."""
    gross: dict[int, int] = defaultdict(int)
    for line in lines:
        gross[line.vat_basis_points] += line.cents
    return {rate: (gross[rate], included_cents(gross[rate], rate)) for rate in sorted(gross, reverse=True)}
