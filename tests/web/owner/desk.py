"""Filling in the forms of the desk as a browser does."""

from werkzeug.test import TestResponse

from linkpay.store.tables import Event
from tests.flows.stage import Stage
from tests.web.visitor import Visitor, forms_of


def send(visitor: Visitor, page: str, /, to: str | None = None, **typed: str | None) -> TestResponse:
    """Send the form of a page that leads back to it, or to `to`; None leaves a field out."""
    shown = visitor.look(page)
    assert shown.status_code == 200, shown.status_code
    goal = to or page.partition("?")[0]
    forms = {form.action or page.partition("?")[0]: form for form in forms_of(shown)}
    # A button may send its form elsewhere.
    form = forms.get(goal) or forms[page.partition("?")[0]]
    fields = form.fields | {name: value for name, value in typed.items() if value is not None}
    for name, value in typed.items():
        if value is None:
            fields.pop(name, None)
    return visitor.client.post(goal, data=fields)


def acts(stage: Stage) -> list[str]:
    """What was done to the site by its people, oldest first."""
    with stage.database.read() as tx:
        rows = tx.query(Event).filter(Event.subscription_id.is_(None), Event.member_id.is_(None))
        return [row.kind for row in rows.order_by(Event.id) if row.actor.startswith("owner:")]
