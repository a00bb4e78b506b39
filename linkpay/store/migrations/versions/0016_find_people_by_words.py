"""Find people by words, which the database keeps whoever writes a name, and sum up by indexes alone.

By triggers: a version that knows nothing of these tables may run beside the one that does.
"""
# ruff: noqa: S608 - the statements are made of the constants below alone

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0011"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WORD = sa.String(40).with_variant(sa.String(40, collation="C"), "postgresql")
_NAMED = {"customer": ("email", "name"), "member": ("email", "name", "external_user_id")}
_INDEXES = {
    "ix_withdrawal_listed": ("withdrawal", ["site_id", "id"], ""),
    "ix_ledger_summed": ("ledger", ["site_id", "occurred_at", "amount_cents"], ""),
    "ix_charge_unsettled": ("charge", ["site_id", "state", "amount_cents"], "state <> 'paid'"),
    "ix_charge_failed": ("charge", ["site_id", "state", "amount_cents"], "dunning_round > 0"),
    "ix_access_grant_behind_site": ("access_grant", ["site_id", "wanted_at"], "applied_version < version"),
    "ix_subscription_by_plan": ("subscription", ["site_id", "plan_id", "state"], ""),
    "ix_subscription_due_sums": (
        "subscription", ["site_id", "next_charge_on", "amount_cents"], "next_charge_on IS NOT NULL",
    ),
}  # fmt: skip
#: What is between words: none of it stands in the escapes of JSON.
_BETWEEN = " @.-_+',/()&:;|"
#: More of them in each other than SQLite reads are replaced by several statements.
_AT_ONCE = 20


def _plain_letters() -> dict[str, str]:
    """The accented letters of European names, with the one that is typed instead."""
    plain = {"ø": "o", "ł": "l", "đ": "d", "ı": "i"}
    for code in range(0xC0, 0x180):
        letter = unicodedata.normalize("NFKD", chr(code))[0].lower()
        if letter.isascii() and letter.isalpha():
            plain[chr(code)] = letter
    return plain | {letter.upper(): to for letter, to in plain.items() if letter in "øłđ"}


def upgrade() -> None:
    for person in _NAMED:
        op.create_table(
            f"{person}_word",
            sa.Column(f"{person}_id", _BIG, nullable=False),
            sa.Column("word", _WORD, nullable=False),
            sa.Column("site_id", _BIG, nullable=False),
            sa.PrimaryKeyConstraint(f"{person}_id", "word", name=op.f(f"pk_{person}_word")),
            sa.ForeignKeyConstraint(
                [f"{person}_id"], [f"{person}.id"], name=op.f(f"fk_{person}_word_{person}_id"), ondelete="CASCADE"
            ),
            sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f(f"fk_{person}_word_site_id")),
        )  # fmt: skip
        if op.get_bind().dialect.name == "sqlite":
            _keep_on_sqlite(person)
        else:
            _keep_on_postgresql(person)
        # After the rows, of which there may be many.
        op.create_index(f"ix_{person}_word_found", f"{person}_word", ["site_id", "word", f"{person}_id"])
        op.create_index(f"ix_{person}_listed", person, ["site_id", "id"])
    for name, (table, columns, of) in _INDEXES.items():
        some = sa.text(of) if of else None
        op.create_index(name, table, columns, sqlite_where=some, postgresql_where=some)


def _keep_on_sqlite(person: str) -> None:
    fill = f"INSERT INTO {person}_word ({person}_id, site_id, word) "
    drop = f"DELETE FROM {person}_word WHERE {person}_id = NEW.id; "
    plain = _folding(person)
    for verb in ("INSERT", f"UPDATE OF {', '.join(_NAMED[person])}"):
        name = f"{person}_words_{verb[:6].lower()}"
        hers = "; ".join(f"{one} AND {person}_id = NEW.id" for one in plain)
        body = f"{drop}{fill}{_split_on_sqlite(person, 'NEW')}; {hers}"
        op.execute(f"CREATE TRIGGER {name} AFTER {verb} ON {person} BEGIN {_verbatim(body)}; END")
    op.execute(_verbatim(fill + _split_on_sqlite(person, person, f"{person}, ")))
    for one in plain:
        op.execute(_verbatim(one))


def _split_on_sqlite(person: str, row: str, source: str = "") -> str:
    """The text as a list in JSON, cut between words."""
    text = "json_quote(lower(" + " || ' ' || ".join(f"{row}.{column}" for column in _NAMED[person]) + "))"
    for mark in _BETWEEN.strip():
        text = f"replace({text}, '{mark.replace(chr(39), chr(39) * 2)}', ' ')"
    text = f"replace({text}, ' ', '\",\"')"
    return (
        f"SELECT DISTINCT {row}.id, {row}.site_id, substr(one.value, 1, 40)"
        f" FROM {source}json_each('[' || {text} || ']') AS one WHERE one.value <> ''"
    )


def _folding(person: str) -> list[str]:
    letters = list(_plain_letters().items())
    statements = []
    for start in range(0, len(letters), _AT_ONCE):
        word = "word"
        for letter, to in letters[start : start + _AT_ONCE]:
            word = f"replace({word}, '{letter}', '{to}')"
        accented = "".join(letter for letter, _ in letters[start : start + _AT_ONCE])
        statements.append(
            f"UPDATE OR REPLACE {person}_word SET word = {word} WHERE word GLOB '*[{accented}]*'"
        )
    return statements


def _keep_on_postgresql(person: str) -> None:
    into = f"INSERT INTO {person}_word ({person}_id, site_id, word) "
    op.execute(
        _verbatim(
            f"CREATE FUNCTION {person}_words() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"DELETE FROM {person}_word WHERE {person}_id = NEW.id; "
            f"{into}{_split_on_postgresql(person, 'NEW')}; RETURN NULL; END $$"
        )
    )
    op.execute(
        f"CREATE TRIGGER {person}_words AFTER INSERT OR UPDATE OF {', '.join(_NAMED[person])} ON {person} "
        f"FOR EACH ROW EXECUTE FUNCTION {person}_words()"
    )
    op.execute(_verbatim(into + _split_on_postgresql(person, person, f"{person}, ")))


def _split_on_postgresql(person: str, row: str, source: str = "") -> str:
    plain = {chr(code): chr(code).lower() for code in range(ord("A"), ord("Z") + 1)} | _plain_letters()
    text = " || ' ' || ".join(f"{row}.{column}" for column in _NAMED[person])
    folded = f"translate({text}, '{''.join(plain)}', '{''.join(plain.values())}')"
    between = _BETWEEN.replace("'", "''").replace("-", "") + "-"
    return (
        f"SELECT DISTINCT {row}.id, {row}.site_id, left(one, 40)"
        f" FROM {source}regexp_split_to_table({folded}, '[{between}]+') AS one WHERE one <> ''"
    )


def _verbatim(statement: str) -> sa.TextClause:
    """As it is written: a colon names no parameter here."""
    return sa.text(statement.replace(":", "\\:"))


def downgrade() -> None:
    for name, (table, _, _) in _INDEXES.items():
        op.drop_index(name, table_name=table)
    for person in _NAMED:
        if op.get_bind().dialect.name == "sqlite":
            for verb in ("insert", "update"):
                op.execute(f"DROP TRIGGER {person}_words_{verb}")
        else:
            op.execute(f"DROP TRIGGER {person}_words ON {person}")
            op.execute(f"DROP FUNCTION {person}_words()")
        op.drop_index(f"ix_{person}_listed", table_name=person)
        op.drop_table(f"{person}_word")
