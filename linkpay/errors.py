"""Every error LinkPay raises on purpose, and nothing else.

Two families. `InputError` and its children are told to whoever asked (a page in the visitor's
language, an API as ``{"error": {"code", "message", "field"}}``). `ProviderError` and its children
say how a call to Mollie, Kajabi or the mail server ended, in the only three ways that matter to
the caller: it may be sent again, it must not be, or nobody knows whether it happened.
"""


class LinkPayError(Exception):
    """Root of all errors raised on purpose."""


class SettingsError(LinkPayError):
    """The process cannot start; the message names each setting and how to mend it."""


class InputError(LinkPayError):
    """Something a person or a program gave us that we refuse.

    `code` is stable and machine readable; `message` is English and safe to show; `field` names the
    offending input, or is None. Pages translate by `code`.
    """

    status = 422

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(code, message, field)  # all of them: an error may go from one process to another
        self.code = code
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return self.message


class NotFound(InputError):
    """What was asked for does not exist, or belongs to another site: both look the same."""

    status = 404


class Conflict(InputError):
    """The request is well formed but the present state forbids it."""

    status = 409


class SlowDown(InputError):
    """It was asked or guessed too often; the same may be tried again later."""

    status = 429


class ProviderError(LinkPayError):
    """A call to an outside system did not give an answer we can book.

    `status` is the HTTP status or None; `detail` is the provider's wording, for people and logs.
    """

    def __init__(self, detail: str, *, status: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status


class Retryable(ProviderError):
    """Surely not done: sending the same thing later is safe. `retry_after` in seconds, if told."""

    def __init__(self, detail: str, *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail, status=status)
        self.retry_after = retry_after


class OutcomeUnknown(ProviderError):
    """It may have been done, or may still be done: resolve by reading, never book as failed."""


class Permanent(ProviderError):
    """Refused for good: the same request will be refused again. `field` if the provider named one."""

    def __init__(self, detail: str, *, status: int | None = None, field: str | None = None) -> None:
        super().__init__(detail, status=status)
        self.field = field


class Missing(Permanent):
    """The outside thing does not exist (404) or exists no longer (410)."""


class CredentialsRefused(Permanent):
    """The key, token or address is not accepted (401, 403): stop this site, tell the owner."""


class IdentityConflict(Permanent):
    """Kajabi knows this e-mail under another external id, or this id under another e-mail."""


class TooLate(LinkPayError):
    """More time passed between claiming a piece of work and sending it than is safe."""
