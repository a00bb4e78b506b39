"""Kajabi's public API at the sandbox, in process and over a port, and at servers that misbehave."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import responses

from linkpay.adapters.kajabi import KajabiOffers
from linkpay.adapters.kajabi_api import KajabiApi
from linkpay.errors import CredentialsRefused, Missing, OutcomeUnknown, Permanent, ProviderError, Retryable
from linkpay.ports import AccessOrder, DirectoryKey
from tests.adapters.sandboxes import Place, in_process, on_a_port
from tests.waiting import eventually


@pytest.fixture(scope="module", params=["in process", "on a port"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("sandbox")
    with in_process() if request.param == "in process" else on_a_port(folder) as sandbox:
        yield sandbox


@dataclass(frozen=True)
class Academy:
    """A Kajabi site of its own with one offer of two products."""

    place: Place
    api: KajabiApi
    key: DirectoryKey
    offer: dict[str, Any]

    def let_in(self, email: str, external_id: str | None = None) -> None:
        offers = KajabiOffers((), test_hosts=(self.place.kajabi_host,))
        url = self.offer["activation_url"]
        offers.apply(AccessOrder(url, True, "Eva", email, external_id or email))

    def tags_of(self, email: str) -> list[str]:
        (member,) = self.place.look(f"kajabi/members?email={email}&site_id={self.key.site_id}")
        return list(member["tags"])


@pytest.fixture
def academy(place: Place) -> Academy:
    site = place.control("kajabi/sites", name="Academy")
    offer = place.control("kajabi/offers", site_id=site["id"], title="Course", products=["One", "Two"])
    api = KajabiApi(f"http://{place.kajabi_host}/kajabi")
    return Academy(place, api, DirectoryKey(site["id"], site["client_id"], site["client_secret"]), offer)


def test_a_person_is_found_by_her_exact_address_alone(academy: Academy) -> None:
    for email in ("eva@example.test", "eva@example.test.nl", "x.eva@example.test"):
        academy.let_in(email, f"id of {email}")
    found = academy.api.find_contact(academy.key, "eva@example.test")
    assert found is not None
    assert found.external_user_id == "id of eva@example.test"
    assert found.offers == {academy.offer["id"]}
    assert found.products is not None
    assert len(found.products) == 2
    assert academy.api.find_contact(academy.key, "eva@example") is None


def test_everybody_who_has_an_offer_is_listed_page_by_page(academy: Academy) -> None:
    emails = [f"member{number}@example.test" for number in range(27)]
    for email in emails:
        academy.let_in(email)
    first, more = academy.api.holders(academy.key, academy.offer["id"], 1)
    second, none_left = academy.api.holders(academy.key, academy.offer["id"], 2)
    assert (len(first), more, none_left) == (25, True, False)
    assert {contact.email for contact in (*first, *second)} == set(emails)
    found = academy.api.find_contact(academy.key, emails[-1])
    assert found is not None, "a search goes on behind its first page"


def test_offers_tell_what_they_open(academy: Academy) -> None:
    (offer,) = academy.api.offers(academy.key)
    assert (offer.id, offer.title, len(offer.products)) == (academy.offer["id"], "Course", 2)


def test_tags_are_set_and_taken_off_any_number_of_times(academy: Academy) -> None:
    academy.let_in("eva@example.test")
    tag = academy.place.control("kajabi/tags", site_id=academy.key.site_id, name="Betaald")
    assert academy.api.tags(academy.key) == {"Betaald": tag["id"]}
    found = academy.api.find_contact(academy.key, "eva@example.test")
    assert found is not None
    for change, wanted in (
        (academy.api.add_tags, [tag["id"]]), (academy.api.add_tags, [tag["id"]]),
        (academy.api.remove_tags, []), (academy.api.remove_tags, []),
    ):  # fmt: skip
        change(academy.key, found.id, [tag["id"]])
        assert academy.tags_of("eva@example.test") == wanted


def test_an_external_id_is_read_and_set_unless_somebody_has_it(academy: Academy) -> None:
    academy.let_in("eva@example.test", "old")
    academy.let_in("iris@example.test", "hers")
    found = academy.api.find_contact(academy.key, "eva@example.test")
    assert found is not None
    academy.api.set_external_id(academy.key, found.id, "new")
    again = academy.api.find_contact(academy.key, "eva@example.test")
    assert again is not None
    assert again.external_user_id == "new"
    with pytest.raises(Permanent):
        academy.api.set_external_id(academy.key, found.id, "hers")


def test_a_wrong_secret_and_another_owners_site_are_refused(academy: Academy) -> None:
    academy.api.check(academy.key)
    with pytest.raises(CredentialsRefused):
        academy.api.check(replace(academy.key, secret="wrong"))
    other = academy.place.control("kajabi/sites", name="Other")
    with pytest.raises(CredentialsRefused):
        academy.api.find_contact(replace(academy.key, site_id=other["id"]), "eva@example.test")
    with pytest.raises(Missing):
        academy.api.check(replace(academy.key, site_id="../me"))


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("status:429", Retryable), ("status:500", Retryable), ("html", Retryable),
        ("timeout_before", OutcomeUnknown), ("reset_after", OutcomeUnknown),
    ],
)  # fmt: skip
def test_after_a_disturbance_the_next_call_works(
    academy: Academy, kind: str, error: type[ProviderError]
) -> None:
    academy.let_in("eva@example.test")
    # Patient enough for a busy machine, and for what never comes no longer than that.
    api = KajabiApi(f"http://{academy.place.kajabi_host}/kajabi", read_timeout_s=3.0)
    api.check(academy.key)
    academy.place.control("faults", target="kajabi", kind=kind, match="/v1/contacts", count=1)
    with pytest.raises(error):
        api.find_contact(academy.key, "eva@example.test")
    assert academy.api.find_contact(academy.key, "eva@example.test") is not None


def test_too_many_calls_say_when_to_come_back(place: Place) -> None:
    site = place.control("kajabi/sites", name="Busy", rate_limit=1)
    api = KajabiApi(f"http://{place.kajabi_host}/kajabi")
    key = DirectoryKey(site["id"], site["client_id"], site["client_secret"])
    api.check(key)
    with pytest.raises(Retryable) as refusal:
        api.check(key)
    assert refusal.value.retry_after == 1


# Servers that misbehave ------------------------------------------------------------------------------

BASE = "https://api.kajabi.test"
KEY = DirectoryKey("1", "client", "a secret")


class Pretender:
    """Answers tokens and calls as a test says, and keeps what it was sent."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.mock = mock
        self.tokens_given = 0
        self.life: object = 3600
        self._lock = threading.Lock()
        mock.add_callback("POST", f"{BASE}/v1/oauth/token", callback=self._token)

    def _token(self, request: Any) -> tuple[int, dict[str, str], str]:
        with self._lock:
            self.tokens_given += 1
        assert "client_secret=a+secret" in request.body
        return 200, {}, f'{{"access_token": "token-{self.tokens_given}", "expires_in": {self.life}}}'

    def at(self, path: str, answer: Callable[[Any], tuple[int, dict[str, str], str]]) -> None:
        self.mock.add_callback("GET", f"{BASE}{path}", callback=answer)


@pytest.fixture
def pretender() -> Iterator[Pretender]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Pretender(mock)


def test_a_token_is_asked_for_once_by_many_threads(pretender: Pretender) -> None:
    pretender.at("/v1/sites/1", lambda request: (200, {}, '{"data": {"id": "1"}}'))
    api = KajabiApi(BASE)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: api.check(KEY), range(40)))
    assert pretender.tokens_given == 1


def test_who_waits_for_a_token_that_does_not_come_does_not_ask_once_more(pretender: Pretender) -> None:
    def all_wait() -> bool:
        return sum(frame.f_code.co_name == "_token" for frame in sys._current_frames().values()) == 7

    def fail_late(request: Any) -> tuple[int, dict[str, str], str]:
        asked.append(request)
        eventually(lambda: all_wait() or len(asked) > 1)
        return 503, {}, ""

    def check(_number: int) -> None:
        with pytest.raises(Retryable):
            api.check(KEY)

    asked: list[Any] = []
    pretender.mock.remove("POST", f"{BASE}/v1/oauth/token")
    pretender.mock.add_callback("POST", f"{BASE}/v1/oauth/token", callback=fail_late)
    api = KajabiApi(BASE)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(check, range(8)))
    assert len(asked) == 1


def test_a_token_that_is_refused_before_its_time_is_renewed_once(pretender: Pretender) -> None:
    def only_the_second(request: Any) -> tuple[int, dict[str, str], str]:
        fits = request.headers["Authorization"] == "Bearer token-2"
        return (200, {}, '{"data": {}}') if fits else (401, {}, "{}")

    pretender.at("/v1/sites/1", only_the_second)
    api = KajabiApi(BASE)
    api.check(KEY)
    api.check(KEY)
    assert pretender.tokens_given == 2


def test_a_key_that_is_refused_for_good_is_not_asked_for_ever(pretender: Pretender) -> None:
    pretender.at("/v1/sites/1", lambda request: (401, {}, "{}"))
    with pytest.raises(CredentialsRefused):
        KajabiApi(BASE).check(KEY)
    assert pretender.tokens_given == 2


@pytest.mark.parametrize("life", ['"long"', "null", "[]"])
def test_a_token_without_a_life_is_no_token(pretender: Pretender, life: str) -> None:
    pretender.life = life
    with pytest.raises(Retryable):
        KajabiApi(BASE).check(KEY)


def test_our_token_goes_to_no_other_host(pretender: Pretender) -> None:
    def page(request: Any) -> tuple[int, dict[str, str], str]:
        following = None if "number" in request.url else "https://evil.test/v1/offers?page%5Bnumber%5D=2"
        return 200, {}, json.dumps({"data": [], "links": {"next": following}})

    pretender.at("/v1/offers", page)
    assert KajabiApi(BASE).offers(KEY) == []
    asked = [str(call.request.url) for call in pretender.mock.calls]
    assert len(asked) == 3
    assert all(url.startswith(BASE) for url in asked)


def test_a_redirect_is_not_followed(pretender: Pretender) -> None:
    pretender.at("/v1/sites/1", lambda request: (302, {"Location": "https://evil.test/"}, ""))
    with pytest.raises(Retryable):
        KajabiApi(BASE).check(KEY)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("x" * 70_000, Permanent), ("<html>", Retryable), ("[" * 5000, Retryable),
        ('{"data": {}}', Retryable), ('{"data": [1]}', Retryable), ('{"data": [{}]}', Retryable),
    ],
)  # fmt: skip
def test_an_answer_that_cannot_be_is_not_believed(
    pretender: Pretender, body: str, error: type[ProviderError]
) -> None:
    pretender.at("/v1/contacts", lambda request: (200, {}, body))
    with pytest.raises(error):
        KajabiApi(BASE).find_contact(KEY, "eva@example.test")


def test_a_list_that_points_to_itself_ends(pretender: Pretender) -> None:
    def page(request: Any) -> tuple[int, dict[str, str], str]:
        return 200, {}, f'{{"data": [], "links": {{"next": "{request.url}"}}}}'

    pretender.at("/v1/offers", page)
    with pytest.raises(Retryable):
        KajabiApi(BASE).offers(KEY)


def test_the_secret_is_in_no_text(pretender: Pretender) -> None:
    pretender.at("/v1/sites/1", lambda request: (422, {}, '{"errors": [{"detail": "no"}]}'))
    with pytest.raises(Permanent) as refusal:
        KajabiApi(BASE).check(KEY)
    assert "a secret" not in f"{refusal.value!r} {KEY!r}"
