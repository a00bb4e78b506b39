"""The whole web application on a stage of its own: real services, real adapters, sandbox in process."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask, has_app_context

from linkpay.app import create_app
from linkpay.domain.plan import PlanKind
from linkpay.sandbox.inprocess import MOLLIE_HOST, mounted
from linkpay.store.db import Database
from linkpay.store.intake import Intake
from linkpay.store.tables import Offer, Plan, Site
from linkpay.web.edge import Edge
from tests.flows.crash import Boundaries
from tests.flows.stage import Stage
from tests.web.visitor import Visitor

EDGE = Edge("a made-up key that signs nothing real", False, f"http://{MOLLIE_HOST}")


@pytest.fixture
def stage(database: Database) -> Iterator[Stage]:
    made = Stage(database, Boundaries())
    with mounted(made.sandbox):
        made.set_up()
        with made.database.write() as tx:
            site = tx.get_one(Site, made.shop.site_id)
            site.support_email, site.login_url = (
                "hallo@studio.example.com",
                "https://studio.example.com/login",
            )
            solo = Offer(site_id=site.id, slug="solo", title="Retreat", created_at=made.clock.now())
            tx.add(solo)
            tx.flush()
            plan = Plan(site_id=site.id, offer_id=solo.id, slug="solo", title="Membership")
            plan.kind, plan.amount_cents = PlanKind.MEMBERSHIP, 2500
            plan.created_at = made.clock.now()
            tx.add(plan)
        yield made
    made.sandbox.close()


_made: list[Flask] = []


@pytest.fixture
def app(stage: Stage) -> Iterator[Flask]:
    """The application on this stage. Its addresses and templates are made ready once for all tests: that
    takes longer than most of them. A request that was left open would be answered for by all that follow."""
    if not _made:
        _made.append(create_app(stage.parts, EDGE))
    app = _made[0]
    app.extensions["linkpay"], app.extensions["linkpay.intake"] = stage.parts, Intake(stage.database)
    yield app
    assert not has_app_context(), "a request was left open"


@pytest.fixture
def new_visitor(app: Flask) -> Callable[[], Visitor]:
    return lambda: Visitor(app.test_client())


@pytest.fixture
def visitor(new_visitor: Callable[[], Visitor]) -> Visitor:
    return new_visitor()
