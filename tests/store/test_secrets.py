"""Secrets open only with our keys, in their own place, and unchanged."""

import base64
import random

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from linkpay.store import sites
from linkpay.store.db import Database
from linkpay.store.secrets import SealBroken, SecretBox
from tests import builders as make

OLD, NEW, FOREIGN = (Fernet.generate_key().decode() for _ in range(3))
ADDRESS = "https://site.example.test/webhooks/offers/madeup/1/activate"


@given(st.integers(1, 2**62), st.text(max_size=40), st.text(max_size=500))
def test_what_was_sealed_opens_again(site_id: int, column: str, value: str) -> None:
    box = SecretBox([NEW])
    sealed = box.seal(site_id, column, value)
    assert box.open(site_id, column, sealed) == value


def test_the_same_secret_never_looks_the_same_and_shows_nothing() -> None:
    box = SecretBox([NEW])
    sealed = {box.seal(1, "activation_url", ADDRESS) for _ in range(20)}
    assert len(sealed) == 20
    for one in sealed:
        assert b"madeup" not in base64.urlsafe_b64decode(one)


def test_keys_rotate_without_losing_a_secret() -> None:
    before = SecretBox([OLD]).seal(1, "mollie_key", "test_madeup")
    both = SecretBox([NEW, OLD])
    assert both.open(1, "mollie_key", before) == "test_madeup"
    after = both.rotate(before)
    assert SecretBox([NEW]).open(1, "mollie_key", after) == "test_madeup"
    assert SecretBox([NEW, OLD]).open(1, "mollie_key", both.rotate(after)) == "test_madeup"
    with pytest.raises(SealBroken):
        SecretBox([NEW]).open(1, "mollie_key", before)


@pytest.mark.parametrize(("site_id", "column"), [(2, "activation_url"), (1, "deactivation_url"), (2, "")])
def test_a_secret_copied_elsewhere_does_not_open(site_id: int, column: str) -> None:
    box = SecretBox([NEW])
    sealed = box.seal(1, "activation_url", ADDRESS)
    with pytest.raises(SealBroken, match="another place"):
        box.open(site_id, column, sealed)


def test_an_offers_address_does_not_open_in_another_row_of_another_site(database: Database) -> None:
    with database.write() as tx:
        ours, theirs = make.make_offer(tx), make.make_offer(tx)
        theirs.activation_url_sealed = ours.activation_url_sealed
        with pytest.raises(SealBroken):
            sites.kajabi_url(theirs, make.BOX, grant=True)


def test_200_tampered_seals_do_not_open() -> None:
    box, chance = SecretBox([NEW]), random.Random(20260301)
    for _ in range(200):
        raw = bytearray(base64.urlsafe_b64decode(box.seal(1, "mollie_key", "test_madeup")))
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        with pytest.raises(SealBroken):
            box.open(1, "mollie_key", base64.urlsafe_b64encode(raw).decode())


@pytest.mark.parametrize("sealed", ["", "x", "gAAAAA", "é" * 40, "null", "A" * 200])
def test_what_is_no_seal_is_broken(sealed: str) -> None:
    box = SecretBox([NEW])
    with pytest.raises(SealBroken):
        box.open(1, "mollie_key", sealed)
    with pytest.raises(SealBroken):
        box.rotate(sealed)


def test_foreign_keys_open_and_rotate_nothing() -> None:
    sealed = SecretBox([NEW]).seal(1, "mollie_key", "test_madeup")
    foreign = SecretBox([FOREIGN, OLD])
    with pytest.raises(SealBroken):
        foreign.open(1, "mollie_key", sealed)
    with pytest.raises(SealBroken):
        foreign.rotate(sealed)


def test_a_broken_seal_tells_its_place_and_not_its_content() -> None:
    box = SecretBox([NEW])
    with pytest.raises(SealBroken) as broken:
        box.open(7, "mollie_key", box.seal(8, "mollie_key", "test_madeup"))
    assert "mollie_key of site 7" in str(broken.value)
    assert "madeup" not in str(broken.value)


def test_there_is_no_box_without_keys() -> None:
    with pytest.raises(ValueError, match="at least one"):
        SecretBox([])
