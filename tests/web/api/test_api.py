"""/api/v1: what a program reads with its key, what it may do, and that nothing else is to be had."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from linkpay.domain.subscription import SubscriptionState
from linkpay.services import api_keys
from linkpay.store.tables import ApiCall, ApiKey, Member, Site
from tests import builders as make
from tests.flows.stage import Stage

ANNA = "anna@example.com"
API = "/api/v1"


class Program:
    """A program with a key."""

    def __init__(self, client: FlaskClient, key: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {key}"}

    def get(self, path: str) -> TestResponse:
        return self.client.get(f"{API}{path}", headers=self.headers)

    def data(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def post(self, path: str, name: str | None = "one", **body: Any) -> TestResponse:
        named = {} if name is None else {"Idempotency-Key": name}
        sent = {"json": body} if body else {}
        return self.client.post(f"{API}{path}", headers=self.headers | named, **sent)


def key_of(stage: Stage, *, site_id: int | None = None, may_write: bool = True) -> str:
    with stage.database.write() as tx:
        return api_keys.make(
            tx, site_id or stage.shop.site_id, "books", "test", stage.clock.now(), may_write=may_write
        )[1]


@pytest.fixture
def program(app: Flask, stage: Stage) -> Program:
    return Program(app.test_client(), key_of(stage))


def code_of(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]["code"]


def test_a_purchase_is_read_from_member_to_grant(program: Program, stage: Stage) -> None:
    stage.buy(ANNA)
    (member,) = program.data(f"/members?email={ANNA.upper()}")["data"]
    (held,) = program.data(f"/subscriptions?member={member['id']}")["data"]
    (charge,) = program.data(f"/charges?subscription={held['id']}")["data"]
    (payment,) = program.data(f"/payments?charge={charge['id']}")["data"]
    (grant,) = program.data(f"/grants?member={member['id']}")["data"]
    assert (held["state"], charge["paid_cents"], payment["status"]) == ("active", 5000, "paid")
    assert (grant["wanted"], grant["applied"]) == ("granted", "granted")
    assert payment["paid_at"].endswith("Z")
    assert program.data(f"/payments/{payment['id']}") == payment
    assert program.data("/site")["slug"] == "studio"


def test_pages_hold_everything_once_and_in_order(program: Program, stage: Stage) -> None:
    with stage.database.write() as tx:
        site = tx.get_one(Site, stage.shop.site_id)
        for _ in range(7):
            make.make_member(tx, site)
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        page = program.data(f"/members?limit=3&after={after}")
        assert len(page["data"]) <= 3
        seen += [one["id"] for one in page["data"]]
        after = page["next"]
    assert seen == sorted(set(seen))
    assert len(seen) == 7


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer lpk_wrong"}, {"Authorization": "Basic x"}],
    ids=str,
)
def test_without_a_living_key_there_is_nothing(app: Flask, stage: Stage, headers: Mapping[str, str]) -> None:
    for path in ("/site", "/members", "/charges/1"):
        assert code_of(app.test_client().get(API + path, headers=headers)) == (401, "key_wrong")


def test_a_revoked_key_opens_nothing_at_once(program: Program, stage: Stage) -> None:
    assert program.get("/site").status_code == 200
    with stage.database.write() as tx:
        key = tx.query(ApiKey).one()
        assert key.used_at is not None
        assert program.headers["Authorization"].partition(" ")[2] not in key.hash
        api_keys.revoke(tx, key.site_id, key.id, "owner:mira", stage.clock.now())
    assert code_of(program.get("/site")) == (401, "key_wrong")


def test_guessing_is_slowed_down_and_keeps_nobody_out_who_has_a_key(program: Program, app: Flask) -> None:
    wrong = Program(app.test_client(), "lpk_guessed")
    assert {wrong.get("/site").status_code for _ in range(65)} == {401, 429}
    assert program.get("/site").status_code == 200


def test_another_sites_things_are_not_there(app: Flask, stage: Stage) -> None:
    stage.buy(ANNA)
    other = stage.open_shop("elsewhere", "test_anotherstageofitsown")
    stranger = Program(app.test_client(), key_of(stage, site_id=other.site_id))
    for name in ("members", "subscriptions", "charges", "payments", "grants"):
        assert stranger.data(f"/{name}") == {"data": [], "next": None}
        assert code_of(stranger.get(f"/{name}/1")) == (404, "unknown")
    for act in ("cancel", "undo-cancel"):
        assert code_of(stranger.post(f"/subscriptions/1/{act}")) == (404, "unknown")
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE


def test_a_cancellation_is_done_once_and_taken_back(program: Program, stage: Stage) -> None:
    stage.buy(ANNA)
    address = f"/subscriptions/{stage.subscription(ANNA).id}"
    first = program.post(f"{address}/cancel", "k1", reason="moved away")
    assert (first.status_code, first.get_json()["state"]) == (200, "canceling")
    again = program.post(f"{address}/cancel", "k1", reason="moved away")
    assert (again.get_json(), again.headers["Idempotent-Replayed"]) == (first.get_json(), "true")
    assert code_of(program.post(f"{address}/cancel", "k1", reason="else")) == (409, "idempotency_key_reused")
    assert program.post(f"{address}/undo-cancel", "k2").get_json()["state"] == "active"
    replayed = program.post(f"{address}/cancel", "k1", reason="moved away")
    assert replayed.get_json()["state"] == "canceling", "the first answer, and nothing is done"
    assert stage.subscription(ANNA).state is SubscriptionState.ACTIVE
    stage.work()
    assert stage.mail_kinds().count("cancel_confirmed") == 1


@pytest.mark.parametrize("reason", ["\0", "moved\0 away", "\ud800", "a\r\nb"])
def test_a_reason_holds_what_a_database_holds(program: Program, stage: Stage, reason: str) -> None:
    stage.buy(ANNA)
    answer = program.post(f"/subscriptions/{stage.subscription(ANNA).id}/cancel", reason=reason)
    assert answer.status_code == 200
    assert (stage.subscription(ANNA).cancel_reason or "").isprintable()


def test_what_is_refused_is_not_kept(program: Program, stage: Stage) -> None:
    stage.buy(ANNA)
    stage.stop(ANNA)
    address = f"/subscriptions/{stage.subscription(ANNA).id}/cancel"
    assert code_of(program.post(address)) == (409, "nothing_runs")
    with stage.database.read() as tx:
        assert tx.query(ApiCall).count() == 0


def test_a_key_that_reads_may_not_write(app: Flask, stage: Stage) -> None:
    stage.buy(ANNA)
    reader = Program(app.test_client(), key_of(stage, may_write=False))
    assert code_of(reader.post("/subscriptions/1/cancel")) == (403, "key_reads_only")


@pytest.mark.parametrize("name", [None, "", "x" * 256, "é"])
def test_a_write_names_itself(program: Program, stage: Stage, name: str | None) -> None:
    stage.buy(ANNA)
    assert code_of(program.post("/subscriptions/1/cancel", name)) == (422, "idempotency_key")


@pytest.mark.parametrize(
    "query", ["limit=0x1", "limit=101", "after=-1", "member=1", "email=a&email=b", "after=9" * 9, "x=%00"]
)
def test_a_question_that_cannot_be_is_refused(program: Program, query: str) -> None:
    assert code_of(program.get(f"/members?{query}")) == (422, "query")


# The contract -------------------------------------------------------------------------------------


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_contract_names_every_address_and_nothing_else(app: Flask) -> None:
    document = app.test_client().get(f"{API}/openapi.json").get_json()
    told = {(method, re.sub(r"{\w+}", "1", path)) for path, method, _ in operations(document)}
    there = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(API) and rule.endpoint != "api.openapi":
            built = rule.build({"number": 1}, append_unknown=False)
            assert built is not None
            methods = (rule.methods or set()) & {"GET", "POST"}
            there |= {(method.lower(), built[1].removeprefix(API)) for method in methods}
    assert told == there


def conforms(value: Any, schema: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether JSON is what a schema of this contract says; no more of JSON Schema than it uses."""
    if "$ref" in schema:
        return conforms(value, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    allowed = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    kinds = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "boolean": bool,
        "null": type(None),
    }
    if not any(type(value) is kinds[kind] for kind in allowed):
        return False
    if isinstance(value, list):
        return all(conforms(one, schema["items"], document) for one in value)
    if isinstance(value, dict):
        known = schema["properties"]
        closed = schema.get("additionalProperties", True) or value.keys() <= known.keys()
        whole = closed and set(schema.get("required", ())) <= value.keys()
        return whole and all(conforms(value[name], known[name], document) for name in value if name in known)
    return True


ANYTHING = st.one_of(
    st.text(max_size=30), st.integers(-5, 2**70).map(str), st.sampled_from(["1", "0", "", ANNA, "%00", "1e3"])
)
BODIES = st.one_of(
    st.none(), st.binary(max_size=60),
    st.recursive(st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=9)),
                 lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(
                     st.sampled_from(["reason", "mode", "x"]), inner, max_size=3)), max_leaves=6)
    .map(lambda said: json.dumps(said).encode()),
)  # fmt: skip


def test_whatever_is_asked_is_answered_as_the_contract_says(program: Program, stage: Stage) -> None:
    """Every operation, with whatever a program may send, gets an answer of the contract's and never a 500."""
    stage.buy(ANNA)
    stage.buy("bea@example.com", "terms")
    document = program.client.get(f"{API}/openapi.json").get_json()
    chosen = list(operations(document))
    seen: set[tuple[str, int]] = set()

    @settings(max_examples=600, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.sampled_from(chosen), st.one_of(st.sampled_from(["1", "2"]), st.integers(0, 2**70).map(str)),
        st.dictionaries(st.sampled_from(["after", "limit", "member", "email", "subscription", "x"]), ANYTHING,
                        max_size=3),
        BODIES, st.one_of(st.none(), st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=9)),
        st.sampled_from(["application/json", "text/plain", ""]),
    )  # fmt: skip
    def ask(
        operation: tuple[str, str, Mapping[str, Any]], number: str, query: dict[str, str],
        body: bytes | None, name: str | None, content_type: str,
    ) -> None:  # fmt: skip
        path, method, said = operation
        headers = program.headers | ({"Idempotency-Key": name} if name is not None else {})
        answer = program.client.open(
            API + path.replace("{id}", number), method=method.upper(),
            query_string=query if method == "get" else {},
            data=body if method == "post" else None, headers=headers, content_type=content_type,
        )  # fmt: skip
        status = str(answer.status_code)
        assert status in said["responses"], (status, answer.text)
        schema = said["responses"][status]["content"]["application/json"]["schema"]
        assert answer.is_json
        assert conforms(answer.get_json(), schema, document), answer.text
        seen.add((said["operationId"], answer.status_code))

    ask()
    assert {name for name, status in seen if status == 200} >= {"site", "list_members", "get_charges"}
    assert {name for name, _ in seen} == {said["operationId"] for *_, said in chosen}
    with stage.database.read() as tx:
        assert tx.query(Member).count() == 2
