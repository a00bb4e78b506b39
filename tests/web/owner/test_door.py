"""Signing in: the right person gets in, guessing is slowed down, and nothing tells who exists."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError

from linkpay.errors import SlowDown
from linkpay.services import signin, throttle
from linkpay.store.tables import Owner, OwnerSession
from tests.flows.shop import BOX
from tests.flows.stage import Stage
from tests.web.owner.conftest import HASH, PASSWORD, Team
from tests.web.visitor import Visitor, form_of, words_of

MIRA = "mira@studio.example.com"


def code(stage: Stage, email: str) -> str:
    """What her phone shows now."""
    with stage.database.read() as tx:
        owner = tx.query(Owner).filter_by(email=email).one()
        assert owner.totp_sealed is not None
        return pyotp.TOTP(BOX.open(owner.id, "owner_totp", owner.totp_sealed)).at(stage.clock.now())


def switch_second_on(stage: Stage, visitor: Visitor) -> list[str]:
    """Switch the second step on; the recovery codes."""
    page = visitor.look("/owner/account/second-step")
    done = press_last(visitor, page, code=code(stage, MIRA))
    assert done.status_code == 200
    return [word for word in words_of(done).split() if word.count("-") == 3]


def press_last(visitor: Visitor, page, **typed: str):  # type: ignore[no-untyped-def]
    """Send the page's own form; the first is the sign-out button of the header."""
    fields = {"form_token": form_of(page).fields["form_token"], **typed}
    return visitor.client.post(page.request.path, data=fields)


def test_the_right_password_opens_the_desk_of_the_only_site(team: Team) -> None:
    team.person(MIRA)
    visitor, answer = team.enter(MIRA)
    assert answer.headers["Location"] == "/owner/"
    assert visitor.look("/owner/").headers["Location"] == "/owner/studio/"
    assert "Money in" in words_of(visitor.look("/owner/studio/"))


def test_the_session_is_out_of_reach_of_scripts_and_only_a_hash_of_it_is_kept(team: Team) -> None:
    team.person(MIRA)
    _, answer = team.enter(MIRA)
    (cookie,) = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("linkpay-owner=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    token = cookie.split("=", 1)[1].split(";")[0]
    with team.stage.database.read() as tx:
        assert tx.query(OwnerSession).one().hash != token


def test_an_unknown_person_costs_as_much_work_as_a_wrong_password() -> None:
    right = signin.hash_password("a sentence is easy to keep")
    assert extract_parameters(signin.NOBODYS) == extract_parameters(right)
    with pytest.raises(VerifyMismatchError):  # and no InvalidHashError, which would be quick
        PasswordHasher().verify(signin.NOBODYS, "a sentence is easy to keep")


def test_a_password_that_was_hashed_as_in_former_days_is_hashed_anew_when_it_is_right(team: Team) -> None:
    owner_id = team.person(MIRA)
    with team.stage.database.write() as tx:
        tx.get_one(Owner, owner_id).password_hash = PasswordHasher(2, 64, 1).hash(PASSWORD)
    team.enter(MIRA, "a wrong guess again")
    assert team.enter(MIRA)[1].status_code == 303
    with team.stage.database.read() as tx:
        kept = tx.get_one(Owner, owner_id).password_hash
    assert extract_parameters(kept or "") == extract_parameters(HASH)


@pytest.mark.parametrize(
    ("email", "password"), [(MIRA, "wrong password here"), ("nobody@example.com", PASSWORD)]
)
def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(
    team: Team, email: str, password: str
) -> None:
    team.person(MIRA)
    visitor, answer = team.enter(email, password)
    assert answer.status_code == 422
    assert "do not belong together" in words_of(answer) or "horen niet bij elkaar" in words_of(answer)
    assert visitor.look("/owner/studio/").status_code == 303


def test_guessing_is_stopped_for_the_person_and_nobody_else(team: Team) -> None:
    team.person(MIRA)
    team.person("joost@studio.example.com")
    for _ in range(throttle.LIMITS["person"]):
        team.enter(MIRA, "a wrong guess again")
    assert team.enter(MIRA)[1].status_code == 429
    assert team.enter("joost@studio.example.com")[1].status_code == 303
    team.stage.pass_time(throttle.WINDOW + timedelta(seconds=1))
    assert team.enter(MIRA)[1].status_code == 303


def test_with_a_second_step_the_password_alone_opens_nothing(team: Team) -> None:
    team.person(MIRA)
    first, _ = team.enter(MIRA)
    codes = switch_second_on(team.stage, first)
    assert len(codes) == 10
    team.stage.pass_time(timedelta(minutes=1))
    visitor, answer = team.enter(MIRA)
    assert answer.headers["Location"] == "/owner/second-step"
    assert visitor.look("/owner/studio/").status_code == 303
    wrong = visitor.press(visitor.look("/owner/second-step"), code="000000")
    assert wrong.status_code == 422
    done = visitor.press(wrong, code=code(team.stage, MIRA))
    assert done.status_code == 303
    assert visitor.look("/owner/studio/").status_code == 200


def test_a_code_opens_once_and_so_does_a_recovery_code(team: Team) -> None:
    team.person(MIRA)
    first, _ = team.enter(MIRA)
    recovery = switch_second_on(team.stage, first)[0]
    team.stage.pass_time(timedelta(minutes=1))
    used = code(team.stage, MIRA)
    for opens, given in [(True, used), (False, used), (True, recovery), (False, recovery)]:
        visitor, _ = team.enter(MIRA)
        answer = visitor.press(visitor.look("/owner/second-step"), code=given)
        assert answer.status_code == (303 if opens else 422), given


def test_switching_the_second_step_on_signs_other_browsers_out(team: Team) -> None:
    team.person(MIRA)
    other, _ = team.enter(MIRA)
    first, _ = team.enter(MIRA)
    switch_second_on(team.stage, first)
    assert other.look("/owner/studio/").status_code == 303
    assert first.look("/owner/studio/").status_code == 200


def test_sign_out_ends_the_session_at_once_and_twelve_hours_end_it_too(team: Team) -> None:
    visitor = team.signed_in()
    page = visitor.look("/owner/studio/")
    visitor.client.post("/owner/sign-out", data=form_of(page).fields)
    assert visitor.look("/owner/studio/").status_code == 303
    late = team.signed_in()
    team.stage.pass_time(timedelta(hours=12, seconds=1))
    assert late.look("/owner/studio/").status_code == 303


@pytest.mark.parametrize(
    ("asked", "onward"),
    [
        ("/owner/studio/members", "/owner/studio/members"),
        ("https://evil.example.com/owner/", "/owner/"),
        ("//evil.example.com/owner/", "/owner/"),
        ("/owner//evil.example.com", "/owner/"),
        ("/owner/\\evil.example.com", "/owner/"),
        ("/studio/buy/members", "/owner/"),
    ],
)
def test_after_the_door_one_gets_where_one_wanted_but_never_elsewhere(
    team: Team, asked: str, onward: str
) -> None:
    team.person(MIRA)
    visitor = team.new_visitor()
    page = visitor.look(f"/owner/sign-in?to={asked}")
    assert visitor.press(page, email=MIRA, password=PASSWORD).headers["Location"] == onward


@pytest.mark.races
def test_guesses_that_come_together_are_counted_one_by_one(team: Team, stage: Stage) -> None:
    team.person(MIRA)

    def guess(number: int) -> bool:
        try:
            assert signin.sign_in(stage.parts, MIRA, f"a guess of many {number}", "203.0.114.9") is None
        except SlowDown:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        looked_at = sum(pool.map(guess, range(40)))
    assert looked_at <= throttle.LIMITS["person"]


def test_whoever_guesses_elsewhere_locks_no_owner_out(team: Team) -> None:
    team.person("nina@studio.example.com")
    stranger, nina = team.new_visitor(), team.new_visitor()
    stranger.client.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    guesses = [
        stranger.press(stranger.look("/owner/sign-in"), email="nina@studio.example.com", password="guess")
        for _ in range(throttle.LIMITS["person"] + 1)
    ]
    assert guesses[-1].status_code == 429
    answer = nina.press(nina.look("/owner/sign-in"), email="nina@studio.example.com", password=PASSWORD)
    assert answer.status_code == 303


@pytest.mark.parametrize("to", ["//[", "http://[", "/owner/\r\nX: y", "/owner/\\elsewhere"])
def test_whatever_a_link_asks_for_she_is_signed_in(team: Team, to: str) -> None:
    team.person("nina@studio.example.com")
    visitor = team.new_visitor()
    answer = visitor.press(
        visitor.look("/owner/sign-in"), email="nina@studio.example.com", password=PASSWORD, to=to
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/owner/")
