"""Which part of a larger whole a usual run takes: another one each day."""

from datetime import date
from zlib import crc32

#: The day this run began, as a number. Nothing may hang on it but which part is taken.
TODAY = date.today().toordinal()  # noqa: DTZ011, TID251 - any day will do


def first_of(name: str, every: int) -> int:
    """Where to begin, from 0, when every so-manieth is taken: elsewhere for each name and each day."""
    return (crc32(name.encode()) + TODAY) % every
