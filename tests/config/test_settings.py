"""Settings: strict in production, harmless in tests, and never talkative about secrets."""

import re
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256, sha512
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from config.environment import ROOT, process_environment
from config.settings import SETTING_NAMES, Settings, load_settings
from linkpay.errors import SettingsError

# As good as random, but the same in every process of a parallel run.
FERNET = urlsafe_b64encode(sha256(b"an encryption key").digest()).decode()
SECRET = sha512(b"a signing key").hexdigest()
GOOD = {
    "LINKPAY_ENV": "production",
    "DATABASE_URL": "postgresql://app:pg-canary-1@db.internal/linkpay",
    "REDIS_URL": "rediss://:redis-canary-2@redis.internal:6379/0",
    "SECRET_KEY": SECRET,
    "ENCRYPTION_KEYS": FERNET,
    "BASE_URL": "https://pay.school.nl/",
    "SMTP_URL": "smtps://mailer:smtp-canary-3@mail.school.nl:465",
    "MAIL_FROM": "School <les@school.nl>",
    "OPERATOR_EMAIL": "nacht@school.nl",
}
PLAY = {
    "LINKPAY_ENV": "test",
    "DATABASE_URL": "sqlite://",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "SECRET_KEY": "short",
    "ENCRYPTION_KEYS": FERNET,
    "BASE_URL": "http://linkpay.test",
    "MOLLIE_API_URL": "https://mollie.test",
    "KAJABI_API_URL": "https://kajabi.test",
    "KAJABI_WEBHOOK_HOSTS": "kajabi.test",
}


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    return str(caught.value)


def test_good_production_settings_load_with_their_defaults() -> None:
    settings = load_settings(GOOD)
    assert settings.env == "production"
    assert (
        settings.database_url.get_secret_value() == "postgresql+psycopg://app:pg-canary-1@db.internal/linkpay"
    )
    assert settings.base_url == "https://pay.school.nl"
    assert settings.mollie_api_url == "https://api.mollie.com"
    assert settings.kajabi_webhook_hosts == (
        "checkout.kajabi.com",
        "checkout.newkajabi.com",
        "api.kajabi.com",
    )
    assert (settings.port, settings.web_threads, settings.worker_threads) == (8000, 16, 64)
    assert settings.logs_as_json
    assert settings.warnings() == ()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_gets_the_driver_we_bring(scheme: str) -> None:
    settings = load_settings(GOOD | {"DATABASE_URL": f"{scheme}://u@h/d?sslmode=require"})
    assert settings.database_url.get_secret_value() == "postgresql+psycopg://u@h/d?sslmode=require"


@pytest.mark.parametrize(
    "name",
    ["LINKPAY_ENV", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "BASE_URL", "SMTP_URL"],
)
def test_production_refuses_each_missing_setting_by_name(name: str) -> None:
    assert f"  {name}: is not set" in refusal({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("name", "bad", "reason"),
    [
        ("LINKPAY_ENV", "prod", "should be 'production', 'sandbox' or 'test'"),
        ("DATABASE_URL", "mysql://u@h/d", "must start with"),
        ("DATABASE_URL", "sqlite://", "in memory"),
        ("REDIS_URL", "http://redis.internal", "must start with"),
        ("SECRET_KEY", "kH3v9-dQ2", "too short"),
        ("SECRET_KEY", "please-change-me-before-you-go-live-4821", "placeholder"),
        ("SECRET_KEY", "a" * 64, "easy to guess"),
        ("SECRET_KEY", "0123456789abcdef" * 4, "easy to guess"),
        ("SECRET_KEY", "abcdefghijklmnopqrstuvwxyz0123456789", "easy to guess"),
        ("SECRET_KEY", "aabbccddaabbccddaabbccdd11aabbccdd22", "easy to guess"),
        ("ENCRYPTION_KEYS", FERNET[:-4], "not a key of 32 bytes"),
        ("ENCRYPTION_KEYS", f"{FERNET},{FERNET}", "same key twice"),
        ("ENCRYPTION_KEYS", SECRET, "shares a key with SECRET_KEY"),
        ("ENCRYPTION_KEYS", f"{FERNET},nonsense", "not a key of 32 bytes"),
        ("ENCRYPTION_KEYS", urlsafe_b64encode(bytes(32)).decode(), "easy to guess"),
        ("ENCRYPTION_KEYS", urlsafe_b64encode(bytes(range(32))).decode(), "easy to guess"),
        ("ENCRYPTION_KEYS", " , ", "holds no key"),
        ("BASE_URL", "http://pay.school.nl", "must start with https://"),
        ("BASE_URL", "https://localhost:8000", "cannot reach"),
        ("BASE_URL", "https://me:pass@pay.school.nl", "user name or password"),
        ("BASE_URL", "https://pay.school.nl:port", "can be read"),
        ("MOLLIE_API_URL", "http://api.mollie.com", "must start with https://"),
        ("MOLLIE_API_URL", "https://127.0.0.1:8090", "stand-in"),
        ("KAJABI_API_URL", "http://api.kajabi.com", "must start with https://"),
        ("KAJABI_WEBHOOK_HOSTS", "https://checkout.kajabi.com", "not a host name"),
        ("KAJABI_WEBHOOK_HOSTS", "*.kajabi.com", "not a host name"),
        ("KAJABI_WEBHOOK_HOSTS", "checkout.kajabi.com,localhost", "stand-in"),
        ("SMTP_URL", "mail.school.nl:25", "must start with smtp:// or smtps://"),
        ("MAIL_FROM", "School", "not an e-mail address"),
        ("MAIL_FROM", "les@school.test", "does not exist"),
        ("CLOCK_FILE", "/tmp/clock", "lets another process move time"),  # noqa: S108 (a name, never opened)
        ("LOG_LEVEL", "LOUD", "should be"),
        ("PORT", "0", "greater than or equal to 1"),
        ("PORT", "web", "valid integer"),
        ("WORKER_THREADS", "100000", "less than or equal to 256"),
    ],
)
def test_production_refuses_what_is_weak_or_for_play(name: str, bad: str, reason: str) -> None:
    message = refusal(GOOD | {name: bad})
    (line,) = [line for line in message.splitlines() if line.startswith(f"  {name}: ")]
    assert reason in line
    assert "1 setting needs attention" in message


def test_everything_that_is_wrong_is_said_at_once() -> None:
    message = refusal(
        {"LINKPAY_ENV": "production", "SECRET_KEY": "x", "MOLLIE_API_URL": "http://a.b", "PORT": "-"}
    )
    named = set(re.findall(r"^  ([A-Z_]+):", message, re.MULTILINE))
    expected = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ENCRYPTION_KEYS", "BASE_URL"}
    assert named == expected | {"SMTP_URL", "MAIL_FROM", "MOLLIE_API_URL", "PORT"}
    assert "9 settings need attention" in message
    assert "token_urlsafe" in message


def test_an_unknown_environment_is_held_to_the_strictest_rules() -> None:
    message = refusal(GOOD | {"LINKPAY_ENV": "staging", "BASE_URL": "http://pay.school.nl"})
    assert "BASE_URL" in message


@given(st.binary(min_size=32, max_size=32))
def test_messages_and_representations_never_show_a_secret(raw: bytes) -> None:
    canary = raw.hex()
    environ = GOOD | {
        "SECRET_KEY": canary,
        "ENCRYPTION_KEYS": canary,
        "DATABASE_URL": f"nosql://u:{canary}@h/d",
    }
    assert canary not in refusal(environ)


def test_the_printed_settings_hold_no_secret() -> None:
    settings = load_settings(GOOD)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    for secret in (SECRET, FERNET, "pg-canary-1", "redis-canary-2", "smtp-canary-3"):
        assert secret not in shown


def test_freshly_made_secrets_are_accepted_every_time() -> None:
    for _ in range(300):
        made = {"SECRET_KEY": secrets.token_hex(32), "ENCRYPTION_KEYS": Fernet.generate_key().decode()}
        assert load_settings(GOOD | made)


def test_secrets_come_from_files_too(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    environ = {key: value for key, value in GOOD.items() if key != "SECRET_KEY"} | {
        "SECRET_KEY_FILE": str(file)
    }
    assert load_settings(environ).secret_key.get_secret_value() == SECRET
    assert "SECRET_KEY: given twice" in refusal(environ | {"SECRET_KEY": SECRET})
    file.write_text("\n")
    assert "which is empty" in refusal(environ)
    file.unlink()
    message = refusal(environ)
    assert "cannot be read" in message
    assert message.count("SECRET_KEY:") == 1


def test_what_is_allowed_but_unwise_is_warned_about() -> None:
    settings = load_settings(
        GOOD | {"DATABASE_URL": "sqlite:////srv/linkpay.db", "REDIS_URL": "redis://cache:6379"}
    )
    assert [line.partition(":")[0] for line in settings.warnings()] == ["DATABASE_URL", "REDIS_URL"]
    assert load_settings(GOOD | {"SMTP_URL": "smtp://mail.school.nl?starttls=required"}).warnings() == ()
    (warning,) = load_settings(GOOD | {"SMTP_URL": "smtp://mail.school.nl"}).warnings()
    assert warning.startswith("SMTP_URL: sends without encryption")


@pytest.mark.parametrize(
    ("name", "real"),
    [
        ("MOLLIE_API_URL", "https://api.mollie.com"),
        ("MOLLIE_API_URL", ""),  # the default is the real one
        ("KAJABI_API_URL", "https://api.kajabi.com"),
        ("KAJABI_WEBHOOK_HOSTS", "kajabi.test,checkout.kajabi.com"),
        ("SMTP_URL", "smtp://mail.school.nl"),
    ],
)
def test_test_settings_cannot_reach_anything_real(name: str, real: str) -> None:
    assert f"{name}: must not name" in refusal(PLAY | {name: real})


def test_play_settings_may_be_weak_and_local() -> None:
    settings = load_settings(PLAY | {"CLOCK_FILE": "var/clock", "SMTP_URL": "smtp://127.0.0.1:2525"})
    assert settings.clock_file == Path("var/clock")
    assert not settings.logs_as_json
    assert (
        load_settings(PLAY | {"LINKPAY_ENV": "sandbox", "DATABASE_URL": "sqlite:///var/x.db"}).env
        == "sandbox"
    )


def test_a_second_shell_finds_the_settings_of_make_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = tmp_path / "env"
    stored.write_text("# made by make run\nLINKPAY_ENV=sandbox\nPORT=8000\nSECRET_KEY=stored=value\n")
    monkeypatch.delenv("LINKPAY_ENV", raising=False)
    monkeypatch.setenv("PORT", "9000")
    monkeypatch.setenv("SECRET_KEY_FILE", "/run/secret")
    found = process_environment(stored)
    assert (found["LINKPAY_ENV"], found["PORT"]) == ("sandbox", "9000")
    assert "SECRET_KEY" not in found
    monkeypatch.setenv("LINKPAY_ENV", "production")
    assert process_environment(stored).get("SECRET_KEY") is None
    monkeypatch.delenv("LINKPAY_ENV")
    assert "LINKPAY_ENV" not in process_environment(tmp_path / "none")


def test_the_example_names_every_setting_and_shows_true_defaults() -> None:
    example = (ROOT / "config" / "env.example").read_text()
    shown = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", example, re.MULTILINE))
    assert tuple(sorted(shown)) == tuple(sorted(SETTING_NAMES))
    optional = re.findall(r"^#([A-Z_]+)=(.*)$", example, re.MULTILINE)
    for name, value in optional:
        default = Settings.model_fields[name.lower()].default
        text = ",".join(default) if isinstance(default, tuple) else str("" if default is None else default)
        assert value == text, name
    for before, line in zip(example.splitlines(), example.splitlines()[1:], strict=False):
        if re.match(r"#?[A-Z_]+=", line):
            assert before.startswith("# "), f"{line} lacks its sentence"
            assert before.endswith("."), line


def test_only_the_environment_module_reads_the_environment() -> None:
    folders = [ROOT / name for name in ("linkpay", "workers", "config")]
    files = [file for folder in folders for file in folder.rglob("*.py")] + list(ROOT.glob("*.py"))
    readers = [file for file in files if re.search(r"os\.environ|getenv|environb", file.read_text())]
    assert readers == [ROOT / "config" / "environment.py"]
