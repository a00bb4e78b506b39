"""The two rows by which one gets about the desk: what there is, and the pages of where one is.

A page is shown to whom its own route lets in, so that nothing is offered that is then refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask, current_app, request

from linkpay.domain.roles import Right
from linkpay.web.i18n import gettext as _
from linkpay.web.owner import gate


@dataclass(frozen=True, slots=True)
class Place:
    """A page to go to. `is_here` for the page itself, `is_around` for the pages that belong to it."""

    endpoint: str
    name: str
    is_here: bool
    is_around: bool


@dataclass(frozen=True, slots=True)
class Section:
    """Pages that belong together, under a name of their own; the first of them is where it leads."""

    name: str
    places: Sequence[Place]

    @property
    def is_around(self) -> bool:
        """Whether one is on one of its pages."""
        return any(place.is_around for place in self.places)

    @property
    def is_here(self) -> bool:
        """Whether it is one page, and one is on it."""
        return len(self.places) == 1 and self.places[0].is_here


#: Parts of the desk without a place of their own, and the place from which one comes to them.
_WITHIN = {
    "owner_members": "owner_lists.members",
    "owner_acts": "owner_lists.members",
    "owner_plans": "owner_offers.offers",
    "owner_secrets": "owner_settings.show",
}


def _table() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    return (
        (_("Today"), (("owner_today.today", _("Today")),)),
        (_("Attention"), (("owner_attention.show", _("Attention")),)),
        (
            _("Members"),
            (
                ("owner_lists.members", _("Members")),
                ("owner_withdrawals.show", _("Withdrawals")),
                ("owner_bulk.runs", _("Runs")),
            ),
        ),
        (
            _("Offers"),
            (
                ("owner_offers.offers", _("Offers")),
                ("owner_coupons.coupons", _("Coupons")),
                ("owner_rises.decided", _("New prices")),
                ("owner_policies.of_site", _("Policies")),
            ),
        ),
        (_("Money"), (("owner_numbers.show", _("Numbers")), ("owner_books.show", _("Books")))),
        (
            _("Site"),
            (
                ("owner_start.show", _("Set-up")),
                ("owner_settings.show", _("Settings")),
                ("owner_mails.mails", _("Mails")),
                ("owner_colleagues.show", _("Colleagues")),
                ("owner_programs.show", _("Programs")),
                ("owner_log.messages", _("Log")),
                ("owner_audit.show", _("Who did what")),
            ),
        ),
    )


def sections(desk: gate.Desk) -> list[Section]:
    """What somebody may go to on this site, and where she is."""
    found = []
    for name, pages in _table():
        places = [_place(endpoint, text) for endpoint, text in pages if _is_open(desk, endpoint)]
        if places:
            found.append(Section(name, places))
    return found


def _is_open(desk: gate.Desk, endpoint: str) -> bool:
    needs: Right = getattr(current_app.view_functions[endpoint], "needs", Right.MANAGE)
    return desk.may(needs)


def _place(endpoint: str, name: str) -> Place:
    here, part = str(request.endpoint), str(request.blueprint)
    around = _WITHIN.get(part) == endpoint or part == endpoint.partition(".")[0]
    return Place(endpoint, name, here == endpoint, around)


def install(app: Flask) -> None:
    """Let the frame of the desk ask."""
    app.add_template_global(sections, "desk_sections")
