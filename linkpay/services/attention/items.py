"""The attention list as people read it: what happened, what was done already, and what they can press."""

from dataclasses import dataclass
from datetime import datetime

from linkpay.errors import NotFound
from linkpay.services.attention import facts
from linkpay.services.attention.answers import ASKS, LABELS, Action
from linkpay.services.attention.kinds import kind_of
from linkpay.services.formats import LOCALES
from linkpay.store import journal, troubles
from linkpay.store.db import Tx
from linkpay.store.tables import Attention

#: More than this nobody reads at once; solving some shows the next.
_MOST = 500


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press; `asks` names what must be said along with it."""

    action: Action
    label: str
    asks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One trouble. `rows` are the messages and pieces of work that stand still because of it.

    `subscription_id` is whose it is, where it is about one.
    """

    id: int
    kind: str
    since: datetime
    happened: str
    done: str
    buttons: tuple[Button, ...]
    rows: tuple[str, ...]
    subscription_id: int | None = None


def open_items(tx: Tx, site_id: int, locale: str = "nl", *, limit: int = _MOST) -> tuple[list[Item], int]:
    """What waits for a person on this site, oldest first, at most `limit` of it; and how much there is."""
    found, number = troubles.opened(tx, site_id, limit)
    return [_item(tx, one, locale) for one in found], number


def one(tx: Tx, site_id: int, item_id: int, locale: str = "nl") -> Item:
    """One trouble of this site, open or not. Raises NotFound."""
    return _item(tx, find(tx, site_id, item_id), locale)


def find(tx: Tx, site_id: int, item_id: int) -> Attention:
    """The row of this site. Raises NotFound, also for one of another site."""
    found = journal.attention(tx, site_id, item_id)
    if found is None:
        raise NotFound("attention_unknown", f"There is no trouble {item_id} on this site.", "id")
    return found


def _item(tx: Tx, found: Attention, locale: str) -> Item:
    language = locale if locale in LOCALES else "nl"
    kind, known = kind_of(found.kind, found.data.get("problem")), facts.of(tx, found, language)
    return Item(
        id=found.id,
        kind=found.kind,
        since=found.created_at,
        happened=kind.happened[language].format_map(known),
        done=kind.done[language].format_map(known),
        buttons=tuple(Button(one, LABELS[one][language], ASKS.get(one, ())) for one in kind.actions),
        rows=tuple(f"{row.__tablename__}:{row.id}" for row in facts.rows_behind(tx, found)),
        subscription_id=facts.subscription_of(tx, found),
    )
