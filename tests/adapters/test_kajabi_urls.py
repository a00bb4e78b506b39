"""Which offer addresses we are willing to send to."""

import socket
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpay.adapters.kajabi import KajabiOffers
from linkpay.adapters.kajabi_urls import check_pair, mask_url, parse_offer_url
from linkpay.adapters.wire import is_public
from linkpay.errors import InputError, Permanent
from linkpay.ports import AccessOrder
from tests.adapters.bad_addresses import GOOD, INNER_ADDRESSES, REFUSED, TAIL, TOKEN

HOSTS = ("checkout.kajabi.com", "checkout.newkajabi.com", "api.kajabi.com")
OFFERS = KajabiOffers(HOSTS, test_hosts=("127.0.0.1:8090", "kajabi.test"))


def test_there_are_enough_bad_addresses() -> None:
    assert len(set(REFUSED)) >= 120


@pytest.mark.parametrize("url", REFUSED)
def test_a_bad_address_is_refused_when_saved_and_when_used(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object) -> None:
        raise AssertionError("an address that is refused for its form was looked up or called")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    with pytest.raises(InputError):
        OFFERS.check_url(url, grant=True)
    with pytest.raises(Permanent) as caught:
        OFFERS.apply(
            AccessOrder(url=url, grant=True, name="Eva", email="eva@example.test", external_user_id="1")
        )
    assert TOKEN not in str(caught.value)


def answer_with(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Make every name resolve to these addresses."""
    found: list[Any] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


@pytest.mark.parametrize(
    "url",
    [
        GOOD,
        f"https://checkout.kajabi.com:443{TAIL}",
        f"https://CHECKOUT.Kajabi.com{TAIL}",
        f"https://checkout.newkajabi.com{TAIL}",
        f"{GOOD}?send_offer_grant_email=true",
        f"{GOOD}?send_offer_grant_email=false",
        f"{GOOD}?",
        f"http://127.0.0.1:8090{TAIL}",
        f"https://127.0.0.1:8090{TAIL}",
        f"http://kajabi.test{TAIL}",
    ],
)
def test_a_good_address_is_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answer_with(monkeypatch, "104.16.0.1", "2606:4700::1")
    OFFERS.check_url(url, grant=True)


@pytest.mark.parametrize("addresses", [("10.0.0.1",), ("104.16.0.1", "127.0.0.1"), ("::ffff:10.0.0.1",)])
def test_a_name_that_leads_inside_is_refused_when_saved(
    addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, *addresses)
    with pytest.raises(InputError) as caught:
        OFFERS.check_url(GOOD, grant=True)
    assert caught.value.code == "kajabi_url_host"


def test_a_name_that_cannot_be_looked_up_now_can_be_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    OFFERS.check_url(GOOD, grant=True)


@pytest.mark.parametrize("grant", [True, False])
def test_an_address_does_only_its_own_work(grant: bool) -> None:
    url = (
        f"http://kajabi.test{TAIL}"
        if not grant
        else f"http://kajabi.test{TAIL}".replace("activate", "deactivate")
    )
    with pytest.raises(InputError) as caught:
        OFFERS.check_url(url, grant=grant)
    assert caught.value.code == "kajabi_url_action"


def test_a_pair_shares_token_and_number() -> None:
    deactivation = GOOD.replace("/activate", "/deactivate")
    check_pair(GOOD, deactivation)
    check_pair(f"{GOOD}?send_offer_grant_email=true", deactivation)
    for first, second, code in (
        (GOOD, deactivation.replace("2147000001", "2147000002"), "kajabi_urls_differ"),
        (GOOD, deactivation.replace(TOKEN, TOKEN.lower()), "kajabi_urls_differ"),
        (deactivation, GOOD, "kajabi_url_action"),
        (GOOD, GOOD, "kajabi_url_action"),
        (GOOD, "nonsense", "kajabi_url_path"),
    ):
        with pytest.raises(InputError) as caught:
            check_pair(first, second)
        assert caught.value.code in (code, "kajabi_url_shape")


def test_the_mail_wish_is_ours_whatever_was_pasted() -> None:
    pasted = parse_offer_url(f"{GOOD}?send_offer_grant_email=true")
    assert pasted.url(send_mail=False) == GOOD
    assert parse_offer_url(GOOD).url(send_mail=True) == f"{GOOD}?send_offer_grant_email=true"


def test_a_masked_address_tells_four_characters_of_the_token() -> None:
    assert mask_url(GOOD) == "https://checkout.kajabi.com/webhooks/offers/***mN1p/2147000001/activate"
    assert mask_url(GOOD.replace(TOKEN, "short")) == GOOD.replace(TOKEN, "***")
    assert mask_url(f"{GOOD}#{TOKEN}") == "***"


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "104.16.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::", "64:ff9b::808:808"],
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", INNER_ADDRESSES)
def test_an_address_inside_a_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@settings(deadline=None)
@given(text=st.text(max_size=60) | st.text("htps:/.?#@ajbiwekonfrclvd%\\1234=&", max_size=80))
def test_any_text_is_an_address_or_an_input_error(text: str) -> None:
    for url in (text, GOOD + text, text + GOOD):
        with suppress(InputError):  # anything else that is raised fails the test
            parse_offer_url(url)
        assert mask_url(url).count(TOKEN) == 0
