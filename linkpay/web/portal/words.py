"""How a subscription stands, said to the person who pays for it."""

from dataclasses import dataclass
from datetime import date, datetime

from linkpay.domain.dunning import ReasonClass, classify
from linkpay.domain.money import Money
from linkpay.domain.subscription import SubscriptionState
from linkpay.services.formats import day_text, moment_text, money_text
from linkpay.services.portal import Account, Holding, Open
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale

S = SubscriptionState

_METHODS = {
    "ideal": "iDEAL", "bancontact": "Bancontact", "paypal": "PayPal", "applepay": "Apple Pay",
    "kbc": "KBC/CBC", "belfius": "Belfius", "eps": "eps",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """`tone` is good, info or bad; `label` a word or two; `reason` a sentence."""

    tone: str
    label: str
    reason: str


def standing(holding: Holding, zone: str) -> Standing:
    """How a subscription stands, and why."""
    failed = next((one for one in holding.open if one.failed and not one.debit_runs), None)
    running = next((one for one in holding.open if one.debit_runs), None)
    match holding.state:
        case S.PENDING:
            return Standing("info", _("Not paid yet"), _("Your order waits for its first payment."))
        case S.TRIALING:
            return Standing("good", _("Trial"), _("You are trying it out."))
        case S.PAST_DUE if failed:
            return Standing("bad", _("Payment open"), _why_open(failed))
        case S.PAST_DUE:
            return Standing("info", _("Payment under way"), _under_way(running))
        case S.SUSPENDED:
            why = _("Your access is closed because an amount is open. It opens again when you pay.")
            return Standing("bad", _("Stopped for now"), why)
        case S.PAUSED:
            until = _until(holding)
            return Standing("info", _("Paused"), until or _("You paused it; nothing is collected."))
        case S.CANCELING:
            return Standing("info", _("Cancelled"), _who_cancelled(holding))
        case S.COMPLETED:
            return Standing("good", _("Paid in full"), _("Everything is paid; nothing more is collected."))
        case S.ENDED if holding.ended_at:
            why = _("It ended on %(day)s.", day=moment_text(holding.ended_at, zone, locale()))
            return Standing("info", _("Ended"), why)
        case S.ENDED:
            return Standing("info", _("Ended"), _("Nothing is collected any more."))
        case _ if running is None and not holding.access:
            why = _("Everything is paid, and yet your access is closed. Ask the seller why.")
            return Standing("bad", _("Running"), why)
        case _:
            why = _under_way(running) if running else _("Everything is paid.")
            return Standing("good", _("Running"), why)


def _who_cancelled(holding: Holding) -> str:
    if holding.cancel_on is None:
        return (
            _("The seller cancelled it. Nothing new is collected.")
            if holding.canceled_by_seller
            else _("You cancelled. Nothing new is collected.")
        )
    last = day(holding.cancel_on)
    if holding.canceled_by_seller:
        return _("The seller cancelled it. It runs up to %(day)s.", day=last)
    return _("You cancelled. It runs up to %(day)s.", day=last)


def _until(holding: Holding) -> str:
    if holding.resume_on is None:
        return ""
    return _("You paused it. It goes on by itself on %(day)s.", day=day(holding.resume_on))


def _under_way(running: Open | None) -> str:
    if running is None:
        return _("Your payment is being processed.")
    return _("%(amount)s is on its way from your bank; you need not do anything.", amount=_money(running))


def _why_open(failed: Open) -> str:
    values = {"amount": _money(failed), "day": day(failed.due_on)}
    match classify(failed.failure_code):
        case ReasonClass.SOFT if failed.failure_code in ("AM04", "insufficient_funds"):
            return _(
                "The collection of %(amount)s of %(day)s failed: your bank says there was too little money.",
                **values,
            )
        case ReasonClass.SOFT:
            return _("The collection of %(amount)s of %(day)s failed.", **values)
        case _:
            return _(
                "The collection of %(amount)s of %(day)s failed, and this account or card cannot be used "
                "for it any more.",
                **values,
            )


def what_next(holding: Holding) -> str:
    """What happens next and when, in a sentence; empty where nothing does."""
    if holding.next_charge_on is None or holding.next_amount is None:
        return ""
    values = {
        "day": day(holding.next_charge_on),
        "amount": money_text(holding.next_amount, locale()),
        "account": account_words(holding.account),
    }
    if holding.next_amount.cents == 0:
        return _("On %(day)s the next period begins; it costs you nothing.", **values)
    if holding.account is None or not holding.account.works:
        return _(
            "On %(day)s %(amount)s is due, and there is no account or card to collect it from.", **values
        )
    return _("On %(day)s %(amount)s is collected from %(account)s.", **values)


def account_words(account: Account | None) -> str:
    """What is charged: "account ending in 1234"."""
    if account is None:
        return _("your account or card")
    is_card = account.method == "creditcard"
    if account.hint is None:
        return _("your card") if is_card else _("your account")
    if is_card:
        return _("your card ending in %(digits)s", digits=account.hint)
    return _("your account ending in %(digits)s", digits=account.hint)


def method_words(method: str | None) -> str:
    """By what way something was paid."""
    match method:
        case None:
            return _("Paid to the seller directly")
        case "directdebit":
            return _("SEPA direct debit")
        case "creditcard":
            return _("Card")
        case _:
            return _METHODS.get(method, method.capitalize())


def rate_words(basis_points: int) -> str:
    """A VAT rate, "21%"; with decimals only where there are any."""
    text = f"{basis_points / 100:.2f}".rstrip("0").rstrip(".")
    return f"{text.replace('.', ',') if locale() == 'nl' else text}%"


def cents(amount_cents: int, like: Money) -> Money:
    """An amount in the currency of another."""
    return Money(amount_cents, like.currency)


def day(when: date) -> str:
    """A day in the page's language."""
    return day_text(when, locale())


def moment(at: datetime, zone: str) -> str:
    """The day of an instant, in the page's language."""
    return moment_text(at, zone, locale())


def _money(open_: Open) -> str:
    return money_text(open_.owed, locale())
