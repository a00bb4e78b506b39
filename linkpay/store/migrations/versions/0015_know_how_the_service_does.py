"""Know how far endless work has come, what was counted and compared, and which programs may ask."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0009"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)
_PARKED = sa.text("parked_at IS NOT NULL AND done_at IS NULL")
_BEHIND = sa.text("applied_version < version")


def _table(name: str, *columns: sa.Column[object] | sa.Constraint) -> None:
    op.create_table(
        name, *columns, sa.Column("id", _BIG, nullable=False), sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
    )  # fmt: skip


def _site(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f(f"fk_{name}_site_id"))


def upgrade() -> None:
    _table(
        "progress",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("machine_at", _INSTANT, nullable=False),
        sa.Column("number", _BIG, nullable=False),
        sa.UniqueConstraint("name", name=op.f("uq_progress_name")),
    )
    _table(
        "counter",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("label", sa.String(60), nullable=False),
        sa.Column("value", _BIG, nullable=False),
        sa.UniqueConstraint("name", "label", name=op.f("uq_counter_name_label")),
        sa.CheckConstraint("value >= 0", name=op.f("ck_counter_grows")),
    )
    _table(
        "book_check",
        sa.Column("site_id", _BIG, nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("differs", _BIG, nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        _site("book_check"),
    )
    op.create_index(op.f("ix_book_check_site_id_id"), "book_check", ["site_id", "id"])
    _table(
        "api_key",
        sa.Column("site_id", _BIG, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("may_write", sa.Boolean(), nullable=False),
        sa.Column("made_by", sa.String(60), nullable=False),
        sa.Column("used_at", _INSTANT),
        sa.Column("revoked_at", _INSTANT),
        sa.UniqueConstraint("hash", name=op.f("uq_api_key_hash")),
        _site("api_key"),
    )
    op.create_index(op.f("ix_api_key_site_id"), "api_key", ["site_id"])
    _table(
        "api_call",
        sa.Column("site_id", _BIG, nullable=False),
        sa.Column("api_key_id", _BIG, nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("status", _BIG, nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.UniqueConstraint("api_key_id", "key", name=op.f("uq_api_call_api_key_id_key")),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_key.id"], name=op.f("fk_api_call_api_key_id")),
        _site("api_call"),
    )
    op.create_index(op.f("ix_api_call_created_at"), "api_call", ["created_at"])
    op.add_column("site", sa.Column("catch_up_from", _INSTANT))
    for table in ("inbox", "outbox"):
        op.create_index(
            op.f(f"ix_{table}_parked"), table, ["parked_at"], sqlite_where=_PARKED, postgresql_where=_PARKED
        )
    op.create_index(
        op.f("ix_access_grant_behind"), "access_grant", ["wanted_at"], sqlite_where=_BEHIND,
        postgresql_where=_BEHIND,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index(op.f("ix_access_grant_behind"), table_name="access_grant")
    for table in ("outbox", "inbox"):
        op.drop_index(op.f(f"ix_{table}_parked"), table_name=table)
    op.drop_column("site", "catch_up_from")
    for table in ("api_call", "api_key", "book_check", "counter", "progress"):
        op.drop_table(table)
