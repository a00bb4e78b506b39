"""How people get to a checkout: the prefilled link, the code for a Kajabi page, the QR code."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import segno
from flask import g, url_for
from markupsafe import Markup, escape

from linkpay.store.tables import Offer
from linkpay.web.edge import parts
from linkpay.web.forms import tidy
from linkpay.web.owner import gate

_FIELDS = ("plan", "coupon")


@dataclass(frozen=True, slots=True)
class Link:
    """`address` leads to the checkout with what was chosen filled in already."""

    address: str
    chosen: Mapping[str, str]

    @property
    def embed_code(self) -> str:
        """What the owner pastes into a page of Kajabi's."""
        script = f"{parts().base_url}/embed.js"
        return f'<script async src="{script}" data-checkout="{escape(self.address)}"></script>'

    @property
    def in_a_mail(self) -> str:
        """The link as a mail program completes it for each reader."""
        return f"{self.address}{'&' if '?' in self.address else '?'}email=...&name=..."

    @property
    def drawing(self) -> Markup:
        """Its QR code, to stand within a page."""
        code = segno.make(self.address, error="m")
        picture = code.svg_inline(scale=4, border=2, dark="#000", light="#fff", omitsize=True)
        return Markup(picture)  # noqa: S704 - drawn by us


def of(offer: Offer, given: Mapping[str, str]) -> Link:
    """The link to this offer with a plan and a coupon where they are asked for."""
    at: gate.Desk = g.desk
    chosen = {name: tidy(given.get(name, ""))[:60] for name in _FIELDS if given.get(name, "").strip()}
    path = url_for("checkout.buy", site=at.site.slug, offer=offer.slug)
    query = f"?{urlencode(chosen)}" if chosen else ""
    return Link(f"{parts().base_url}{path}{query}", chosen)


def picture(address: str) -> bytes:
    """The QR code as a file of its own."""
    written = io.BytesIO()
    segno.make(address, error="m").save(written, kind="svg", scale=8, border=4, xmldecl=True)
    return written.getvalue()
