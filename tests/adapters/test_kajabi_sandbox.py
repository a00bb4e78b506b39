"""Grants and revokes at the sandbox, which answers as Kajabi does."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from linkpay.adapters.kajabi import KajabiOffers
from linkpay.adapters.kajabi_urls import check_pair
from linkpay.errors import IdentityConflict, Missing, OutcomeUnknown, ProviderError, Retryable
from linkpay.ports import AccessOrder
from tests.adapters.sandboxes import Place, in_process, on_a_port


@pytest.fixture(scope="module", params=["in process", "on a port"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("sandbox")
    with in_process() if request.param == "in process" else on_a_port(folder) as sandbox:
        yield sandbox


@dataclass(frozen=True)
class Course:
    """An offer on a Kajabi site of its own."""

    place: Place
    kajabi: KajabiOffers
    grant: AccessOrder
    revoke: AccessOrder

    def member(self) -> Any:
        (found,) = self.place.look(f"kajabi/members?email={self.grant.email}")
        return found

    def state(self) -> str:
        (offer,) = self.member()["offers"]
        return str(offer["state"])


@pytest.fixture
def course(place: Place, request: pytest.FixtureRequest) -> Course:
    site = place.control("kajabi/sites", name="Academy")
    offer = place.control("kajabi/offers", site_id=site["id"], title="Course", products=["Lessons"])
    email = f"eva.{offer['number']}@example.test"
    grant = AccessOrder(offer["activation_url"], True, "Eva Jansen", email, f"Eva-{offer['number']}")
    kajabi = KajabiOffers((), test_hosts=(place.kajabi_host,))
    return Course(place, kajabi, grant, replace(grant, url=offer["deactivation_url"], grant=False))


def test_the_sandbox_gives_addresses_that_pass_every_check(course: Course) -> None:
    course.kajabi.check_url(course.grant.url, grant=True)
    course.kajabi.check_url(course.revoke.url, grant=False)
    check_pair(course.grant.url, course.revoke.url)


def test_access_is_granted_revoked_and_granted_again(course: Course) -> None:
    assert not course.kajabi.apply(course.grant).was_so_already
    assert course.state() == "granted"
    assert course.kajabi.apply(course.grant).was_so_already
    assert not course.kajabi.apply(course.revoke).was_so_already
    assert course.state() == "revoked"
    assert course.kajabi.apply(course.revoke).was_so_already
    assert not course.kajabi.apply(course.grant).was_so_already
    assert course.state() == "granted"


def test_kajabi_mails_only_when_asked(course: Course) -> None:
    course.kajabi.apply(course.grant)
    to_her = [mail for mail in course.place.look("mail") if course.grant.email in str(mail["to"])]
    assert not to_her
    course.kajabi.apply(course.revoke)
    course.kajabi.apply(replace(course.grant, send_offer_mail=True))
    assert [mail for mail in course.place.look("mail") if course.grant.email in str(mail["to"])]


def test_another_external_id_is_an_identity_conflict(course: Course) -> None:
    course.kajabi.apply(course.grant)
    with pytest.raises(IdentityConflict):
        course.kajabi.apply(replace(course.grant, external_user_id="someone-else"))
    assert course.state() == "granted"


def test_an_offer_that_does_not_exist_is_missing(course: Course) -> None:
    with pytest.raises(Missing):
        course.kajabi.apply(replace(course.grant, url=course.grant.url.replace("/offers/", "/offers/x")))


@pytest.mark.parametrize(
    ("kind", "error", "done"),
    [
        ("status:429", Retryable, False),
        ("status:500", Retryable, False),
        ("html", Retryable, False),
        ("timeout_before", OutcomeUnknown, False),
        ("timeout_after", OutcomeUnknown, True),
        ("reset_after", OutcomeUnknown, True),
    ],
)
def test_after_a_disturbance_a_repeat_leads_to_access(
    course: Course, kind: str, error: type[ProviderError], done: bool
) -> None:
    token = course.grant.url.split("/")[-3]
    course.place.control("faults", target="kajabi", kind=kind, match=token, count=1)
    waits = 0.5 if kind.startswith("timeout") else 8.0
    with pytest.raises(error):
        KajabiOffers((), test_hosts=(course.place.kajabi_host,), read_timeout_s=waits).apply(course.grant)
    assert course.kajabi.apply(course.grant).was_so_already is done
    assert course.state() == "granted"
