"""What Kajabi's answer to an activation or deactivation means, as a table.

Kajabi documents the calls but not their answers, so the table rests on what callers in the field have
seen: texts from Kajabi's troubleshooting page ("can't be blank", "is invalid"), and from public code and
a public list of questions ("has already been granted to this member", "Offer grant not found", "Base:
not found", "is already taken"). The status that goes with a text is not known, so texts count under any
status; and since a repeat is harmless, doubt always means "again", never "done".
"""

import json
import re
from collections.abc import Container
from dataclasses import dataclass
from enum import Enum

# What stands for a body that no text row may match: a page of the network in front of Kajabi (a login,
# "page not found", maintenance) can hold any words, and so can a buyer's name that Kajabi repeats.
HTML = "<html>"
BROKEN = "<broken>"
TOO_LONG = "<too long>"
ECHO = "<echo>"

_MARKS = frozenset({HTML, BROKEN, TOO_LONG})

ANY = range(1000)
OK = range(200, 300)
SERVER_ERROR = range(500, 600)


class Outcome(Enum):
    """What to do with an answer."""

    DONE = "done"
    WAS_SO_ALREADY = "was so already"
    IDENTITY_CONFLICT = "the e-mail or external id belongs to someone else there"
    REFUSED = "refused for good"
    ADDRESS_GONE = "the offer address does not exist"
    NOT_ALLOWED = "the offer address is not accepted"
    AGAIN = "not done, try again"
    UNCLEAR = "perhaps done, try again"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: `grant` True for activations, False for deactivations, None for both."""

    grant: bool | None
    statuses: Container[int]
    text: re.Pattern[str] | None
    outcome: Outcome


def _row(grant: bool | None, statuses: Container[int], text: str | None, outcome: Outcome) -> Row:
    return Row(grant, statuses, re.compile(text, re.IGNORECASE) if text else None, outcome)


# The first row that fits decides.
TABLE = (
    _row(True, ANY, r"already (been )?(granted|activated)", Outcome.WAS_SO_ALREADY),
    _row(False, ANY, r"already (been )?(revoked|deactivated)", Outcome.WAS_SO_ALREADY),
    _row(False, ANY, r"grant\W{1,5}(was )?not found", Outcome.WAS_SO_ALREADY),
    _row(None, ANY, r"is already taken", Outcome.IDENTITY_CONFLICT),
    _row(None, ANY, r"\bbase\W{1,8}not found", Outcome.IDENTITY_CONFLICT),
    _row(None, ANY, r"can['’]t be blank", Outcome.REFUSED),
    # Either a bad address or the conflict above; its cure is tried first, then a person is asked.
    _row(None, ANY, r"\bemail\W{1,8}is invalid", Outcome.IDENTITY_CONFLICT),
    # A login page, half an answer or an endless one, and "200 with an error in it" are no success. (JSON is
    # compared as json.dumps writes it: one blank after a colon.)
    _row(None, OK, rf"^({HTML}|{BROKEN}|{TOO_LONG}|{ECHO})$", Outcome.UNCLEAR),
    _row(None, OK, r'"errors?": (?!null|false|0|""|\[\]|\{\})', Outcome.UNCLEAR),
    _row(None, OK, r'"(status|result)": "(error|fail|invalid|denied)', Outcome.UNCLEAR),
    _row(None, OK, r'"(success|ok)": false', Outcome.UNCLEAR),
    _row(None, OK, None, Outcome.DONE),
    # Moved for good: only the owner can paste the new address. Other redirects are logins and upkeep.
    _row(None, (301, 308), None, Outcome.ADDRESS_GONE),
    _row(None, range(300, 400), None, Outcome.AGAIN),
    # A page instead of an answer: the bot check of the network in front, which passes by itself.
    _row(None, (401, 403), rf"^{HTML}$", Outcome.AGAIN),
    _row(None, (401, 403), None, Outcome.NOT_ALLOWED),
    _row(None, (404, 410), None, Outcome.ADDRESS_GONE),
    _row(None, (408, 425, 429), None, Outcome.AGAIN),
    _row(None, SERVER_ERROR, None, Outcome.AGAIN),
    _row(None, range(400, 500), None, Outcome.REFUSED),
    _row(None, ANY, None, Outcome.UNCLEAR),
)


def classify(
    status: int, body: str, *, grant: bool, sent: tuple[str, ...] = (), cut: bool = False
) -> Outcome:
    """What the answer means. `cut` when there was more of it than we read.

    `sent` are the values of the order: Kajabi may repeat them, and a buyer called "already revoked" must
    not be able to answer in its place.
    """
    text = TOO_LONG if cut else _comparable(body)
    if text not in _MARKS and any(row.text and row.text.search(value) for row in TABLE for value in sent):
        text = ECHO
    return next(row.outcome for row in TABLE if _fits(row, status, text, grant=grant))


def _fits(row: Row, status: int, text: str, *, grant: bool) -> bool:
    return (
        row.grant in (None, grant)
        and status in row.statuses
        and (row.text is None or row.text.search(text) is not None)
    )


def _comparable(body: str) -> str:
    """JSON with its escapes undone, plain text as it is, or the mark of what cannot be compared."""
    start = body.lstrip()[:1]
    if start == "<":
        return HTML
    try:
        return json.dumps(json.loads(body), ensure_ascii=False)
    except (ValueError, RecursionError):
        return BROKEN if start in ("{", "[") else body
