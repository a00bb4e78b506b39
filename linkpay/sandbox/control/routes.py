"""Every control address."""

from linkpay.sandbox.control import kajabi, money, overview
from linkpay.sandbox.control.desk import Handler
from linkpay.sandbox.web import Router

ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/_sandbox/state", overview.state),
    ("POST", "/_sandbox/reset", overview.reset),
    ("GET", "/_sandbox/clock", overview.get_clock),
    ("POST", "/_sandbox/clock", overview.move_clock),
    ("POST", "/_sandbox/organizations/{organization}", overview.change_organization),
    ("POST", "/_sandbox/oauth/clients", overview.add_client),
    ("POST", "/_sandbox/faults", overview.add_fault),
    ("DELETE", "/_sandbox/faults", overview.drop_faults),
    ("POST", "/_sandbox/faults/drop", overview.drop_faults),
    ("GET", "/_sandbox/mail", overview.list_mail),
    ("GET", "/_sandbox/log", overview.list_log),
    ("GET", "/_sandbox/deliveries", overview.list_deliveries),
    ("POST", "/_sandbox/payments/{payment}", money.set_status),
    ("POST", "/_sandbox/payments/{payment}/chargebacks", money.charge_back),
    ("POST", "/_sandbox/payments/{payment}/refunds", money.refund),
    ("POST", "/_sandbox/chargebacks/{chargeback}/reverse", money.reverse_chargeback),
    ("POST", "/_sandbox/refunds/{refund}", money.set_refund),
    ("POST", "/_sandbox/customers/{customer}", money.set_customer_fate),
    ("POST", "/_sandbox/accounts/{iban}", money.set_account_fate),
    ("GET", "/_sandbox/kajabi/sites", kajabi.list_sites),
    ("POST", "/_sandbox/kajabi/sites", kajabi.add_site),
    ("POST", "/_sandbox/kajabi/sites/{site}", kajabi.change_site),
    ("GET", "/_sandbox/kajabi/offers", kajabi.list_offers),
    ("POST", "/_sandbox/kajabi/offers", kajabi.add_offer),
    ("POST", "/_sandbox/kajabi/purchases", kajabi.buy),
    ("POST", "/_sandbox/kajabi/hooks", kajabi.add_hook),
    ("POST", "/_sandbox/kajabi/hooks/{hook}/test", kajabi.test_hook),
    ("POST", "/_sandbox/kajabi/tags", kajabi.add_tag),
    ("POST", "/_sandbox/kajabi/form_submissions", kajabi.submit_form),
    ("GET", "/_sandbox/kajabi/members", kajabi.list_members),
)


def router() -> Router[Handler]:
    """All routes, ready to find."""
    routes = Router[Handler]()
    for method, pattern, handler in ROUTES:
        routes.add(method, pattern, handler)
    return routes
