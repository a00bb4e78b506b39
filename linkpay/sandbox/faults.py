"""Disturbances on purpose: which calls and deliveries they hit, and what then happens."""

import random
from collections.abc import Callable
from datetime import datetime

from linkpay.errors import InputError
from linkpay.sandbox import ids
from linkpay.sandbox.records import Fault
from linkpay.sandbox.state import Books
from linkpay.sandbox.web import Request, Response

HOLD_SECONDS = 30.0
TARGETS = ("mollie", "kajabi")
WEBHOOK_KINDS = ("webhook_lost", "webhook_twice", "webhook_early", "webhook_reordered")
CALL_KINDS = (
    "status:429",
    "status:500",
    "status:502",
    "status:503",
    "timeout_before",
    "timeout_after",
    "reset_before",
    "reset_after",
    "accepted_202",
    "html",
    "html_after",
    "not_found_once",
)
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"

Answer = Callable[[float], Response]
Problem = Callable[[int], Response]


def is_kind(kind: str) -> bool:
    """Whether this names a disturbance we can make."""
    if kind.startswith("slow:"):
        return kind[5:].isdigit() and int(kind[5:]) <= 120_000
    return kind in CALL_KINDS or kind in WEBHOOK_KINDS


def plan(books: Books, fault: Fault) -> Fault:
    """Let `fault` happen from now on. Raises InputError when it makes no sense."""
    if fault.target not in TARGETS:
        raise InputError("invalid", f"target is one of {', '.join(TARGETS)}", "target")
    if not is_kind(fault.kind):
        known = ", ".join((*CALL_KINDS, *WEBHOOK_KINDS, "slow:<ms>"))
        raise InputError("invalid", f"kind is one of {known}", "kind")
    if not 1 <= fault.remaining <= 1_000_000:
        raise InputError("invalid", "count is a number from 1 to 1000000", "count")
    if not 0 < fault.probability <= 1:
        raise InputError("invalid", "probability is above 0 and at most 1", "probability")
    return books.faults.add(fault)


def new(now: datetime, *, target: str, kind: str, match: str = "", count: int = 1) -> Fault:
    """A fault, not planned yet."""
    return Fault(id=ids.word(8), created_at=now, target=target, match=match, kind=kind, remaining=count)


def take(books: Books, target: str, text: str, wanted: Callable[[str], bool]) -> str | None:
    """The kind of the first fault that hits `text` (a path or address) now, counted down."""
    for fault in list(books.faults):
        if fault.target != target or fault.match not in text or not wanted(fault.kind):
            continue
        fault.draws += 1
        books.faults.save(fault)
        if fault.probability < 1 and not _drawn(fault):
            continue
        fault.hits += 1
        fault.remaining -= 1
        if fault.remaining == 0:
            books.faults.drop(fault)
        return fault.kind
    return None


def _drawn(fault: Fault) -> bool:
    """The next throw of this fault's own dice, the same for the same seed."""
    dice = random.Random(f"{fault.seed}:{fault.draws}")  # noqa: S311 - repeatable, not secret
    return dice.random() < fault.probability


def through(books: Books, target: str, request: Request, answer: Answer, problem: Problem) -> Response:
    """Answer a call, disturbed when a fault hits it. `answer` takes the seconds to dawdle first."""
    if not books.faults:
        return answer(0.0)

    def fits(kind: str) -> bool:
        if kind in WEBHOOK_KINDS:
            return False
        return kind != "not_found_once" or request.method == "GET"

    with books.lock:
        kind = take(books, target, request.path, fits)
    return answer(0.0) if kind is None else _disturb(kind, answer, problem)


def _disturb(kind: str, answer: Answer, problem: Problem) -> Response:
    if kind.startswith("slow:"):
        return answer(int(kind[5:]) / 1000)
    if kind.startswith("status:"):
        return problem(int(kind[7:]))
    match kind:
        case "not_found_once":
            return problem(404)
        case "html":
            return Response(502, HTML)
        case "timeout_before":
            return Response(504, hold_seconds=HOLD_SECONDS, cut=True)
        case "reset_before":
            return Response(502, cut=True)
    done = answer(0.0)
    match kind:
        case "html_after":
            return Response(502, HTML)
        case "accepted_202":
            return problem(202)
        case "timeout_after":
            done.hold_seconds = HOLD_SECONDS
    done.cut = True
    return done
