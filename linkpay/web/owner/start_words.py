"""The words of the guided set-up and of the rehearsal: what was found, and how to mend it where."""

from dataclasses import dataclass

from linkpay.domain.money import Money
from linkpay.services.checkup import Found, Level
from linkpay.services.formats import day_text, money_text
from linkpay.services.guide import Guide
from linkpay.services.rehearsal import Kind, Moment, Scene
from linkpay.web.i18n import gettext as _
from linkpay.web.i18n import locale, ngettext
from linkpay.web.owner.offer_form import said as kajabi_said

_MOLLIE = "https://my.mollie.com/dashboard"
_NAMES = {
    "ideal": "iDEAL", "bancontact": "Bancontact", "creditcard": "Card", "applepay": "Apple Pay",
    "paypal": "PayPal", "belfius": "Belfius", "kbc": "KBC/CBC", "eps": "EPS", "trustly": "Trustly",
    "paybybank": "Pay by Bank", "directdebit": "SEPA", "mybank": "MyBank",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was looked at. `mend` is empty when all is well; `link` leads to the place outside."""

    title: str
    level: Level
    said: str
    mend: str = ""
    link: str = ""
    place: str = ""


def steps(guide: Guide) -> dict[str, list[Step]]:
    """What was found, under the parts of the set-up."""
    return {
        "mollie": [mollie(guide.mollie), webhook(guide.webhook)],
        "offers": [kajabi(offer.title, found) for offer, found in guide.offers],
    }


def methods(names: tuple[str, ...]) -> str:
    """Methods as people call them."""
    return ", ".join(_("Card") if name == "creditcard" else _NAMES.get(name, name) for name in names)


def mollie(found: Found) -> Step:
    """What the key can do."""
    developers, settings = f"{_MOLLIE}/developers/api-keys", f"{_MOLLIE}/settings/profiles"
    title, ways = _("Mollie key"), methods(found.methods)
    again = _("Copy the key from Mollie (Developers, API keys) and keep it under Settings.")
    match found.code:
        case "works" if found.facts["mode"] == "test":
            said = _(
                "The key works, for trying out: no real money moves. A mandate can begin by %(ways)s.",
                ways=ways,
            )
            return Step(title, Level.OK, said)
        case "works":
            said = _("The key works, for real money. A mandate can begin by %(ways)s.", ways=ways)
            return Step(title, Level.OK, said)
        case "no_key":
            return Step(title, Level.BAD, _("There is no key yet."), again, developers, "Mollie")
        case "refused" | "sealed" | "other_mode":
            return Step(title, Level.BAD, _("Mollie does not take the key."), again, developers, "Mollie")
        case "no_first":
            said = _("No method can begin a mandate.")
            mend = _(
                "Switch on iDEAL, Bancontact or cards, and SEPA direct debit: Mollie, Settings, "
                "Website profiles, Payment methods."
            )
            return Step(title, Level.BAD, said, mend, settings, "Mollie")
        case "no_debit":
            said = _("SEPA direct debit is off, so what begins by %(ways)s cannot be collected.", ways=ways)
            mend = _("Switch on SEPA direct debit: Mollie, Settings, Website profiles, Payment methods.")
            return Step(title, Level.BAD, said, mend, settings, "Mollie")
        case "halted":
            said = _("The key works again; collecting goes on with the next payment that is read.")
            return Step(title, Level.WARN, said)
    return Step(title, Level.WARN, _("Mollie did not answer just now."), _("Look again in a minute."))


def webhook(found: Found) -> Step:
    """Whether Mollie reaches us."""
    title = _("Messages of Mollie")
    if found.code == "came":
        return Step(title, Level.OK, _("Mollie has reached LinkPay."))
    said = _(
        "Nothing has come yet. Nothing needs to be filled in at Mollie: it writes to %(address)s.",
        address=found.facts["address"],
    )
    return Step(title, Level.WARN, said, _("Buy once yourself with a test key: the first payment proves it."))


def kajabi(offer: str, found: Found) -> Step:
    """What is known of an offer's addresses."""
    match found.code:
        case "works":
            return Step(offer, Level.OK, _("Both addresses have the right shape and lead to Kajabi."))
        case "shape":
            return Step(offer, Level.BAD, kajabi_said(found.facts["why"]), _where())
        case "missing":
            said = _("An address is missing, so nobody gets or loses access.")
            return Step(offer, Level.BAD, said, _where())
    said = _("The addresses cannot be opened any more; fill them in anew.")
    return Step(offer, Level.BAD, said, _where())


def _where() -> str:
    return _("In Kajabi: Sales, Offers, the offer, the three dots, Webhooks. Paste both under Offers.")


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells the moments of a rehearsal."""

    scene: Scene

    def __call__(self, moment: Moment) -> str:
        """What happens, in a sentence."""
        amount = self._money(moment.cents)
        until = day_text(moment.until, locale()) if moment.until else ""
        match moment.kind:
            case Kind.ORDERED if not moment.cents:
                return _("Anna orders. Nothing is to be paid yet; a cent proves her account.")
            case Kind.ORDERED:
                return _("Anna orders and pays %(amount)s by iDEAL.", amount=amount)
            case Kind.OPENED:
                return _("Her access is open at Kajabi within seconds.")
            case Kind.COLLECTED:
                return _("%(amount)s is collected.", amount=amount)
            case Kind.COLLECTED_OFTEN:
                return ngettext(
                    "%(amount)s is collected once more.",
                    "%(amount)s is collected %(num)s times more, the last on %(until)s.",
                    moment.times, amount=amount, until=until,
                )  # fmt: skip
            case Kind.ASKED:
                return _("%(amount)s is collected. Her bank looks into it; her access stays.", amount=amount)
            case Kind.BOUNCED:
                told = _("The debit bounces: too little on her account.")
                return " ".join([told, *self._otherwise(moment)])
            case _:
                return self._ending(moment, amount)

    def _otherwise(self, moment: Moment) -> list[str]:
        """What would come if she did nothing."""
        days = ", ".join(day_text(day, locale()) for day in moment.tries)
        found = [_("If she did nothing: new debits on %(days)s.", days=days)] if days else []
        until = day_text(moment.until, locale()) if moment.until else ""
        return [*found, _("Unpaid, her access would end on %(until)s.", until=until)]

    def _ending(self, moment: Moment, amount: str) -> str:
        said = {
            Kind.MAILED: _("She gets a mail with a pay link."),
            Kind.PAID_BY_LINK: _(
                "She pays %(amount)s by the link. That renews her mandate as well.", amount=amount
            ),
            Kind.LEFT: _("She cancels in her portal, and gets a mail that says until when she has access."),
            Kind.CLOSED: _("What she paid for is over: her access closes."),
            Kind.ALL_PAID: _("All is paid. Nothing is collected any more, and her access stays."),
            Kind.STILL_IN: _("The year is over and she is still there."),
        }[moment.kind]
        if moment.kind is Kind.LEFT and moment.cents:
            return f"{said} {_('%(amount)s goes back for the days that she leaves unused.', amount=amount)}"
        return said

    def _money(self, cents: int) -> str:
        return money_text(Money(cents, self.scene.terms.amount.currency), locale())
