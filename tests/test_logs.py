"""Log lines: fields, correlation, and canaries that must never come out in any way in."""

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpay import logs
from linkpay.logs import configure, correlation, current_correlation
from linkpay.redaction import clean

LOG = logging.getLogger("linkpay.tests")


@pytest.fixture(autouse=True)
def _restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    kept = (root.handlers[:], root.level, logging.raiseExceptions, sys.excepthook, threading.excepthook)
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level, logging.raiseExceptions, sys.excepthook, threading.excepthook = kept


def written(act: Callable[[], object], *, as_json: bool = True) -> str:
    stream = io.StringIO()
    configure("DEBUG", as_json=as_json, stream=stream)
    act()
    return stream.getvalue()


def line(act: Callable[[], object]) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(written(act))
    return parsed


def test_a_json_line_holds_the_event_its_fields_and_utc() -> None:
    parts = line(lambda: LOG.info("payment %s booked", "tr_1", extra={"cents": 5000, "site": "demo"}))
    assert list(parts) == ["at", "level", "logger", "event", "cents", "site"]
    assert (parts["event"], parts["cents"], parts["level"]) == ("payment tr_1 booked", 5000, "info")
    assert parts["at"].endswith("+00:00")


def test_a_text_line_reads_well() -> None:
    text = written(
        lambda: LOG.warning("slow", extra={"ms": 12, "why": "two words", "none": ""}), as_json=False
    )
    assert text.rstrip("\n").endswith('warning  linkpay.tests  slow  ms=12  why="two words"  none=""')


def test_an_extra_cannot_take_the_place_of_the_level() -> None:
    parts = line(lambda: LOG.info("x", extra={"event": "charge_due", "level": "none", "logger": "none"}))
    assert (parts["event"], parts["message"]) == ("charge_due", "x")
    assert (parts["level"], parts["logger"]) == ("info", "linkpay.tests")


def test_the_correlation_id_marks_what_is_logged_inside() -> None:
    def act() -> None:
        with correlation("outer"):
            with correlation() as inner:
                assert current_correlation() == inner
                LOG.info("a")
            LOG.info("b")
        LOG.info("c")

    a, b, c = (json.loads(row) for row in written(act).splitlines())
    assert len(a["correlation"]) == 16
    assert b["correlation"] == "outer"
    assert "correlation" not in c


def test_no_correlation_id_is_taken_for_an_account_number(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = "ab2268a8baa397f4"
    assert clean(drawn) == "[iban]", "this one proves to be one"
    monkeypatch.setattr(logs, "getrandbits", lambda _bits: int(drawn, 16))
    with correlation() as identity:
        assert clean(identity) == identity
        assert len(identity) == 16


def test_threads_do_not_share_a_correlation_id() -> None:
    def job(number: int) -> bool:
        with correlation(f"job-{number}"):
            barrier.wait(timeout=5)
            return current_correlation() == f"job-{number}"

    barrier = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(job, range(4)))


def _raise(text: str) -> None:
    raise ValueError(text)


def _chained(secret: str) -> None:
    try:
        try:
            _raise(f"inner {secret}")
        except ValueError as error:
            raise RuntimeError(f"outer {secret}") from error
    except RuntimeError:
        LOG.exception("call failed", stack_info=True)


def _uncaught(secret: str) -> None:
    try:
        _raise(secret)
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)


def _in_thread(secret: str) -> None:
    thread = threading.Thread(target=_raise, args=(secret,))
    thread.start()
    thread.join()


def _correlated(secret: str) -> None:
    with correlation(secret):
        LOG.info("x")


WAYS_IN: dict[str, Callable[[str], object]] = {
    "message": LOG.info,
    "argument": lambda s: LOG.info("got %s", s),
    "argument shown as Python": lambda s: LOG.info("got %r", {"to": [s]}),
    "argument too many": lambda s: LOG.info("got nothing", s),  # noqa: PLE1205 (the mistake is the point)
    "argument of the wrong kind": lambda s: LOG.info("got %d", s),
    "extra": lambda s: LOG.info("x", extra={"detail": s}),
    "nested extra": lambda s: LOG.info("x", extra={"detail": {"list": [(s, 1), {s: s}]}}),
    "object in extra": lambda s: LOG.info("x", extra={"detail": ValueError(s)}),
    "JSON in extra": lambda s: LOG.info("x", extra={"body": json.dumps({"v": f"\n{s}"})}),
    "long value": lambda s: LOG.info("x", extra={"body": f"{s} " * 2000}),
    "traceback": _chained,
    "uncaught": _uncaught,
    "uncaught in a thread": _in_thread,
    "correlation id": _correlated,
}


ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
CANARY = st.text(alphabet=ALNUM, min_size=30, max_size=40)
SECRETS = st.one_of(
    CANARY.map(lambda c: (f"{c}@example.test", c)),
    CANARY.map(lambda c: (f"live_{c}", c)),
    CANARY.map(lambda c: (f"access_{c}", c)),
    CANARY.map(lambda c: (f"Bearer {c}", c)),
    CANARY.map(lambda c: (f"https://checkout.kajabi.com/webhooks/offers/{c}/21/activate", c)),
    CANARY.map(lambda c: (f"smtp://user:{c}@mail.example.test", c)),
    CANARY.map(lambda c: (f"https://x.test/p?token={c}&a=1", c)),
    CANARY.map(lambda c: (f"gAAAAA{c}==", c)),
)


@pytest.mark.parametrize("way", WAYS_IN)
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
@settings(max_examples=25, deadline=None)
@given(secret=SECRETS)
def test_no_way_in_lets_a_canary_out(way: str, as_json: bool, secret: tuple[str, str]) -> None:
    text, canary = secret
    out = written(lambda: WAYS_IN[way](text), as_json=as_json)
    assert out
    assert canary not in out


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_no_value_can_forge_a_line(as_json: bool) -> None:
    evil = "x\r\n2026-01-01 00:00:00.000 critical linkpay  forged\x1b[2J\u2028"

    def act() -> None:
        with correlation(evil):
            LOG.info(evil, extra={"detail": evil, "list": [evil], "map": {evil: evil}})
        _chained(evil)

    out = written(act, as_json=as_json)
    assert not any(row.startswith("2026-01-01 00") for row in out.splitlines())
    assert "\x1b" not in out
    if as_json:
        assert all(json.loads(row) for row in out.splitlines())
        assert len(out.splitlines()) == 2


def test_nothing_is_printed_besides_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    written(lambda: LOG.info("%d", "jan@example.test"))
    assert capsys.readouterr() == ("", "")
