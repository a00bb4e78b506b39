"""Forgers against everybody else: ``python -m tests.chaos.siege [--database URL] [--webhooks]``.

The product's real processes. One forger sends 10,000 requests a minute: webhooks for sites that are not
there, passwords, e-mail addresses that want a link, orders that are none, bodies that are too large. Or a
hundred of them send as many webhooks for sites that are not there. Meanwhile people look at the checkout,
Mollie posts, and buyers pay. Prints a table, writes one JSON file, and fails when a real request takes a
second at p99, or any answer is a five-hundred.
"""

import argparse
import json
import secrets
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import requests

from config.environment import ROOT
from linkpay.cli import demo
from linkpay.store import sites
from tests.bench.figures import machine_line, say
from tests.bench.load import Answers, get, open_load, post_form
from tests.chaos.__main__ import database_for
from tests.processes.machine import machine_running
from tests.processes.patience import until
from tests.processes.shoppers import Order, Shop

PER_MINUTE = 10_000
LIMIT_MS = 1_000.0
_FORGER, _OTHERS = "203.0.114.9", "198.51.101.7"
_FORGERS = tuple(f"203.0.115.{number}" for number in range(1, 101))
#: Requests a second of real traffic: pages and webhooks; and buyers who pay on the way.
_LOOKS, _POSTS, _BUYERS = 5.0, 5.0, 10


def forged(port: int) -> dict[str, Sequence[bytes]]:
    """What the forger sends, in equal parts; it has a session and a form token like anybody."""
    large = b"id=" + b"x" * 65_536
    sent = {
        "webhook of nobody": post_form(f"/webhooks/mollie/{secrets.token_urlsafe(24)}", b"id=tr_forged"),
        "password": _typed(port, "/owner/sign-in", "email=mira%40example.com&password=guess"),
        "link by mail": _typed(port, f"/{demo.SITE}/portal", "email=nobody%40example.com"),
        "order that is none": _typed(
            port, f"/{demo.SITE}/buy/{demo.OFFER}", "name=x&email=nothing&plan=none"
        ),
        "too large": post_form(f"/webhooks/mollie/{secrets.token_urlsafe(24)}", large),
    }
    return {name: [_from(_FORGER, request)] for name, request in sent.items()}


def forged_webhooks() -> dict[str, Sequence[bytes]]:
    """What a hundred forgers send, each to a site of her own that is not there."""
    return {
        "webhook of nobody": [
            _from(forger, post_form(f"/webhooks/mollie/{secrets.token_urlsafe(24)}", b"id=tr_forged"))
            for forger in _FORGERS
        ]
    }


def _from(address: str, request: bytes) -> bytes:
    """The same request as the proxy in front passes it on that was asked from this address."""
    return request.replace(b"\r\n", f"\r\nX-Forwarded-For: {address}\r\n".encode(), 1)


def _typed(port: int, path: str, fields: str) -> bytes:
    """A POST as a browser would send it that has looked at the page."""
    page = requests.get(f"http://127.0.0.1:{port}{path}", timeout=10)
    token = page.text.partition('name="form_token" value="')[2].partition('"')[0]
    cookies = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    plain = post_form(path, f"form_token={token}&{fields}".encode())
    return plain.replace(b"\r\n", f"\r\nCookie: {cookies}\r\n".encode(), 1)


def besiege(shop: Shop, attacks: Mapping[str, Sequence[bytes]], seconds: float) -> dict[str, Answers]:
    """All at once, for some seconds; what everybody was answered, and how long buyers waited for access."""
    port, token = shop.machine.settings.port, _token(shop)
    buyers = shop.orders("siege", _BUYERS)
    load = partial(open_load, port, seconds=seconds)
    share = PER_MINUTE / 60 / len(attacks)
    real = {
        "real: page": (get(f"/{demo.SITE}/buy/{demo.OFFER}"), _LOOKS),
        "real: webhook": (post_form(f"/webhooks/mollie/{token}", b"id=tr_unknown"), _POSTS),
    }
    for name, (request, pace) in real.items():  # a process that serves already, and has its templates ready
        assert set(open_load(port, request, per_second=pace, seconds=2, connections=4).statuses) == {200}, (
            name
        )
    with ThreadPoolExecutor(len(attacks) + len(real) + 1) as pool:
        running = {
            name: pool.submit(load, requests, per_second=share, connections=16)
            for name, requests in attacks.items()
        }
        running |= {
            name: pool.submit(load, _from(_OTHERS, request), per_second=pace, connections=8)
            for name, (request, pace) in real.items()
        }
        waits = pool.submit(_pay, shop, buyers, seconds)
        answers = {name: future.result() for name, future in running.items()}
        answers["real: paid to access"] = waits.result()
    return answers


def _pay(shop: Shop, buyers: Sequence[Order], seconds: float) -> Answers:
    """Each pays in turn, and waits until Kajabi lets her in."""
    answers = Answers()
    for number, buyer in enumerate(buyers):
        began = time.perf_counter()
        shop.pay([buyer], per_second=1)
        until(partial(_is_in, shop, buyer), 60)
        answers.milliseconds.append(1000 * (time.perf_counter() - began))
        answers.statuses[200] += 1
        time.sleep(max(0.0, seconds * 0.8 / len(buyers) - (time.perf_counter() - began)))
        answers.seconds += number >= 0
    return answers


def _is_in(shop: Shop, buyer: Order) -> bool:
    return shop.outside([buyer]) == 0


def _token(shop: Shop) -> str:
    with shop.parts.database.read() as tx:
        site = sites.by_slug(tx, demo.SITE)
        assert site is not None
        return site.token


def wrong(answers: dict[str, Answers]) -> list[str]:
    """What was not as promised."""
    found = []
    for name, one in answers.items():
        if any(status >= 500 for status in one.statuses):
            found.append(f"{name}: answered {dict(one.statuses)}")
        if name.startswith("real") and "access" not in name:
            if set(one.statuses) != {200}:
                found.append(f"{name}: answered {dict(one.statuses)}")
            if one.at(0.99) > LIMIT_MS:
                found.append(f"{name}: {one.at(0.99):.0f} ms at p99, more than {LIMIT_MS:.0f}")
    if answers["real: paid to access"].at(1.0) > 10_000:
        found.append("a buyer waited more than 10 s for access")
    return found


def main() -> int:
    """Exit status 1 when something was not as promised."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.siege")
    parser.add_argument("--database", metavar="URL")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--webhooks", action="store_true", help="a hundred forgers, who send webhooks only")
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="siege") as folder,
        database_for(chosen.database, folder) as url,
        machine_running(Path(folder) / "var", url, detour=lambda _port: {"TRUSTED_PROXIES": "1"}) as (
            machine,
            parts,
        ),
    ):
        attacks = forged_webhooks() if chosen.webhooks else forged(machine.settings.port)
        answers = besiege(Shop(machine, parts), attacks, chosen.seconds)
    say(f"{'':24} {'count':>6} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'max ms':>8}  answers")
    for name, one in answers.items():
        shown = f"{one.at(0.5):8.0f} {one.at(0.95):8.0f} {one.at(0.99):8.0f} {one.at(1.0):8.0f}"
        say(f"{name:24} {len(one.milliseconds):6} {shown}  {dict(one.statuses)}")
    findings = wrong(answers)
    figures = {
        name: {"p99_ms": one.at(0.99), "statuses": dict(one.statuses)} for name, one in answers.items()
    }
    path = ROOT / "var" / "siege.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        json.dumps({"machine": machine_line(), "answers": figures, "findings": findings}, indent=1)
    )
    say("\n".join(findings) or "nothing wrong")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
