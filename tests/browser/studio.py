"""The whole product behind a real port, with members of every fate, for a browser to look at."""

import logging
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.serving import make_server

from linkpay.app import create_app
from linkpay.domain.roles import Role
from linkpay.sandbox.inprocess import MOLLIE_HOST, mounted
from linkpay.services import bulk, signin, withdrawing
from linkpay.store import journal, owners, schema
from linkpay.store.db import Database
from linkpay.store.selection import Filter
from linkpay.store.tables import Site
from linkpay.web.edge import Edge
from tests.flows.crash import Boundaries
from tests.flows.stage import Stage
from tests.ports import free_ports

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PASSWORD = "a sentence is easy to keep"
MIRA = "mira@studio.example.com"


@dataclass(frozen=True)
class Studio:
    """A shop with a past: `address` is where it is served, `bank` a proxy to the hosted payment pages."""

    stage: Stage
    address: str
    bank: str

    def url(self, path: str) -> str:
        """An address of the product."""
        return self.address + path


@contextmanager
def opened(furnish: Callable[[Stage], None]) -> Iterator[Studio]:
    """The shop in a database of its own, after `furnish` gave it its past; served until the end."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'studio.db'}"
        database = Database(url)
        schema.upgrade(database)
        database.dispose()
        with opened_in(url, furnish) as studio:
            yield studio


@contextmanager
def opened_in(url: str, furnish: Callable[[Stage], None]) -> Iterator[Studio]:
    """The same in the database at `url`, which has the whole schema."""
    database = Database(url)
    stage = Stage(database, Boundaries())
    with mounted(stage.sandbox):
        stage.set_up()
        _sign(stage)
        address, bank = (f"http://127.0.0.1:{port}" for port in free_ports(2))
        stage.replace_part("base_url", address)
        furnish(stage)
        edge = Edge("a made-up key that signs nothing real", False, f"http://{MOLLIE_HOST}")
        with _served(create_app(stage.parts, edge), address), _served(stage.sandbox.wsgi, bank):
            yield Studio(stage, address, bank)
    stage.sandbox.close()
    database.dispose()


def _sign(stage: Stage) -> None:
    """What an owner fills in: a way to reach her, and her own sign-in."""
    now = stage.clock.now()
    with stage.database.write() as tx:
        site = tx.get_one(Site, stage.shop.site_id)
        site.support_email, site.login_url = "hallo@studio.example.com", "https://studio.example.com/login"
        owner = owners.owner_for(tx, MIRA, now)
        owner.name, owner.password_hash = "Mira", signin.hash_password(PASSWORD)
        owners.put_role(tx, site.id, owner.id, Role.OWNER, now)


@contextmanager
def _served(app: "WSGIApplication", address: str) -> Iterator[None]:
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server("127.0.0.1", int(address.rpartition(":")[2]), app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


def members_of_every_fate(stage: Stage) -> None:
    """One who pays, one whose debit bounced, one who lost access, one who stopped, one who only began."""
    stage.stop_watching()
    for name in ("anna", "bram", "carla", "dirk"):
        stage.buy(f"{name}@example.com")
    stage.advance(days=29)
    for name in ("bram", "carla"):
        email = f"{name}@example.com"
        stage.bank(stage.mollie_ids(stage.charges(email)[1].id)[-1], "failed", "MD01")
    stage.work()
    stage.stop("dirk@example.com")
    stage.advance(days=9)
    stage.begin("eva@example.com", "terms")
    _waiting(stage)


def _waiting(stage: Stage) -> None:
    """Something that needs a person, and something that was done for many."""
    now, site_id = stage.clock.now(), stage.shop.site_id
    with stage.database.write() as tx:
        for kind, subject in (
            ("late_paid", f"charge:{stage.charges('dirk@example.com')[0].id}"),
            ("takeover", "takeover:1"),
        ):
            journal.need_attention(
                tx, site_id=site_id, kind=kind, subject=subject, detail="Its plan is not sold here.", now=now
            )
        said = withdrawing.Statement("Dirk de Vries", "dirk@example.com", "Members", "nl", "Ik herroep.")
        made = withdrawing.declare(tx, tx.get_one(Site, site_id), said, "-", now)
        withdrawing.pass_on(tx, made.id, now)
        bulk.start(tx, site_id, Filter(), bulk.Order("resume"), f"owner:{MIRA}", now)
    stage.work()
