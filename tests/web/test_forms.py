"""Whatever is typed or sent, the answer is a page, never an accident."""

import string
import unicodedata

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linkpay.web.forms import tidy
from tests.flows.books import KEY
from tests.flows.stage import Stage
from tests.web.visitor import Visitor, form_of

JUNK = st.one_of(
    st.text(max_size=40),
    st.text(alphabet=string.printable, max_size=400),
    st.sampled_from(
        [
            "\x00",
            "' OR 1=1 --",
            "{{7*7}}",
            "%(x)s",
            "%",
            "../../..",
            "😀" * 50,
            "a@b",
            "a@" + "b" * 300,
            "yes",
            "monthly",
            "\u202eanna",
            "anna@exämple.com",
            "\ud7ff\ue000",
            "<svg onload=x>",
            "0",
            "-1",
            "1e309",
        ]
    ),
)
NAMES = st.sampled_from(
    [
        "name",
        "email",
        "plan",
        "agree",
        "kept",
        "seen",
        "form_token",
        "switch",
        "meant",
        "lang",
        "amount",
        "id",
    ]
)
FORMS = st.dictionaries(st.one_of(NAMES, st.text(max_size=20)), JUNK, max_size=14)
KINDS = [
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data",
    "application/json", "text/plain", "",
]  # fmt: skip
ROOMY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ROOMY
@given(fields=FORMS)
def test_no_order_form_whatever_it_holds_is_an_accident(
    visitor: Visitor, stage: Stage, fields: dict[str, str]
) -> None:
    answer = visitor.client.post("/studio/buy/members", data=fields)
    assert answer.status_code in ((200, 403, 422) if fields else (415,))
    assert not list(stage.parts.payments.list_payments(KEY, limit=1))


@ROOMY
@given(typed=st.fixed_dictionaries({"name": JUNK, "email": JUNK, "plan": JUNK, "agree": JUNK}))
def test_no_order_from_our_own_page_whatever_was_typed_is_an_accident(
    visitor: Visitor, typed: dict[str, str]
) -> None:
    own = form_of(visitor.look("/studio/buy/members")).fields
    answer = visitor.client.post("/studio/buy/members", data=own | typed)
    assert answer.status_code in (303, 409, 422)


@ROOMY
@given(
    query=st.dictionaries(
        st.sampled_from(["name", "email", "plan", "lang", "n", "go", "coupon"]), JUNK, max_size=5
    )
)
def test_no_link_whatever_it_carries_is_an_accident(visitor: Visitor, query: dict[str, str]) -> None:
    assert visitor.client.get("/studio/buy/members", query_string=query).status_code in (200, 422)


@ROOMY
@given(body=st.binary(max_size=300), kind=st.sampled_from(KINDS))
def test_no_body_whatever_it_calls_itself_is_an_accident(visitor: Visitor, body: bytes, kind: str) -> None:
    answer = visitor.client.post("/studio/buy/members", data=body, content_type=kind)
    assert answer.status_code in (200, 400, 403, 415, 422)


@given(st.text(max_size=60))
def test_tidied_text_is_one_line_that_stays_as_it_is(text: str) -> None:
    tidied = tidy(text)
    assert tidy(tidied) == tidied
    assert not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in tidied)
    assert tidied == tidied.strip()
