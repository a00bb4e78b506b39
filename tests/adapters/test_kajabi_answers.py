"""What each answer of Kajabi means: one case at least for every row of the table."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpay.adapters.kajabi_answers import TABLE, Outcome, Row, _fits, classify

GRANT, REVOKE = True, False
LOGIN = "<!DOCTYPE html><html><body>Log in. Base: not found. already been granted</body></html>"
CASES: list[tuple[str, bool, int, str, Outcome]] = [
    ("plain success", GRANT, 200, '{"status":"ok"}', Outcome.DONE),
    ("empty success", REVOKE, 204, "", Outcome.DONE),
    ("a word of success", GRANT, 201, "OK", Outcome.DONE),
    ("no error in it", GRANT, 200, '{"error": null, "errors": []}', Outcome.DONE),
    ("repeat, 422", GRANT, 422, "The offer has already been granted to this member", Outcome.WAS_SO_ALREADY),
    ("repeat, 200", GRANT, 200, '{"error":"Already Activated"}', Outcome.WAS_SO_ALREADY),
    ("repeat, 500", GRANT, 500, "already granted", Outcome.WAS_SO_ALREADY),
    ("granted when revoking", REVOKE, 422, "already been granted", Outcome.REFUSED),
    ("no grant", REVOKE, 422, "Offer grant not found for offer on member", Outcome.WAS_SO_ALREADY),
    ("no grant, 404", REVOKE, 404, '{"grant":["not found"]}', Outcome.WAS_SO_ALREADY),
    ("revoked", REVOKE, 409, "already been revoked", Outcome.WAS_SO_ALREADY),
    ("deactivated", REVOKE, 400, '{"errors":["Already deactivated"]}', Outcome.WAS_SO_ALREADY),
    ("revoked when granting", GRANT, 422, "already revoked", Outcome.REFUSED),
    ("no grant when granting", GRANT, 422, "Offer grant not found", Outcome.REFUSED),
    ("taken", GRANT, 422, "Email: is already taken", Outcome.IDENTITY_CONFLICT),
    ("taken, JSON", REVOKE, 200, '{"errors":{"email":["is already taken"]}}', Outcome.IDENTITY_CONFLICT),
    ("base", REVOKE, 422, "Base: Not found", Outcome.IDENTITY_CONFLICT),
    ("base, JSON", GRANT, 404, '{"base": ["not found"]}', Outcome.IDENTITY_CONFLICT),
    ("e-mail invalid", GRANT, 422, '{"email":["is invalid"]}', Outcome.IDENTITY_CONFLICT),
    ("blank", GRANT, 422, '{"errors":{"name":["can\\u0027t be blank"]}}', Outcome.REFUSED),
    ("blank, curly", GRANT, 500, "name can’t be blank", Outcome.REFUSED),
    ("login page", GRANT, 200, LOGIN, Outcome.UNCLEAR),
    ("half an answer", GRANT, 200, '{"status": "o', Outcome.UNCLEAR),
    ("error in success", GRANT, 200, '{"error": "Something odd"}', Outcome.UNCLEAR),
    ("errors in success", REVOKE, 200, '{"errors":{"x":["y"]}}', Outcome.UNCLEAR),
    ("status error", GRANT, 200, '{"status":"error"}', Outcome.UNCLEAR),
    ("not a success", GRANT, 201, '{"success":false}', Outcome.UNCLEAR),
    ("moved", GRANT, 301, "", Outcome.ADDRESS_GONE),
    ("moved for good", GRANT, 308, LOGIN, Outcome.ADDRESS_GONE),
    ("to the login", GRANT, 302, LOGIN, Outcome.AGAIN),
    ("bot check", GRANT, 403, LOGIN, Outcome.AGAIN),
    ("not allowed", GRANT, 403, '{"error":"Forbidden"}', Outcome.NOT_ALLOWED),
    ("unknown", REVOKE, 401, "", Outcome.NOT_ALLOWED),
    ("no such page", GRANT, 404, LOGIN, Outcome.ADDRESS_GONE),
    ("gone", REVOKE, 410, "", Outcome.ADDRESS_GONE),
    ("too slow", GRANT, 408, "", Outcome.AGAIN),
    ("too early", GRANT, 425, "", Outcome.AGAIN),
    ("too many", GRANT, 429, '{"error":"slow down"}', Outcome.AGAIN),
    ("broken", GRANT, 500, LOGIN, Outcome.AGAIN),
    ("away", REVOKE, 503, "", Outcome.AGAIN),
    ("odd", GRANT, 418, '{"error":"teapot"}', Outcome.REFUSED),
    ("very odd", GRANT, 700, "", Outcome.UNCLEAR),
]


@pytest.mark.parametrize(
    ("grant", "status", "body", "outcome"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_an_answer_means_one_thing(grant: bool, status: int, body: str, outcome: Outcome) -> None:
    assert classify(status, body, grant=grant) is outcome


def test_every_row_of_the_table_decides_some_case() -> None:
    used: set[int] = set()
    for _, grant, status, body, _ in CASES:
        try:
            text = json.dumps(json.loads(body), ensure_ascii=False)
        except ValueError:
            text = body
        text = "<html>" if body.startswith("<") else text
        used.add(next(n for n, row in enumerate(TABLE) if _fits(row, status, text, grant=grant)))
    assert used == set(range(len(TABLE)))


def test_an_endless_answer_is_no_success() -> None:
    assert classify(200, '{"status":"ok"}', grant=GRANT, cut=True) is Outcome.UNCLEAR
    assert classify(500, "x", grant=GRANT, cut=True) is Outcome.AGAIN


@pytest.mark.parametrize(
    "name",
    ["already revoked", 'x" Already Deactivated', "grant not found", "base: not found", "<html>", "<echo>"],
)
@pytest.mark.parametrize("status", [200, 422, 404, 500])
def test_a_buyer_cannot_answer_in_kajabis_place(name: str, status: int) -> None:
    body = json.dumps({"error": f"No such thing for {name}"})
    outcome = classify(status, body, grant=REVOKE, sent=(name, "a@example.test", "7"))
    assert outcome not in (Outcome.DONE, Outcome.WAS_SO_ALREADY, Outcome.IDENTITY_CONFLICT)
    assert classify(200, LOGIN, grant=REVOKE, sent=(name,)) is Outcome.UNCLEAR


@pytest.mark.parametrize("name", ["granted", "Grant Already", "offer", "<b>", ""])
def test_an_ordinary_name_changes_nothing(name: str) -> None:
    body = "The offer has already been granted to this member"
    assert classify(422, body, grant=GRANT, sent=(name,)) is Outcome.WAS_SO_ALREADY
    assert classify(200, LOGIN, grant=REVOKE, sent=(name,)) is Outcome.UNCLEAR


@settings(deadline=None)
@given(status=st.integers(100, 999), body=st.text(), grant=st.booleans())
def test_every_answer_has_a_meaning_and_only_2xx_is_done(status: int, body: str, grant: bool) -> None:
    outcome = classify(status, body, grant=grant)
    assert outcome is not Outcome.DONE or 200 <= status < 300


def test_the_table_is_made_of_rows() -> None:
    assert all(isinstance(row, Row) for row in TABLE)
    assert TABLE[-1].text is None
