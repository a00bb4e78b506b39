"""Where a person still shows in the database, and the way to be forgotten."""

from sqlalchemy import select

from linkpay.store.tables import Base
from tests.flows.stage import Stage
from tests.web.portal.guests import ANNA, PORTAL
from tests.web.visitor import Visitor, words_of


def traces(stage: Stage, *what: str) -> list[tuple[str, str]]:
    """Every column of every table that shows one of these words, and what it says."""
    found = []
    with stage.database.read() as tx:
        for table in Base.metadata.sorted_tables:
            for row in tx.execute(select(table)).all():
                for column, value in row._mapping.items():
                    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
                    if any(one.lower() in text.lower() for one in what):
                        found.append((f"{table.name}.{column}", text[:150]))
    return found


def ask_to_be_forgotten(visitor: Visitor, stage: Stage) -> None:
    """Press the button; the rest is work."""
    stage.work()
    done = visitor.press(visitor.look(f"{PORTAL}/data"), -1, sure="yes")
    assert done.status_code == 200, words_of(done)


def forget(visitor: Visitor, stage: Stage, email: str = ANNA) -> None:
    """End what runs for who has this address, and forget who is signed in."""
    stage.stop(email)
    ask_to_be_forgotten(visitor, stage)
    stage.advance(minutes=5)
