"""The payment methods of the sandbox: what they can do, their limits and how long a checkout lives.

Abilities and limits: Mollie docs (recurring payments, methods) and recorded answers; limits in euro cents.
"""

from dataclasses import dataclass

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Method:
    """A way to pay. `mandate` is the kind of mandate that a first payment by it makes, if any."""

    id: str
    description: str
    minimum_cents: int
    maximum_cents: int | None
    expires_seconds: int
    mandate: str | None = None
    recurring: bool = False
    zero_first: bool = False
    oneoff: bool = True
    currencies: tuple[str, ...] = ("EUR",)


_CARD_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "AUD", "CAD", "JPY")

METHODS = {
    method.id: method
    for method in (
        Method("ideal", "iDEAL | Wero", 1, 5_000_000, 15 * MINUTE, mandate="directdebit"),
        Method("bancontact", "Bancontact", 2, 5_000_000, HOUR, mandate="directdebit"),
        Method(
            "creditcard",
            "Card",
            1,
            1_000_000,
            30 * MINUTE,
            mandate="creditcard",
            recurring=True,
            zero_first=True,
            currencies=_CARD_CURRENCIES,
        ),
        Method(
            "applepay",
            "Apple Pay",
            1,
            1_000_000,
            30 * MINUTE,
            mandate="creditcard",
            currencies=_CARD_CURRENCIES,
        ),
        Method(
            "paypal",
            "PayPal",
            1,
            None,
            3 * HOUR,
            mandate="paypal",
            recurring=True,
            zero_first=True,
            currencies=_CARD_CURRENCIES,
        ),
        Method("directdebit", "SEPA Direct Debit", 1, 100_000, DAY, recurring=True, oneoff=False),
        Method("banktransfer", "Bank transfer", 1, None, 14 * DAY),
        Method("belfius", "Belfius Pay Button", 1, 5_000_000, HOUR, mandate="directdebit"),
        Method("kbc", "KBC/CBC Payment Button", 1, 5_000_000, HOUR, mandate="directdebit"),
        Method("eps", "eps", 100, 5_000_000, HOUR, mandate="directdebit"),
        Method("mybank", "MyBank", 1, 5_000_000, 45 * MINUTE, mandate="directdebit"),
        Method("przelewy24", "Przelewy24", 1, 1_300_000, HOUR, currencies=("EUR", "PLN")),
        Method("klarna", "Pay with Klarna", 1, 1_000_000, HOUR),
        Method("in3", "iDEAL in3", 5_000, 500_000, HOUR),
        Method("twint", "TWINT", 1, 500_000, HOUR, currencies=("CHF",)),
        Method("trustly", "Trustly", 1, 1_000_000, HOUR),
        Method("paysafecard", "paysafecard", 1, 100_000, HOUR),
        Method("giftcard", "Gift cards", 1, None, HOUR),
    )
}
DEFAULT_EXPIRY_SECONDS = 15 * MINUTE

ALL_IDS = frozenset(METHODS) | frozenset(
    [
        "alma",
        "bacs",
        "bancomatpay",
        "billie",
        "billink",
        "bizum",
        "blik",
        "mbway",
        "mobilepay",
        "multibanco",
        "paybybank",
        "pointofsale",
        "riverty",
        "satispay",
        "swish",
        "vipps",
        "voucher",
    ]
)

ISSUERS = {
    "ideal_ABNANL2A": "ABN AMRO",
    "ideal_ASNBNL21": "ASN Bank",
    "ideal_BUNQNL2A": "bunq",
    "ideal_INGBNL2A": "ING",
    "ideal_KNABNL2H": "Knab",
    "ideal_RABONL2U": "Rabobank",
    "ideal_RBRBNL21": "RegioBank",
    "ideal_SNSBNL2A": "SNS",
    "ideal_TRIONL2U": "Triodos Bank",
}


def fits(method: Method, sequence: str, cents: int | None, currency: str | None) -> bool:
    """Whether a payment of this kind and amount can be made with `method`."""
    if sequence == "first" and method.mandate is None:
        return False
    if sequence == "recurring" and not method.recurring:
        return False
    if sequence == "oneoff" and not method.oneoff:
        return False
    if currency is not None and currency not in method.currencies:
        return False
    if cents is None:
        return True
    if cents == 0:
        return sequence == "first" and method.zero_first
    return cents >= method.minimum_cents and (method.maximum_cents is None or cents <= method.maximum_cents)
