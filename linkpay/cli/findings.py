"""What the doctor found: one line each, with what to do about it."""

from dataclasses import dataclass

from linkpay.services.checkup import Level


@dataclass(frozen=True, slots=True)
class Finding:
    """`said` is what was seen, `mend` what to do, empty when all is well."""

    check: str
    level: Level
    said: str
    mend: str = ""


def ok(check: str, said: str) -> Finding:
    return Finding(check, Level.OK, said)


def warn(check: str, said: str, mend: str) -> Finding:
    return Finding(check, Level.WARN, said, mend)


def bad(check: str, said: str, mend: str) -> Finding:
    return Finding(check, Level.BAD, said, mend)
