"""Identifiers in the shapes of Mollie and Kajabi, and made-up bank accounts that pass their checks."""

import hashlib
import secrets
import string

ALPHABET = string.ascii_letters + string.digits
_LETTER_OF_BYTE = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
BANKS = ("INGB", "RABO", "ABNA", "BUNQ", "TRIO", "SNSB")
BICS = {
    "INGB": "INGBNL2A",
    "RABO": "RABONL2U",
    "ABNA": "ABNANL2A",
    "BUNQ": "BUNQNL2A",
    "TRIO": "TRIONL2U",
    "SNSB": "SNSBNL2A",
}


def fresh(prefix: str, length: int = 10) -> str:
    """A new id, such as ``cst_8wmqcHMN4U``. Mollie's newer payment ids are 22 characters long."""
    return f"{prefix}_{word(length)}"


def word(length: int) -> str:
    """Random letters and digits; one call to the system, as every payment needs some sixty of them."""
    return secrets.token_bytes(length).translate(_LETTER_OF_BYTE).decode()


def digits(length: int) -> str:
    """Random digits, the first not zero."""
    return str(secrets.randbelow(9 * 10 ** (length - 1)) + 10 ** (length - 1))


def derived(prefix: str, seed: str, length: int = 10) -> str:
    """The same id for the same seed, for things that must survive a reset."""
    number = int.from_bytes(hashlib.sha256(f"{prefix}:{seed}".encode()).digest())
    letters = []
    for _ in range(length):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    return f"{prefix}_{''.join(letters)}"


def derived_number(seed: str, length: int) -> int:
    """A number of `length` digits that is the same for the same seed."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest())
    least = int(10 ** (length - 1))
    return number % (9 * least) + least


def iban_for(seed: str, bank: str | None = None) -> str:
    """A valid Dutch IBAN that belongs to nobody, the same for the same seed and bank."""
    code = bank or BANKS[derived_number(f"bank:{seed}", 3) % len(BANKS)]
    account = f"{derived_number(f'account:{seed}', 10):010d}"
    return f"NL{98 - _remainder(code + account + 'NL00'):02d}{code}{account}"


def is_iban(text: str) -> bool:
    """Whether country, length and check digits can be right."""
    plain = text.replace(" ", "").upper()
    if not (15 <= len(plain) <= 34 and plain.isalnum() and plain[:2].isalpha() and plain[2:4].isdigit()):
        return False
    if plain.startswith("NL") and len(plain) != 18:
        return False
    return _remainder(plain[4:] + plain[:4]) == 1


def _remainder(text: str) -> int:
    number = int("".join(str(int(letter, 36)) for letter in text))
    return number % 97


def bic_of(iban: str) -> str | None:
    """The bank's code, for the Dutch banks known here."""
    return BICS.get(iban[4:8])
