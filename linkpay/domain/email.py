"""E-mail addresses as people type them: checked, put in one form, with a hint for likely slips."""

from difflib import get_close_matches

from email_validator import EmailNotValidError, validate_email

from linkpay.errors import InputError

# Where Dutch and Belgian buyers have their mail; a near miss of one of these is a slip of the finger.
_COMMON = (
    "gmail.com", "hotmail.com", "hotmail.nl", "outlook.com", "live.nl", "icloud.com", "ziggo.nl",
    "kpnmail.nl", "telenet.be", "skynet.be", "yahoo.com", "xs4all.nl", "planet.nl", "proximus.be",
)  # fmt: skip

# Providers in their own right, however near their names come to one above.
_ALSO_REAL = frozenset({"mail.com", "email.com", "ymail.com"})

#: The end of what stands in the place of an address whose owner was forgotten; nobody can have such a one.
FORGOTTEN = "@forgotten.invalid"


def normalise_email(typed: str) -> str:
    """Trimmed and lower case, as it is stored and compared. Raises InputError ``email_invalid``."""
    try:
        checked = validate_email(
            typed.strip(), check_deliverability=False, test_environment=True, allow_smtputf8=False
        )
    except EmailNotValidError as problem:
        raise InputError("email_invalid", f"This is not an e-mail address: {problem}", "email") from None
    return checked.normalized.lower()


def email_to_find(typed: str) -> str:
    """As `normalise_email`, to look somebody up: what stands for who was forgotten is an address as well."""
    email = typed.strip().lower()
    return email if email.endswith(FORGOTTEN) else normalise_email(typed)


def spellings(email: str) -> frozenset[str]:
    """An address as it is stored, and as mail servers write it, whose letters are ASCII."""
    try:
        checked = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return frozenset((email,))
    return frozenset((email, checked.ascii_email.lower())) if checked.ascii_email else frozenset((email,))


def likely_meant(email: str) -> str | None:
    """The address that was probably meant, e.g. for anna@gmial.com; None when it looks right."""
    local, _, domain = email.rpartition("@")
    if domain in _COMMON or domain in _ALSO_REAL:
        return None
    close = get_close_matches(domain, _COMMON, n=1, cutoff=0.84)
    return f"{local}@{close[0]}" if close else None
