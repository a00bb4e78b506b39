"""All settings of LinkPay, typed and checked; see ``config/env.example`` for a sentence on each.

Production refuses to start on anything missing, weak or made for play, and says everything that is
wrong at once. Test settings cannot reach anything real.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from config import checks
from config.environment import process_environment, resolve
from linkpay.errors import SettingsError

Env = Literal["production", "sandbox", "test"]
Port = Annotated[int, Field(ge=1, le=65535)]
Threads = Annotated[int, Field(ge=1, le=256)]
Upper = BeforeValidator(lambda text: text.upper() if isinstance(text, str) else text)
KAJABI_HOSTS = ("checkout.kajabi.com", "checkout.newkajabi.com", "api.kajabi.com")


class Settings(BaseModel):
    """What the processes need to know. Built by `load_settings` only; never changes."""

    model_config = ConfigDict(frozen=True, validate_default=True, extra="forbid", hide_input_in_errors=True)

    env: Env
    database_url: SecretStr
    redis_url: SecretStr
    secret_key: SecretStr
    encryption_keys: tuple[SecretStr, ...]
    base_url: str
    mollie_api_url: str = "https://api.mollie.com"
    kajabi_api_url: str = "https://api.kajabi.com"
    kajabi_webhook_hosts: tuple[str, ...] = KAJABI_HOSTS
    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    operator_email: str | None = None
    metrics_token: SecretStr | None = None
    sentry_dsn: SecretStr | None = None
    otel_exporter_otlp_endpoint: SecretStr | None = None
    clock_file: Path | None = None
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Upper] = "INFO"
    log_format: Literal["auto", "json", "text"] = "auto"
    port: Port = 8000
    trusted_proxies: Annotated[int, Field(ge=0, le=5)] = 0
    web_threads: Threads = 16
    worker_threads: Threads = 64
    clock_life_sign: Path | None = None

    @field_validator("database_url", mode="before")
    @classmethod
    def _database(cls, url: str, info: ValidationInfo) -> str:
        normal = checks.database(url)
        in_memory = normal in {"sqlite://", "sqlite:///", "sqlite:///:memory:"}
        if in_memory and _env(info) != "test":
            raise ValueError("is a database in memory, which processes cannot share; name a file")
        return normal

    @field_validator("redis_url", mode="before")
    @classmethod
    def _redis(cls, url: str) -> str:
        checks.split(url, ("redis", "rediss", "unix"))
        return url

    @field_validator("secret_key", mode="before")
    @classmethod
    def _secret(cls, secret: str, info: ValidationInfo) -> str:
        return checks.strong_secret(secret) if _env(info) == "production" else secret

    @field_validator("encryption_keys", mode="before")
    @classmethod
    def _keys(cls, text: str, info: ValidationInfo) -> tuple[str, ...]:
        keys = tuple(key.strip() for key in text.split(",") if key.strip())
        if not keys:
            raise ValueError(f"holds no key; {checks.MAKE_FERNET}")
        if len(set(keys)) < len(keys):
            raise ValueError("holds the same key twice")
        secret = info.data.get("secret_key")
        if isinstance(secret, SecretStr) and secret.get_secret_value() in keys:
            raise ValueError(f"shares a key with SECRET_KEY; {checks.MAKE_FERNET}")
        return tuple(checks.fernet_key(key, strong=_env(info) == "production") for key in keys)

    @field_validator("base_url", mode="before")
    @classmethod
    def _base(cls, url: str, info: ValidationInfo) -> str:
        production = _env(info) == "production"
        address = checks.web_address(url, secure=production)
        if production and checks.is_make_believe(urlsplit(address).hostname or ""):
            raise ValueError(
                "names a host that Mollie and buyers cannot reach; give the public https address"
            )
        return address

    @field_validator("mollie_api_url", "kajabi_api_url", mode="before")
    @classmethod
    def _provider(cls, url: str, info: ValidationInfo) -> str:
        address = checks.web_address(url, secure=_env(info) == "production")
        _refuse_by_env(urlsplit(address).hostname or "", info)
        return address

    @field_validator("kajabi_webhook_hosts", mode="before")
    @classmethod
    def _hosts(cls, value: str | tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        hosts = checks.host_list(value) if isinstance(value, str) else value
        if not hosts:
            raise ValueError(f"holds no host; Kajabi's own are {','.join(KAJABI_HOSTS)}")
        for host in hosts:
            _refuse_by_env(host.partition(":")[0], info)
        return hosts

    @field_validator("smtp_url", mode="before")
    @classmethod
    def _smtp(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None:
            _refuse_absence(info, "members must get their mails; write smtp://user:password@host:587")
            return None
        address = checks.mail_server(url)
        if _env(info) == "test":
            _refuse_by_env(urlsplit(address).hostname or "", info)
        return address

    @field_validator("mail_from", mode="before")
    @classmethod
    def _mail_from(cls, address: str | None, info: ValidationInfo) -> str | None:
        if address is None:
            _refuse_absence(info, "mails need a sender; write Name <name@your-domain>")
            return None
        checks.sender(address)
        if _env(info) == "production" and checks.is_make_believe(address.strip("> ").rpartition("@")[2]):
            raise ValueError("is at a domain that does not exist; give an address of your own domain")
        return address

    @field_validator("operator_email", mode="before")
    @classmethod
    def _operator(cls, address: str | None) -> str | None:
        return address if address is None else checks.sender(address)

    @field_validator("metrics_token", mode="before")
    @classmethod
    def _metrics(cls, token: str | None, info: ValidationInfo) -> str | None:
        strong = token is not None and _env(info) == "production"
        return checks.strong_secret(token) if token is not None and strong else token

    @field_validator("sentry_dsn", "otel_exporter_otlp_endpoint", mode="before")
    @classmethod
    def _told_outside(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is not None:
            host = checks.split(url, ("https", "http")).hostname or ""
            if _env(info) == "test":
                _refuse_by_env(host, info)
        return url

    @field_validator("clock_file", mode="before")
    @classmethod
    def _clock(cls, path: str | None, info: ValidationInfo) -> str | None:
        if path is not None and _env(info) == "production":
            raise ValueError("lets another process move time, which real money must not; remove it")
        return path

    @property
    def logs_as_json(self) -> bool:
        """Machines read the log in production, people elsewhere, unless LOG_FORMAT says otherwise."""
        return self.log_format == "json" or (self.log_format == "auto" and self.env == "production")

    def warnings(self) -> tuple[str, ...]:
        """What is allowed in production but deserves a second thought, one line each."""
        if self.env != "production":
            return ()
        found = []
        if self.database_url.get_secret_value().startswith("sqlite"):
            found.append("DATABASE_URL: SQLite serves one machine only; back the file up, or use PostgreSQL")
        redis = urlsplit(self.redis_url.get_secret_value())
        if redis.scheme == "redis" and not redis.password and not checks.is_loopback(redis.hostname or ""):
            found.append("REDIS_URL: whoever reaches this Redis can wake jobs; give it a password, and TLS")
        smtp = self.smtp_url.get_secret_value() if self.smtp_url else ""
        if smtp.startswith("smtp://") and "starttls=required" not in smtp:
            found.append(
                "SMTP_URL: sends without encryption when asked to; use smtps://, or add ?starttls=required"
            )
        if self.operator_email is None:
            found.append("OPERATOR_EMAIL: nobody is mailed when money or access is not as it must be")
        return tuple(found)

    @classmethod
    def from_values(cls, values: Mapping[str, str], problems: list[str]) -> Self:
        """Build from NAME -> text, or raise SettingsError with `problems` and all that is wrong here."""
        known = {line.partition(":")[0] for line in problems}
        try:
            built = cls.model_validate({_FIELDS[name]: text for name, text in values.items()})
        except ValidationError as error:
            found = [(_NAMES[str(item["loc"][0])], item["type"], item["msg"]) for item in error.errors()]
            wrong = [f"{name}: {_sentence(name, *said)}" for name, *said in found if name not in known]
            raise SettingsError(_report(problems + wrong)) from None
        if problems:
            raise SettingsError(_report(problems))
        return built


_NAMES = {field: "LINKPAY_ENV" if field == "env" else field.upper() for field in Settings.model_fields}
_FIELDS = {name: field for field, name in _NAMES.items()}
SETTING_NAMES = tuple(_FIELDS)

_MISSING = {
    "LINKPAY_ENV": "say production, sandbox or test (`make run` sets up a sandbox here)",
    "DATABASE_URL": "write postgresql://user:password@host/name, or sqlite:////path/to/file",
    "REDIS_URL": "write rediss://user:password@host:6379/0, or unix:///path/to/socket",
    "SECRET_KEY": checks.MAKE_SECRET,
    "ENCRYPTION_KEYS": checks.MAKE_FERNET,
    "BASE_URL": "write the public address of the web process, as in https://pay.your-domain",
}


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read and check all settings; `environ` defaults to the process environment and ``var/env``.

    Raises SettingsError whose message names every setting that needs attention and how to mend it.
    """
    values, problems = resolve(process_environment() if environ is None else environ, SETTING_NAMES)
    return Settings.from_values(values, problems)


def _env(info: ValidationInfo) -> str:
    """The environment, or the strictest one while it is not known."""
    return str(info.data.get("env", "production"))


def _refuse_absence(info: ValidationInfo, why: str) -> None:
    if _env(info) == "production":
        raise ValueError(f"is not set; {why}")


def _refuse_by_env(host: str, info: ValidationInfo) -> None:
    if _env(info) == "test" and not checks.is_make_believe(host):
        raise ValueError(f"must not name {host}: tests may only reach this machine or a name under .test")
    if _env(info) == "production" and checks.is_make_believe(host):
        raise ValueError(f"names {host}, which is a stand-in; production speaks to the real service")


def _sentence(name: str, kind: str, message: str) -> str:
    if kind == "missing":
        return f"is not set; {_MISSING[name]}"
    return message.removeprefix("Value error, ").replace("Input should be", "should be", 1)


def _report(problems: list[str]) -> str:
    lines = "\n".join(f"  {line}" for line in problems)
    count = f"{len(problems)} setting{'s need' if len(problems) > 1 else ' needs'} attention"
    return f"LinkPay cannot start: {count}.\n{lines}\nconfig/env.example explains every setting."
