"""Webhooks that nobody sent: whatever is posted to whichever address changes nothing and tells nothing."""

import random
import string
import time
from collections import Counter
from collections.abc import Callable
from statistics import median

from flask import Flask
from flask.testing import FlaskClient

from linkpay.services import setup
from linkpay.services.specs import SiteSpec
from linkpay.store.tables import Charge, Grant, Inbox, LedgerEntry, Payment, Subscription
from tests.flows.stage import Stage

FORM = "application/x-www-form-urlencoded"
_LETTERS = string.ascii_letters + string.digits


def _made_up(dice: random.Random, length: int) -> str:
    return "".join(dice.choice(_LETTERS) for _ in range(length))


def _state(stage: Stage) -> dict[str, int]:
    with stage.database.read() as tx:
        return {
            table.__tablename__: tx.query(table).count()
            for table in (Charge, Grant, LedgerEntry, Payment, Subscription)
        }


def test_two_thousand_forged_webhooks_change_nothing_and_learn_nothing(stage: Stage, app: Flask) -> None:
    """Random and real ids, other people's, at addresses of nobody; doubled, huge and broken bodies."""
    stage.buy("anna@example.com")
    real = stage.mollie_ids(stage.charges("anna@example.com")[0].id)[0]
    stage.stop_watching()
    before, calls = _state(stage), len(stage.sandbox_calls("/v2/"))
    looked_at = len(stage.sandbox_calls(f"/v2/payments/{real}"))
    dice, client = random.Random(11), app.test_client()
    ids: list[Callable[[], str]] = [
        lambda: "tr_" + _made_up(dice, 10), lambda: real, lambda: _made_up(dice, 30), lambda: "tr_\0" + real,
        lambda: "", lambda: "tr_" + "9" * 300, lambda: real + "' OR 1=1 --",
    ]  # fmt: skip
    seen: Counter[int] = Counter()
    for _ in range(1_700):
        token = dice.choice((_made_up(dice, 32), stage.shop.token[:-1], stage.shop.token.upper(), "studio"))
        seen[client.post(f"/webhooks/mollie/{token}", data={"id": dice.choice(ids)()}).status_code] += 1
    for _ in range(300):
        seen[_odd(client, dice, stage.shop.token, real)] += 1
    assert sum(seen.values()) == 2_000
    assert not [status for status in seen if status >= 500], seen
    with stage.database.read() as tx:
        kept = {message.ref for message in tx.query(Inbox) if message.done_at is None}
    assert kept == set(), "what is no single id of Mollie's is kept by nobody"
    stage.work()
    assert _state(stage) == before
    assert len(stage.sandbox_calls("/v2/")) == calls
    other = stage.open_shop("other", "test_another")
    # Another site's address takes a real id of ours, finds it nowhere at its own account, and forgets it.
    assert client.post(f"/webhooks/mollie/{other.token}", data={"id": real}).status_code == 200
    stage.advance(minutes=10)
    assert _state(stage) == before
    assert len(stage.sandbox_calls(f"/v2/payments/{real}")) <= 4 + looked_at


def _odd(client: FlaskClient, dice: random.Random, token: str, real: str) -> int:
    """One request at the right address that is not what Mollie sends."""
    url = f"/webhooks/mollie/{token}"
    requests = (
        lambda: client.get(url),
        lambda: client.put(url, data={"id": real}),
        lambda: client.head(url),
        lambda: client.delete(url),
        lambda: client.post(url, data=f"id={real}&id={real}", content_type=FORM),
        lambda: client.post(url, json={"id": real}),
        lambda: client.post(url, data=b"<id>" + real.encode() + b"</id>", content_type="text/xml"),
        lambda: client.post(url, data={"id": "tr_" + "x" * 65_600}),
        lambda: client.post(url, data={"id[]": real}),
        lambda: client.post(url, data=b"\xff\xfe\x00", content_type=FORM),
        lambda: client.post(url, data={"id": f"tr_{_made_up(dice, 6)}/../{real}"}),
        lambda: client.post(url, data=b"id=tr_%00%0a", content_type=FORM),
    )
    return dice.choice(requests)().status_code


def test_a_stranger_cannot_tell_real_ids_from_made_up_ones(stage: Stage, app: Flask) -> None:
    """The same body and, in the middle, the same time: to the edge both are one row."""
    stage.buy("anna@example.com")
    real = stage.mollie_ids(stage.charges("anna@example.com")[0].id)[0]
    dice, client = random.Random(3), app.test_client()
    times: dict[str, list[float]] = {"real": [], "made up": []}
    bodies = set()
    for _ in range(100):
        for kind, payment in (("real", real), ("made up", "tr_" + _made_up(dice, len(real) - 3))):
            started = time.perf_counter()
            answer = client.post(f"/webhooks/mollie/{stage.shop.token}", data={"id": payment})
            times[kind].append(time.perf_counter() - started)
            bodies.add((answer.status_code, answer.data))
    assert bodies == {(200, b"")}
    assert abs(median(times["real"]) - median(times["made up"])) < 0.010


def test_webhook_addresses_cannot_be_guessed(stage: Stage) -> None:
    """A site's token holds 24 random bytes, as text at least 32 letters, and no two are alike."""
    tokens = set()
    for number in range(20):
        with stage.database.write() as tx:
            spec = SiteSpec(slug=f"fresh-{number}", name="Fresh", mollie_key="test_" + "k" * 30)
            tokens.add(setup.apply(tx, spec, stage.parts.box, stage.clock.now()).token)
    assert len(tokens) == 20
    assert min(map(len, tokens)) >= 32
