"""What a transaction has read and need not read again.

One debit asks for the same charge, the same grants and the same coupon many times over, since every rule
reads what it needs. So a transaction keeps what it read until it writes such a row itself, or until it had
to wait for somebody (a lock of PostgreSQL), who may have changed it. On SQLite nobody else writes meanwhile.
Writing is noticed here, not told: through the session there is no way past it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar, cast

from sqlalchemy import Delete, Insert, Select, Update, bindparam, event, select
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, UOWTransaction
from sqlalchemy.orm.attributes import instance_state

from linkpay.store.tables.base import Base

Row = TypeVar("Row", bound=Base)


class About(NamedTuple):
    """Which rows of a table bear on an answer.

    Those with `value` in `column`, any row where none is named. One that is made or removed does; one that
    changes does when the answer also depends on what is `within`, or when what it is `chosen_by` changes.
    """

    column: str | None
    value: object
    within: bool
    chosen_by: tuple[str, ...]

    def bears(self, row: Base, *, is_changed: bool) -> bool:
        """Whether this row does, which was made or removed, or is changed."""
        if is_changed and not instance_state(row).committed_state.keys().isdisjoint(self.chosen_by):
            return True
        about_this = self.column is None or getattr(row, self.column) == self.value
        return about_this and (self.within or not is_changed)


class _Memory:
    """The rows of one transaction by number, and its answers by table and by what they are about."""

    def __init__(self) -> None:
        self.rows: dict[type[Base], dict[int, Base]] = {}
        self.answers: dict[type[Base], dict[About, dict[tuple[object, ...], Any]]] = {}

    def about(self, table: type[Base], about: About) -> dict[tuple[object, ...], Any]:
        """The answers that rows so chosen bear on, by query and arguments."""
        return self.answers.setdefault(table, {}).setdefault(about, {})

    def row_written(self, table: type[Base], values: Mapping[str, object]) -> None:
        """Drop the answers that a new row with these values bears on."""
        of_table = self.answers.get(table)
        if of_table:
            for about in list(of_table):
                if about.column is None or values.get(about.column) == about.value:
                    del of_table[about]

    def row_flushed(self, row: Base, *, is_changed: bool) -> None:
        """Drop the answers that a row bears on which the session wrote."""
        of_table = self.answers.get(type(row))
        if of_table:
            for about in [one for one in of_table if one.bears(row, is_changed=is_changed)]:
                del of_table[about]

    def table_written(self, table: type[Base]) -> None:
        """Drop everything about a table: a statement changed rows that nobody can name."""
        self.answers.pop(table, None)
        self.rows.pop(table, None)


def _memory(tx: Session) -> _Memory:
    known = tx.info.get("memory")
    if known is None:
        known = tx.info["memory"] = _Memory()
    return cast("_Memory", known)


def current(tx: Session, table: type[Row], row_id: int) -> Row:
    """The row as it is now, also when the transaction read it before; it must exist."""
    row = cast("Row", tx.scalars(_by_id(table), {"row_id": row_id}).one())
    _memory(tx).rows.setdefault(table, {})[row_id] = row
    return row


def held(tx: Session, table: type[Row], row_id: int) -> Row:
    """As `current`, but read once between two locks, for rows that nobody changes without the lock."""
    row = _memory(tx).rows.get(table, {}).get(row_id)
    return current(tx, table, row_id) if row is None else cast("Row", row)


def hold(tx: Session, rows: Iterable[Base]) -> None:
    """Rows that were just read as they are now: `held` gives them."""
    known = _memory(tx).rows
    for row in rows:
        known.setdefault(type(row), {})[row.id] = row


def read_anew(tx: Session, *tables: type[Base]) -> None:
    """A lock was waited for: what was read before it, or of these tables, may be old.

    Not so on SQLite, where nobody else writes while a transaction does.
    """
    if tx.get_bind().dialect.name == "sqlite":
        return
    if not tables:
        tx.info.pop("memory", None)
    for table in tables:
        _memory(tx).table_written(table)


def row_written(tx: Session, table: type[Base], values: Mapping[str, object]) -> None:
    """A row with these values was written by a statement of its own."""
    _memory(tx).row_written(table, values)


def keep(tx: Session, *rows: object) -> None:
    """Rows that `tx.get` finds without asking, until the end: a session keeps only what is referred to."""
    tx.info.setdefault("kept", []).extend(rows)
    hold(tx, [row for row in rows if isinstance(row, Base)])


Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")
Query = Callable[Concatenate[Session, Asked], Answer]


def asked_once(query: Query[Asked, Answer]) -> Query[Asked, Answer]:
    """A query that a page asks once, of a transaction that remembers answers (`answers`); others ask anew.

    Its answer is shared by all who ask: nobody changes it.
    """

    @wraps(query)
    def ask(tx: Session, /, *args: Asked.args, **named: Asked.kwargs) -> Answer:
        known = tx.info.get("answers")
        if known is None:
            return query(tx, *args, **named)
        key = (ask, *args, *named.items())
        if key not in known:
            known[key] = query(tx, *args, **named)
        return cast("Answer", known[key])

    return ask


def asked_until_written(
    table: type[Base], column: str | None = None, *, within: bool = False, chosen_by: tuple[str, ...] = ()
) -> Callable[[Query[Asked, Answer]], Query[Asked, Answer]]:
    """The same, where transactions that write remember the answer as well, until they write what bears on it.

    That is a row of `table` whose `column` has the value of the first argument; any row where no column is
    named. A change of such a row only counts with `within`, or when it is of what rows are chosen by: the
    column, and those of `chosen_by`. Where none is named, any change counts.
    """
    chosen_by = chosen_by if column is None else (column, *chosen_by)
    within = within or not chosen_by

    def about_of(args: Sequence[object]) -> About:
        return About(column, args[0] if column is not None else None, within, chosen_by)

    def decorate(query: Query[Asked, Answer]) -> Query[Asked, Answer]:
        @wraps(query)
        def ask(tx: Session, /, *args: Asked.args, **named: Asked.kwargs) -> Answer:
            known, key = tx.info.get("answers"), (ask, *args)
            if known is None:
                about = about_of(args)
                known = _memory(tx).about(table, about)
                # As before any question: what waits to be written may change the answer.
                if key not in known or _waits(tx, table, about):
                    tx.flush()
                    known = _memory(tx).about(table, about)
            if key not in known:
                answer = query(tx, *args, **named)
                if "answers" not in tx.info:
                    known = _memory(tx).about(table, about_of(args))
                known[key] = answer
            return cast("Answer", known[key])

        _BEARS_ON[ask] = (table, about_of)
        return ask

    return decorate


def _waits(tx: Session, table: type[Base], about: About) -> bool:
    """Whether rows that bear on this answer wait in the session."""
    made = (row for rows in (tx.new, tx.deleted) for row in rows)
    if any(isinstance(row, table) and about.bears(row, is_changed=False) for row in made):
        return True
    return any(isinstance(row, table) and about.bears(row, is_changed=True) for row in tx.dirty)


_BEARS_ON: dict[object, tuple[type[Base], Callable[[Sequence[object]], About]]] = {}


def know(tx: Session, query: object, args: tuple[object, ...], answer: object) -> None:
    """This is what a query that is `asked_until_written` would answer."""
    table, about_of = _BEARS_ON[query]
    _memory(tx).about(table, about_of(args))[query, *args] = answer


def remembered(tx: Session, query: object, args: tuple[object, ...]) -> Any:
    """What such a query answered last, for a table whose rows never wait in the session; None: not known."""
    table, about_of = _BEARS_ON[query]
    return _memory(tx).about(table, about_of(args)).get((query, *args))


def answers(tx: Session) -> dict[tuple[Any, ...], Any] | None:
    """What a transaction was told, by query and arguments, remembered from now on; None where it writes."""
    if not tx.info.get("only_reads"):
        return None
    return cast("dict[tuple[Any, ...], Any]", tx.info.setdefault("answers", {}))


def only_reads_on(tx: Session) -> None:
    """Nothing is written in this transaction any more."""
    tx.info["only_reads"] = True


@cache
def _by_id(table: type[Row]) -> Select[Row]:
    query = select(table).where(table.id == bindparam("row_id"))
    return query.execution_options(populate_existing=True)


#: Marks a statement whose writing is told by `row_written`, or whose waiting is told by `read_anew`.
TOLD = {"linkpay_told": True}
_OF_THE_TRANSACTION = ("memory", "locked", "families", "whose")


def watch(sessions: Any) -> None:
    """Notice what is written, waited for and taken back through sessions of this factory."""

    @event.listens_for(sessions, "after_flush")
    def _flushed(session: Session, _context: UOWTransaction) -> None:
        memory = session.info.get("memory")
        if memory is not None and memory.answers:
            for row in (*session.new, *session.deleted):
                memory.row_flushed(row, is_changed=False)
            for row in session.dirty:
                memory.row_flushed(row, is_changed=True)

    @event.listens_for(sessions, "do_orm_execute")
    def _executed(state: ORMExecuteState) -> None:
        memory = state.session.info.get("memory")
        if memory is None or "linkpay_told" in state.execution_options:
            return
        statement = getattr(state.statement, "element", state.statement)  # within `from_statement`
        if isinstance(statement, Insert | Update | Delete):
            table = _mapped(statement.table)
            if table is not None:
                memory.table_written(table)
        elif getattr(statement, "_for_update_arg", None) is not None:
            read_anew(state.session)

    @event.listens_for(sessions, "after_soft_rollback")
    def _taken_back(session: Session, _transaction: SessionTransaction) -> None:
        for name in _OF_THE_TRANSACTION:
            session.info.pop(name, None)


@cache
def _mapped(table: object) -> type[Base] | None:
    classes = (mapper.class_ for mapper in Base.registry.mappers)
    return next((one for one in classes if one.__table__ is table), None)
