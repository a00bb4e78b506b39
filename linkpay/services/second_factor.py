"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes for a lost phone."""

import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp

from linkpay.errors import Conflict
from linkpay.store import owners
from linkpay.store.db import Tx
from linkpay.store.secrets import SecretBox
from linkpay.store.tables import Owner

_STEP = 30  # seconds a code is shown
_COLUMN = "owner_totp"
RECOVERY_CODES = 10


def begin(tx: Tx, owner: Owner, box: SecretBox) -> str:
    """A new secret to put into the app, kept sealed; it counts once a code of it was shown.

    Beginning again before that shows the same secret: the page may be loaded twice.
    """
    if owner.totp_confirmed_at is not None:
        raise Conflict("second_factor_is_on", "The second step is on already; switch it off first.")
    if owner.totp_sealed is None:
        owner.totp_sealed = box.seal(owner.id, _COLUMN, pyotp.random_base32())
    return box.open(owner.id, _COLUMN, owner.totp_sealed)


def address(secret: str, owner: Owner, issuer: str) -> str:
    """What the QR code holds."""
    return pyotp.TOTP(secret).provisioning_uri(name=owner.email, issuer_name=issuer)


def confirm(tx: Tx, owner: Owner, box: SecretBox, code: str, now: datetime) -> list[str] | None:
    """Switch it on with the first code of the app; the recovery codes to keep, or None when it is wrong."""
    if owner.totp_confirmed_at is not None or not _is_code(owner, box, code, now):
        return None
    owner.totp_confirmed_at = now
    return new_recovery_codes(tx, owner, now)


def new_recovery_codes(tx: Tx, owner: Owner, now: datetime) -> list[str]:
    """Fresh recovery codes, shown once; the old ones open nothing any more."""
    codes = ["-".join(secrets.token_hex(2) for _ in range(4)) for _ in range(RECOVERY_CODES)]
    owners.replace_recovery_codes(tx, owner.id, [_hash(code) for code in codes], now)
    return codes


def switch_off(tx: Tx, owner: Owner, now: datetime) -> None:
    """No second step any more."""
    owner.totp_sealed, owner.totp_confirmed_at, owner.totp_step = None, None, 0
    owners.replace_recovery_codes(tx, owner.id, [], now)


def accept(tx: Tx, owner: Owner, box: SecretBox, code: str, now: datetime) -> bool:
    """Whether this code opens: one of the app, each used once, or an unspent recovery code."""
    plain = "".join(code.split()).lower()
    return _is_code(owner, box, plain, now) or owners.use_recovery_code(tx, owner.id, _hash(plain), now)


def _is_code(owner: Owner, box: SecretBox, code: str, now: datetime) -> bool:
    """Codes of the step before and after count too, for clocks that differ; a used step never again."""
    if owner.totp_sealed is None:
        return False
    app = pyotp.TOTP(box.open(owner.id, _COLUMN, owner.totp_sealed), interval=_STEP)
    current = int(now.timestamp()) // _STEP
    for step in (current - 1, current, current + 1):
        if step > owner.totp_step and hmac.compare_digest(app.generate_otp(step).encode(), code.encode()):
            owner.totp_step = step
            return True
    return False


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
