"""How commands speak: errors in one sentence, codes, and nothing secret."""

import json

import pytest

from linkpay.cli.output import _said
from linkpay.errors import OutcomeUnknown, SettingsError
from tests.cli.conftest import Run, run_with
from tests.cli.town import environ

COMMANDS = (
    ("members",),
    ("timeline", "anna@example.com"),
    ("replay", "1"),
    ("demo",),
    ("buy", "--plan", "monthly", "--email", "anna@example.com"),
    ("clock", "now"),
    ("clock", "advance", "--days", "1"),
)


@pytest.mark.parametrize("words", COMMANDS)
def test_an_unmigrated_database_is_told_with_the_way_out(
    empty_database_url: str, words: tuple[str, ...]
) -> None:
    result = run_with(environ(empty_database_url))(*words)
    assert result.exit_code == 1
    assert "python -m linkpay migrate" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("words", COMMANDS)
def test_machines_get_errors_as_one_json_document(empty_database_url: str, words: tuple[str, ...]) -> None:
    result = run_with(environ(empty_database_url))(*words, "--json")
    assert json.loads(result.stderr)["error"]["code"] == "not_migrated"
    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.parametrize(
    "words", [("demo",), ("clock", "now"), ("buy", "--plan", "x", "--email", "a@example.com")]
)
def test_what_only_the_sandbox_can_do_is_refused_in_production(
    database_url: str, words: tuple[str, ...]
) -> None:
    production = environ(
        database_url,
        LINKPAY_ENV="production",
        SECRET_KEY="pT7vX2mQ9sL4wZ8kR3nB6yH1cF5jD0gAeU",
        ENCRYPTION_KEYS="3q2-796tvu_erb7v3q2-796tvu_1VTKQnTtKZ0xVpFo=",
        BASE_URL="https://pay.studiovecht.nl",
        MOLLIE_API_URL="https://api.mollie.com",
        KAJABI_API_URL="https://api.kajabi.com",
        KAJABI_WEBHOOK_HOSTS="checkout.kajabi.com",
        SMTP_URL="smtps://studiovecht.nl:465",
        MAIL_FROM="hallo@studiovecht.nl",
    )
    result = run_with(production)(*words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "sandbox only" in result.stderr


def test_a_missing_setting_is_named_without_a_trace(database_url: str) -> None:
    result = run_with(environ(database_url, SECRET_KEY=""))("members")
    assert result.exit_code == 1
    assert "SECRET_KEY: is not set" in result.stderr


def test_a_database_that_is_away_is_told_without_its_password(tmp_path: object) -> None:
    away = environ("postgresql://linkpay:hushhush@127.0.0.1:9/linkpay")
    result = run_with(away)("members")
    assert result.exit_code == 1
    assert "database" in result.stderr
    assert "hushhush" not in result.output


@pytest.mark.parametrize(
    "words", [("nonsense",), ("buy",), ("clock", "advance"), ("replay", "one"), ("replay", "-1")]
)
def test_a_command_that_was_not_understood_ends_with_two(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


def test_provider_words_lose_their_secrets() -> None:
    code, message, _ = _said(OutcomeUnknown("call with Bearer test_Hushhushhushhush99 timed out"))
    assert code == "provider"
    assert "Hushhush" not in message


def test_settings_errors_stay_whole() -> None:
    assert _said(SettingsError("one\n  two")) == ("settings", "one\n  two", None)
