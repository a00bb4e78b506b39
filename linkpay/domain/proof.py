"""Proving an account or card when there is nothing to pay: the first payment still makes a mandate.

Mollie takes a first payment of nothing only by card and PayPal; a bank account is proven by the least
that its method takes (Mollie: recurring payments, and the minimum amounts of methods).
"""

from collections.abc import Sequence

from linkpay.domain.pricing import Line, LineKind, total

CARD = "creditcard"
#: What each method asks for a proof, in cents, in the order in which buyers are shown them.
PROOF_CENTS = {"ideal": 1, "bancontact": 2, CARD: 0}


def check_line(method: str) -> Line | None:
    """The line that proves an account by `method`; None where nothing needs to be asked.

    It carries no VAT: nothing is sold for it, and it comes back.
    """
    cents = PROOF_CENTS[method]
    return Line(LineKind.CHECK, cents, 0, method) if cents else None


def method_of(lines: Sequence[Line]) -> str | None:
    """The one method by which a first payment of these lines can be made; None: as the buyer likes."""
    checks = [line.text for line in lines if line.kind is LineKind.CHECK]
    if checks:
        return checks[0]
    return CARD if total(lines) == 0 else None


def check_cents(lines: Sequence[Line]) -> int:
    """What of the lines only proves an account and so is the payer's own."""
    return total(line for line in lines if line.kind is LineKind.CHECK)


def only_checks(lines: Sequence[Line]) -> bool:
    """Whether nothing is asked for but the proof of an account, whatever was taken off."""
    return bool(lines) and total(line for line in lines if line.kind is not LineKind.CHECK) == 0
