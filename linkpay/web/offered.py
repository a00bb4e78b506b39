"""What the order page shows for one way to pay: every amount that the visitor's ticks can lead to."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from linkpay.domain.money import Money
from linkpay.domain.proof import PROOF_CENTS
from linkpay.web import prices, wording
from linkpay.web.i18n import gettext as _
from linkpay.web.shop import Choice, Extra, Seller, Shop

_METHODS_NAMED = 6


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be paid now. `classes` name the ticks that it belongs to; the stylesheet knows them."""

    amount: Money
    classes: str


@dataclass(frozen=True, slots=True)
class Offered:
    """One way to pay, in words. `proves` says that an account is proven where nothing is added."""

    choice: Choice
    consent: wording.Consent | None
    start_at_once: str
    lines: tuple[tuple[str, Money], ...]
    dues: tuple[Due, ...]
    later: tuple[tuple[str, Money], ...]
    proves: bool
    pays_by: str = ""

    @property
    def texts(self) -> list[str]:
        """All that is stated about money, to notice when any of it changes."""
        return [
            self.choice.slug,
            prices.price(self.choice.terms),
            *(f"{name} {prices.money(amount)}" for name, amount in self.lines + self.later),
            *(f"{due.classes} {prices.money(due.amount)}" for due in self.dues),
            self.consent.text if self.consent else "",
            self.start_at_once,
        ]

    def kept_text(self, extras: Sequence[Extra], due: Money) -> str:
        """The permission as it is kept: what she read, with the sum that it followed."""
        if self.consent is None:
            return ""
        added = [(extra.line.text, Money(extra.line.cents)) for extra in extras]
        asked = [f"{name} {prices.money(amount)}" for name, amount in (*self.lines, *added)]
        return "\n".join([self.consent.text, *asked, f"{_('To pay now')} {prices.money(due)}"])


def offered(shop: Shop, choice: Choice) -> Offered:
    """One way to pay with everything that is said about it."""
    collector = wording.Collector(shop.seller.name, shop.seller.support_email, choice.policy)
    sold = prices.Sold(choice.title, choice.terms, shop.wish.coupon.upper())
    currency = choice.terms.amount.currency
    proves = choice.quote.due_cents == 0 and choice.terms.needs_mandate
    return Offered(
        choice,
        wording.checkout_consent(collector, choice.terms, choice.quote),
        wording.start_at_once(choice.policy),
        tuple((prices.line_name(line, sold), Money(line.cents, currency)) for line in choice.quote.now),
        tuple(_dues(shop.extras, choice, proves=proves)),
        tuple(prices.later(choice.quote.runs, choice.terms.interval)),
        proves,
        pays_by(shop.seller, goes_on=choice.terms.needs_mandate),
    )


def _dues(extras: Sequence[Extra], choice: Choice, *, proves: bool) -> list[Due]:
    """Every sum that can come out, for each set of extras, and for each method where nothing is due."""
    found = []
    for ticks in product((False, True), repeat=len(extras)):
        names = [f"{'with' if tick else 'without'}-{place}" for place, tick in enumerate(ticks, 1)]
        added = sum(extra.line.cents for extra, tick in zip(extras, ticks, strict=True) if tick)
        cents = choice.quote.due_cents + added
        if cents == 0 and proves:
            for place, proof in enumerate(PROOF_CENTS.values(), 1):
                found.append(Due(Money(proof), " ".join([*names, f"by-{place}"])))
        else:
            found.append(Due(Money(cents), " ".join(names)))
    return found


def due(choice: Choice, extras: Sequence[Extra], method: str) -> Money:
    """What is to be paid now for these extras and this method."""
    cents = choice.quote.due_cents + sum(extra.line.cents for extra in extras)
    if cents == 0 and choice.terms.needs_mandate:
        cents = PROOF_CENTS.get(method, 0)
    return Money(cents, choice.terms.amount.currency)


@dataclass(frozen=True, slots=True)
class Proof:
    """One way to prove an account or card: `place` is the number that the stylesheet knows it by."""

    place: int
    id: str
    name: str
    cents: int


def proofs(seller: Seller) -> list[Proof]:
    """How an account or card can be proven, of what the site's Mollie account offers."""
    known = {method for method, _name in seller.methods.get("first", ())}
    found = [
        Proof(place, method, method_name(method, ""), cents)
        for place, (method, cents) in enumerate(PROOF_CENTS.items(), 1)
    ]
    return [proof for proof in found if proof.id in known] or found


def pays_by(seller: Seller, *, goes_on: bool) -> str:
    """The methods that a buyer will be offered, in Mollie's order and at most six; empty while unknown."""
    offered_now = seller.methods.get("first" if goes_on else "once", ())
    names = [method_name(method, name) for method, name in offered_now[:_METHODS_NAMED]]
    return (
        _("%(list)s or %(last)s", list=", ".join(names[:-1]), last=names[-1]) if names[1:] else "".join(names)
    )


def method_name(method: str, name: str) -> str:
    """What buyers call a method; Mollie's own name for those that we have no word for."""
    return {"ideal": "iDEAL | Wero", "bancontact": "Bancontact", "creditcard": _("card")}.get(method, name)
