"""What `make run` leaves under var/: private, made once, and enough for a second shell."""

import stat
from pathlib import Path

import pytest

from config.environment import read_env_file
from config.local import LocalChoices, bare_environment, load_local_choices
from config.settings import load_settings
from linkpay.errors import SettingsError
from linkpay.local.places import Places, sandbox_settings, write_env
from linkpay.local.stack import local_stack


def test_secrets_are_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    places = Places(tmp_path / "var")
    places.prepare()
    first = [file.read_text() for file in sorted(places.secrets.iterdir())]
    places.prepare()
    assert [file.read_text() for file in sorted(places.secrets.iterdir())] == first
    assert len(first) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in places.secrets.iterdir()} == {0o600}
    assert stat.S_IMODE(places.secrets.stat().st_mode) == 0o700


def test_a_second_shell_gets_good_settings_from_the_file(tmp_path: Path) -> None:
    places = Places(tmp_path / "var")
    places.prepare()
    write_env(places.env, sandbox_settings(places, LocalChoices(port=8100), None))
    settings = load_settings(read_env_file(places.env))
    assert (settings.env, settings.port, settings.base_url) == ("sandbox", 8100, "http://127.0.0.1:8100")
    assert settings.kajabi_webhook_hosts == ("127.0.0.1:8090",)
    assert settings.clock_file == places.var / "sandbox.db.clock"
    assert stat.S_IMODE(places.env.stat().st_mode) == 0o600
    assert settings.secret_key.get_secret_value() not in places.env.read_text()


def test_another_projects_database_in_the_shell_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@else/live")
    monkeypatch.setenv("SMTP_URL_FILE", "/run/secrets/smtp")
    assert {"DATABASE_URL", "SMTP_URL_FILE"}.isdisjoint(bare_environment())
    assert "PATH" in bare_environment()
    settings = sandbox_settings(Places(tmp_path), load_local_choices(), None)
    assert settings["DATABASE_URL"] == f"sqlite:///{tmp_path}/linkpay.db"
    chosen = sandbox_settings(Places(tmp_path), load_local_choices(), "postgresql://me@127.0.0.1/play")
    assert chosen["DATABASE_URL"] == "postgresql://me@127.0.0.1/play"


def test_ports_and_threads_can_be_chosen_and_are_checked() -> None:
    choices = load_local_choices({"PORT": "9000", "SANDBOX_PORT": "9001", "LOG_LEVEL": "DEBUG"})
    assert (choices.port, choices.sandbox_port, choices.smtp_port) == (9000, 9001, 8025)
    assert choices.passed_on == {"LOG_LEVEL": "DEBUG"}
    with pytest.raises(SettingsError, match="SMTP_PORT"):
        load_local_choices({"SMTP_PORT": "mail"})


def test_the_local_processes_are_those_of_the_procfile(tmp_path: Path) -> None:
    stack = local_stack(Places(tmp_path), LocalChoices(), {})
    lines = (Path(__file__).parents[2] / "Procfile").read_text().splitlines()
    procfile = {name: words.split() for name, words in (line.split(": ", 1) for line in lines)}
    local = {program.name: program.command for program in stack.programs}
    assert local.keys() == procfile.keys() - {"release"} | {"valkey", "sandbox"}
    assert local["worker"][1:] == tuple(procfile["worker"][1:])
    assert local["clock"][1:] == tuple(procfile["clock"][1:])
    assert stack.prepare[1:] == tuple(procfile["release"][1:])
    assert local["web"][-1] == procfile["web"][-1] == "wsgi:app"
