"""The form of an offer: what the owner typed, checked against Kajabi's addresses."""

from dataclasses import dataclass

from linkpay.errors import InputError
from linkpay.ports import AccessProvider
from linkpay.services.specs import OfferFacts
from linkpay.store import sites
from linkpay.store.secrets import SealBroken
from linkpay.store.tables import Offer
from linkpay.web.edge import parts
from linkpay.web.i18n import gettext as _
from linkpay.web.owner.typed import Sheet

#: An offer's addresses as they are now: activation, deactivation.
Had = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed, while the offer has no name in addresses yet."""

    title: str
    kajabi_offer_id: str | None
    activation_url: str
    deactivation_url: str
    course_url: str | None

    def named(self, slug: str) -> OfferFacts:
        """All of it under a name."""
        return OfferFacts(
            slug=slug, title=self.title, kajabi_offer_id=self.kajabi_offer_id,
            activation_url=self.activation_url, deactivation_url=self.deactivation_url,
            course_url=self.course_url,
        )  # fmt: skip


def filled(offer: Offer) -> Sheet:
    """The form as the offer stands, without its secrets."""
    return Sheet(
        {
            "title": offer.title,
            "kajabi_offer_id": offer.kajabi_offer_id or "",
            "course_url": offer.course_url or "",
        }
    )


def read(sheet: Sheet, kajabi: AccessProvider, had: Had = (None, None)) -> Wanted:
    """What was typed. `had` stands in for addresses that were left empty."""
    title = sheet.text("title", needed=_("Give it a title, as buyers will read it."))
    number = sheet.text("kajabi_offer_id", most=40)
    if number and not number.isdecimal():
        sheet.wrong("kajabi_offer_id", _("The number of an offer at Kajabi has digits only."))
    course = sheet.web_address("course_url")
    activation = sheet.value("activation_url") or had[0] or ""
    deactivation = sheet.value("deactivation_url") or had[1] or ""
    if not activation:
        sheet.wrong("activation_url", _("Paste the activation address of the offer in Kajabi."))
    if not deactivation:
        sheet.wrong("deactivation_url", _("Paste the deactivation address of the offer in Kajabi."))
    if activation and deactivation:
        _check(sheet, kajabi, activation, deactivation)
    return Wanted(title, number or None, activation, deactivation, course)


def _check(sheet: Sheet, kajabi: AccessProvider, activation: str, deactivation: str) -> None:
    """Both addresses, each for itself, then as a pair."""
    for name, url, grant in (("activation_url", activation, True), ("deactivation_url", deactivation, False)):
        try:
            kajabi.check_url(url, grant=grant)
        except InputError as refused:
            sheet.wrong(name, said(refused.code))
    if not sheet.problem("activation_url") and not sheet.problem("deactivation_url"):
        try:
            kajabi.check_pair(activation, deactivation)
        except InputError as refused:
            sheet.wrong("deactivation_url", said(refused.code))


def said(code: str) -> str:
    """What is wrong with an address, in the page's language."""
    words = {
        "kajabi_url_characters": _("This is not an offer address: it holds odd characters."),
        "kajabi_url_shape": _("This is not a web address that starts with https://."),
        "kajabi_url_path": _(
            "Copy the whole address from Kajabi: it ends in /webhooks/offers/.../activate or /deactivate."
        ),
        "kajabi_url_query": _("Leave out what follows the question mark."),
        "kajabi_url_action": _("This is the other address: activate and deactivate are swapped."),
        "kajabi_urls_differ": _("These two addresses belong to different offers."),
        "kajabi_url_host": _("This is not one of Kajabi's addresses."),
        "kajabi_url_scheme": _("This is not a web address that starts with https://."),
    }
    return words.get(code, _("Copy both addresses again from the offer's page in Kajabi."))


def refused(sheet: Sheet, problem: InputError) -> Sheet:
    """The form with what the database already has."""
    if problem.code != "kajabi_offer_taken":
        raise problem
    sheet.wrong("kajabi_offer_id", _("Another offer of this site has this number already."))
    return sheet


def masked(offer: Offer | None) -> Had:
    """Both addresses without their secret, to tell one offer from another."""
    if offer is None:
        return None, None
    return _masked(offer, grant=True), _masked(offer, grant=False)


def _masked(offer: Offer, *, grant: bool) -> str | None:
    try:
        url = sites.kajabi_url(offer, parts().box, grant=grant)
    except SealBroken:
        return "***"
    return None if url is None else parts().access.mask_url(url)
