"""What `MollieProvider` sends and returns, over a real wire."""

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from linkpay.adapters.mollie import MollieProvider
from linkpay.domain.money import Money
from linkpay.domain.snapshots import MandateStatus, Sequence
from linkpay.errors import Missing, Permanent, Retryable
from linkpay.ports import PaymentOrder, PaymentProvider
from tests.adapters.mollie_samples import (
    CHARGEBACK,
    CUSTOMER,
    KEY,
    MANDATE,
    PAYMENT,
    PAYMENT_ID,
    REFUND,
    error,
    page,
)
from tests.adapters.tiny_server import Request, TinyServer, answering, http, serving

CUSTOMER_ID = "cst_tKt44u85MM"
MANDATE_ID = "mdt_h3gAaD5zP"
KEY_OF_ORDER = "6d1c2b0e-9f0a-4c8e-8d57-0f6a0a3d2f11"
FIRST = PaymentOrder(
    idempotency_key=KEY_OF_ORDER,
    amount=Money(5000),
    description="Membership",
    sequence=Sequence.FIRST,
    webhook_url="https://pay.example.com/webhooks/mollie/x",
    customer_id=CUSTOMER_ID,
    redirect_url="https://pay.example.com/return",
    method="ideal",
    locale="nl_NL",
    metadata={"payment": "17"},
)


def query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.target).query))


def path(request: Request) -> str:
    return urlsplit(request.target).path


class Routes:
    """A tiny server that answers by method and path; an answer may depend on the query."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def __call__(self, request: Request, sock: socket.socket) -> None:
        name = f"{request.method} {path(request)}"
        answer = self.answers.get(name, http(404, error(404)))
        sock.sendall(answer(request) if callable(answer) else answer)


def provider_at(server: TinyServer) -> MollieProvider:
    return MollieProvider(server.url)


def test_the_adapter_is_a_payment_provider() -> None:
    provider: PaymentProvider = MollieProvider("https://api.mollie.com")
    assert provider


def test_a_first_payment_is_asked_for_with_our_key_and_nothing_empty() -> None:
    with serving(answering(http(201, PAYMENT))) as server:
        assert provider_at(server).create_payment(KEY, FIRST).id == PAYMENT_ID
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/v2/payments")
    assert request.headers["idempotency-key"] == KEY_OF_ORDER
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.json() == {
        "amount": {"currency": "EUR", "value": "50.00"},
        "description": "Membership",
        "sequenceType": "first",
        "webhookUrl": "https://pay.example.com/webhooks/mollie/x",
        "customerId": CUSTOMER_ID,
        "method": "ideal",
        "redirectUrl": "https://pay.example.com/return",
        "locale": "nl_NL",
        "metadata": {"payment": "17"},
    }


def test_a_recurring_payment_names_its_mandate_or_is_not_sent() -> None:
    order = replace(FIRST, sequence=Sequence.RECURRING, redirect_url=None, mandate_id=MANDATE_ID)
    with serving(answering(http(201, PAYMENT))) as server:
        provider_at(server).create_payment(KEY, order)
        with pytest.raises(Permanent):
            provider_at(server).create_payment(KEY, replace(order, mandate_id=None))
    (request,) = server.requests
    assert request.json()["mandateId"] == MANDATE_ID
    assert "redirectUrl" not in request.json()


def test_long_descriptions_are_cut_where_mollie_cuts() -> None:
    with serving(answering(http(201, PAYMENT))) as server:
        provider_at(server).create_payment(KEY, replace(FIRST, description="é" * 300))
    assert server.requests[0].json()["description"] == "é" * 255


@pytest.mark.parametrize("key", ["", "a b", "line\nbreak", "é", "x" * 256])
def test_money_is_never_asked_for_without_a_sound_idempotency_key(key: str) -> None:
    with serving(answering(http(201, PAYMENT))) as server:
        with pytest.raises(Permanent):
            provider_at(server).create_payment(KEY, replace(FIRST, idempotency_key=key))
        assert not server.requests


def test_this_machine_is_not_described_and_no_cookie_is_kept() -> None:
    answer = http(200, PAYMENT, Set_Cookie="session=abc; Path=/")
    with serving(answering(answer)) as server:
        provider = provider_at(server)
        for _ in range(2):
            provider.fetch_payment(KEY, PAYMENT_ID)
    for request in server.requests:
        assert "x-mollie-client-info" not in request.headers
        assert "cookie" not in request.headers
        assert os.uname().nodename not in str(request.headers)
        assert "LinkPay/1" in request.headers["user-agent"]


def test_a_netrc_file_cannot_replace_the_key(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving(answering(http(200, PAYMENT))) as server:
        provider_at(server).fetch_payment(KEY, PAYMENT_ID)
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_customer_is_made_with_our_key() -> None:
    with serving(answering(http(201, CUSTOMER))) as server:
        made = provider_at(server).create_customer(
            KEY,
            idempotency_key=KEY_OF_ORDER,
            name="Eva",
            email="eva@example.test",
            locale=None,
            metadata={"customer": "3"},
        )
    assert made == CUSTOMER["id"]
    body = server.requests[0].json()
    assert body == {"name": "Eva", "email": "eva@example.test", "metadata": {"customer": "3"}}
    assert server.requests[0].headers["idempotency-key"] == KEY_OF_ORDER


def test_embedded_lists_that_add_up_cost_no_further_call() -> None:
    paid = PAYMENT | {
        "amountRefunded": REFUND["amount"],
        "amountChargedBack": CHARGEBACK["amount"],
        "_embedded": {"refunds": [REFUND], "chargebacks": [CHARGEBACK]},
    }
    with serving(answering(http(200, paid))) as server:
        payment = provider_at(server).fetch_payment(KEY, PAYMENT_ID)
    assert len(payment.refunds) == len(payment.chargebacks) == len(server.requests) == 1
    assert query(server.requests[0]) == {"embed": "refunds,chargebacks"}


def test_embedded_lists_that_were_cut_are_read_in_full() -> None:
    refunds = [REFUND | {"id": f"re_{n}"} for n in range(3)]
    paid = PAYMENT | {
        "amountRefunded": {"value": "17.85", "currency": "EUR"},
        "amountChargedBack": CHARGEBACK["amount"],
        "_embedded": {"refunds": refunds[:1]},
    }
    base = f"/v2/payments/{PAYMENT_ID}"
    routes = Routes(
        **{
            f"GET {base}": http(200, paid),
            f"GET {base}/refunds": http(200, page("refunds", refunds)),
            f"GET {base}/chargebacks": http(200, page("chargebacks", [CHARGEBACK])),
        }
    )
    with serving(routes) as server:
        payment = provider_at(server).fetch_payment(KEY, PAYMENT_ID)
    assert [refund.id for refund in payment.refunds] == ["re_0", "re_1", "re_2"]
    assert [chargeback.id for chargeback in payment.chargebacks] == [CHARGEBACK["id"]]


def test_a_payment_whose_lists_are_not_found_is_not_itself_missing() -> None:
    paid = PAYMENT | {"amountRefunded": REFUND["amount"]}
    with (
        serving(Routes(**{f"GET /v2/payments/{PAYMENT_ID}": http(200, paid)})) as server,
        pytest.raises(Retryable),
    ):
        provider_at(server).fetch_payment(KEY, PAYMENT_ID)


def test_pages_are_followed_by_cursor_and_never_by_link() -> None:
    ids = [f"tr_p{n}" for n in range(7)]

    def answer(request: Request) -> bytes:
        start = ids.index(query(request).get("from", ids[0]))
        shown = [PAYMENT | {"id": name} for name in ids[start : start + 3]]
        following = ids[start + 3] if start + 3 < len(ids) else None
        return http(200, page("payments", shown, following))

    routes = Routes(**{f"GET /v2/customers/{CUSTOMER_ID}/payments": answer, "GET /v2/payments": answer})
    with serving(routes) as server:
        provider = provider_at(server)
        assert [p.id for p in provider.list_customer_payments(KEY, CUSTOMER_ID)] == ids
        assert [query(r) for r in server.requests] == [
            {"limit": "250"},
            {"limit": "250", "from": "tr_p3"},
            {"limit": "250", "from": "tr_p6"},
        ]
        assert [p.id for p in provider.list_payments(KEY, limit=4)] == ids[:4]
        assert list(provider.list_payments(KEY, limit=0)) == []
    assert [query(r)["limit"] for r in server.requests[3:]] == ["4", "1"]


@pytest.mark.parametrize("items", [[], [PAYMENT]])
def test_a_list_that_points_to_itself_ends(items: list[dict[str, Any]]) -> None:
    with serving(answering(http(200, page("payments", items, "tr_again")))) as server:
        with pytest.raises(Retryable):
            provider_at(server).list_customer_payments(KEY, CUSTOMER_ID)
        assert len(server.requests) <= 2


def test_a_list_with_one_unreadable_payment_is_not_taken_for_a_shorter_list() -> None:
    items = [PAYMENT, PAYMENT | {"amount": None}]
    with serving(answering(http(200, page("payments", items)))) as server, pytest.raises(Retryable):
        provider_at(server).list_customer_payments(KEY, CUSTOMER_ID)


def test_refunds_and_chargebacks_of_the_account_come_with_their_payment() -> None:
    routes = Routes(
        **{
            "GET /v2/refunds": http(200, page("refunds", [REFUND])),
            "GET /v2/chargebacks": http(200, page("chargebacks", [CHARGEBACK])),
        }
    )
    with serving(routes) as server:
        provider = provider_at(server)
        ((refunded, refund),) = provider.list_refunds(KEY, limit=10)
        ((reversed_, chargeback),) = provider.list_chargebacks(KEY, limit=10)
    assert refunded == reversed_ == PAYMENT_ID
    assert (refund.amount, chargeback.amount) == (Money(595), Money(5000))


def test_a_refund_is_sent_with_our_key_and_found_in_the_list() -> None:
    def answer(request: Request) -> bytes:
        return http(201, REFUND) if request.method == "POST" else http(200, page("refunds", [REFUND]))

    where = f"/v2/payments/{PAYMENT_ID}/refunds"
    with serving(Routes(**{f"POST {where}": answer, f"GET {where}": answer})) as server:
        provider = provider_at(server)
        sent = provider.refund(
            KEY,
            PAYMENT_ID,
            idempotency_key=KEY_OF_ORDER,
            amount=Money(595),
            description="x" * 200,
            metadata={"refund": "1"},
        )
        assert provider.list_payment_refunds(KEY, PAYMENT_ID) == (sent,)
    request = server.requests[0]
    assert request.headers["idempotency-key"] == KEY_OF_ORDER
    assert request.json() == {
        "amount": {"currency": "EUR", "value": "5.95"},
        "description": "x" * 140,
        "metadata": {"refund": "1"},
    }


def test_a_payment_that_cannot_be_stopped_says_so() -> None:
    refusal = http(422, error(422, "The payment cannot be cancelled"))
    canceled = http(200, PAYMENT | {"status": "canceled"})
    with serving(answering(canceled, refusal)) as server:
        provider = provider_at(server)
        assert provider.cancel_payment(KEY, PAYMENT_ID).status == "canceled"
        with pytest.raises(Permanent):
            provider.cancel_payment(KEY, PAYMENT_ID)
    assert server.requests[0].method == "DELETE"


@pytest.mark.parametrize(
    ("single", "listed", "status"),
    [
        (http(200, MANDATE), None, MandateStatus.VALID),
        (http(410, error(410)), None, MandateStatus.REVOKED),
        (http(404, error(404)), http(200, page("mandates", [])), MandateStatus.REVOKED),
        (http(404, error(404)), http(410, error(410)), MandateStatus.REVOKED),
        (http(404, error(404)), http(200, page("mandates", [MANDATE])), MandateStatus.VALID),
    ],
    ids=["there", "gone", "not listed", "customer gone", "not found yet"],
)
def test_a_mandate_that_is_gone_is_revoked(
    single: bytes, listed: bytes | None, status: MandateStatus
) -> None:
    base = f"GET /v2/customers/{CUSTOMER_ID}/mandates"
    with serving(Routes(**{f"{base}/{MANDATE_ID}": single, base: listed})) as server:
        mandate = provider_at(server).fetch_mandate(KEY, CUSTOMER_ID, MANDATE_ID)
    assert (mandate.id, mandate.status) == (MANDATE_ID, status)


def test_a_mandate_is_not_called_gone_while_mollie_is_ill() -> None:
    routes = Routes(**{f"GET /v2/customers/{CUSTOMER_ID}/mandates": http(503)})
    with serving(routes) as server, pytest.raises(Retryable):
        provider_at(server).fetch_mandate(KEY, CUSTOMER_ID, MANDATE_ID)


@pytest.mark.parametrize("answer", [http(204), http(410, error(410)), http(404, error(404))])
def test_revoking_a_mandate_twice_is_success(answer: bytes) -> None:
    with serving(answering(answer)) as server:
        provider_at(server).revoke_mandate(KEY, CUSTOMER_ID, MANDATE_ID)
    assert server.requests[0].target == f"/v2/customers/{CUSTOMER_ID}/mandates/{MANDATE_ID}"


def test_methods_are_asked_for_a_sequence_and_an_amount() -> None:
    euro = {"value": "0.01", "currency": "EUR"}
    methods: list[dict[str, Any]] = [
        {"id": "ideal", "description": "iDEAL", "minimumAmount": euro, "maximumAmount": None},
        {"id": "directdebit", "description": "SEPA", "minimumAmount": euro, "maximumAmount": euro},
    ]
    with serving(answering(http(200, page("methods", methods)))) as server:
        provider = provider_at(server)
        found = provider.list_methods(KEY, sequence=Sequence.FIRST, amount=Money(0), locale="nl_NL")
        provider.list_methods(KEY, sequence=Sequence.RECURRING, amount=None, locale=None)
    assert [(m.id, m.minimum_cents, m.maximum_cents) for m in found] == [
        ("ideal", 1, None),
        ("directdebit", 1, 1),
    ]
    wanted = {"sequenceType": "first", "amount[currency]": "EUR", "amount[value]": "0.00", "locale": "nl_NL"}
    assert [query(r) for r in server.requests] == [wanted, {"sequenceType": "recurring"}]


BAD = "tr_x/../../customers"


def test_no_odd_id_ever_becomes_part_of_an_address() -> None:
    refund: dict[str, Any] = {"idempotency_key": "k", "amount": Money(1), "description": "", "metadata": {}}
    with serving(answering(http(200, PAYMENT))) as server:
        provider = provider_at(server)
        for attempt in (
            lambda: provider.fetch_payment(KEY, BAD),
            lambda: provider.cancel_payment(KEY, "tr_x?testmode=true"),
            lambda: provider.list_customer_payments(KEY, "cst_a/b"),
            lambda: provider.fetch_mandate(KEY, "cst_a", "mdt_a#b"),
            lambda: provider.list_mandates(KEY, "mdt_a"),
            lambda: provider.revoke_mandate(KEY, "cst_\n", "mdt_a"),
            lambda: provider.refund(KEY, BAD, **refund),
            lambda: provider.list_payment_refunds(KEY, ""),
            lambda: provider.create_payment(KEY, replace(FIRST, customer_id="cst_a&b")),
            lambda: provider.create_payment(KEY, replace(FIRST, mandate_id="mdt_ä")),
        ):
            with pytest.raises(Permanent) as caught:
                attempt()
            assert not isinstance(caught.value, Missing)
        assert not server.requests


def test_thirty_threads_and_two_keys_share_kept_connections() -> None:
    together = threading.Barrier(30)

    def work(number: int) -> str:
        together.wait()
        key = f"{KEY}{number % 2}"
        return [provider.fetch_payment(key, PAYMENT_ID).id for _ in range(5)][-1]

    with serving(answering(http(200, PAYMENT))) as server:
        provider = provider_at(server)
        with ThreadPoolExecutor(30) as threads:
            assert set(threads.map(work, range(30))) == {PAYMENT_ID}
        first_round = server.connections
        with ThreadPoolExecutor(30) as threads:
            list(threads.map(work, range(30)))
    assert len(server.requests) == 300
    assert first_round <= 30
    assert server.connections <= 30, "kept connections were thrown away"
    keys = {request.headers["authorization"] for request in server.requests}
    assert keys == {f"Bearer {KEY}0", f"Bearer {KEY}1"}


def test_a_forked_process_opens_connections_of_its_own() -> None:
    with serving(answering(http(200, PAYMENT))) as server:
        provider = provider_at(server)
        provider.fetch_payment(KEY, PAYMENT_ID)
        child = os.fork()
        if child == 0:
            same = provider.fetch_payment(KEY, PAYMENT_ID).id == PAYMENT_ID
            os._exit(0 if same else 1)
        _, status = os.waitpid(child, 0)
        provider.fetch_payment(KEY, PAYMENT_ID)
    assert status == 0
    assert [request.connection for request in server.requests] == [1, 2, 1]
