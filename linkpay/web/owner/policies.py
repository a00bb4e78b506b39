"""Policies at the desk, of the site and of one plan: each in words with a dated example of what happens."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request

from linkpay.domain.calendar import local_day
from linkpay.domain.roles import Right
from linkpay.services import policy_words, settings, shelf
from linkpay.store import sites
from linkpay.store.tables import Plan
from linkpay.web.edge import parts
from linkpay.web.i18n import locale
from linkpay.web.owner import gate, policy_form
from linkpay.web.owner.offers import by, see
from linkpay.web.owner.typed import Sheet

bp = Blueprint("owner_policies", __name__, url_prefix="/owner")


@dataclass(frozen=True, slots=True)
class Layers:
    """What the site chose, and the plan where the page is about one."""

    site: Mapping[str, Any]
    plan: Plan | None = None

    @property
    def own(self) -> Mapping[str, Any]:
        """The values of the layer that the page is about."""
        return self.plan.policy if self.plan else self.site

    def with_own(self, own: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Both layers as they would be."""
        return (self.site, own) if self.plan else (own, {})


@bp.get("/<slug:site>/policies")
@gate.site_page(Right.SEE)
def of_site(site: str) -> Response:
    """What counts for the whole site, unless a plan differs."""
    return _show(_layers())


@bp.post("/<slug:site>/policies")
@gate.site_page(Right.MANAGE)
def change_site(site: str) -> Response:
    """Keep what was typed, or show first what it would mean."""
    at: gate.Desk = g.desk
    layers, sheet = _layers(), Sheet(request.form)
    own = policy_form.read(sheet)
    if sheet.problems or request.form.get("try"):
        return _show(layers, sheet, own)
    with parts().database.write() as tx:
        settings.choose_policy(tx, sites.get(tx, at.site.id), own, by())
    return see("owner_policies.of_site", kept=1)


@bp.get("/<slug:site>/plans/<int:number>/policies")
@gate.site_page(Right.SEE)
def of_plan(site: str, number: int) -> Response:
    """Where one plan differs from its site."""
    return _show(_layers(number))


@bp.post("/<slug:site>/plans/<int:number>/policies")
@gate.site_page(Right.MANAGE)
def change_plan(site: str, number: int) -> Response:
    """The same for one plan."""
    at: gate.Desk = g.desk
    layers, sheet = _layers(number), Sheet(request.form)
    own = policy_form.read(sheet)
    if sheet.problems or request.form.get("try"):
        return _show(layers, sheet, own)
    with parts().database.write() as tx:
        settings.choose_plan_policy(tx, shelf.plan_of(tx, at.site.id, number), own, by())
    return see("owner_policies.of_plan", number=number, kept=1)


def _layers(number: int | None = None) -> Layers:
    at: gate.Desk = g.desk
    with parts().database.read() as tx:
        plan = shelf.plan_of(tx, at.site.id, number) if number is not None else None
        if plan is not None:
            assert plan.offer  # noqa: S101 - read now, shown when the transaction is over
        return Layers(sites.get(tx, at.site.id).policy, plan)


def _show(layers: Layers, sheet: Sheet | None = None, own: Mapping[str, Any] | None = None) -> Response:
    """Every policy in words: as it would be with what was typed, or as it is."""
    at: gate.Desk = g.desk
    policy, sources = policy_words.effective(*layers.with_own(layers.own if own is None else own))
    today = local_day(parts().clock.now(), at.site.zone)
    said = policy_words.sentences(policy, locale(), on=today, zone=at.site.zone, sources=sources)
    shown = sheet or policy_form.filled(layers.own)
    page = render_template(
        "owner/policies.html", desk=at, plan=layers.plan, sheet=shown,
        groups=[(name, list(group)) for name, group in groupby(said, key=lambda one: one.group)],
        inputs=policy_form.inputs(), filled=shown.filled(), tried=own is not None,
        kept=request.args.get("kept") == "1", sources=policy_words.words(locale(), "sources"),
    )  # fmt: skip
    return make_response(page, 422 if sheet and sheet.problems else 200)
