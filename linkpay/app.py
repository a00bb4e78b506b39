"""The web application, made from its parts; nothing here reads the environment."""

from flask import Flask

from linkpay.services.parts import Parts
from linkpay.store.intake import Intake
from linkpay.web import (
    addresses,
    bills,
    checkout,
    csrf,
    embed,
    errors,
    headers,
    health,
    home,
    i18n,
    look,
    metrics,
    orders,
    pace,
    trace,
    upsells,
    webhooks,
    withdrawals,
)
from linkpay.web.api import routes as api
from linkpay.web.edge import Edge
from linkpay.web.owner import navigation
from linkpay.web.owner import routes as owner
from linkpay.web.portal import routes as portal

#: The largest thing anybody sends us is a webhook of a few kilobytes.
_MAX_BODY = 64 * 1024
_YEAR = 365 * 24 * 3600


def create_app(parts: Parts, edge: Edge) -> Flask:
    """A WSGI application that serves one database. Makes no connection before it is asked to."""
    app = Flask("linkpay", static_folder="web/static", template_folder="web/templates")
    app.config.update(
        MAX_CONTENT_LENGTH=_MAX_BODY,
        MAX_FORM_MEMORY_SIZE=_MAX_BODY,
        MAX_FORM_PARTS=50,
        SEND_FILE_MAX_AGE_DEFAULT=_YEAR,
    )
    app.extensions["linkpay"] = parts
    app.extensions["linkpay.edge"] = edge
    app.extensions["linkpay.intake"] = Intake(parts.database)
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    trace.install(app)
    pace.install(app, edge.proxies)
    headers.install(app, edge)
    csrf.install(app)
    i18n.install(app)
    addresses.install(app)
    errors.install(app)
    navigation.install(app)
    buying = (checkout.bp, orders.bp, bills.bp, withdrawals.bp, upsells.bp)
    for blueprint in (
        health.bp, metrics.bp, api.bp, home.bp, webhooks.bp, look.bp, embed.bp, *buying,
        *portal.BLUEPRINTS, *owner.BLUEPRINTS,
    ):  # fmt: skip
        app.register_blueprint(blueprint)
    return app
