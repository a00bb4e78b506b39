"""Do the same for many members, keep filters by a name, and find members by key."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0014"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)
_WAITING = sa.text("outcome IS NULL")
_NO_BUMP = sa.text("origin <> 'bump'")
_LISTED = {
    "ix_subscription_listed": ["site_id", "id"],
    "ix_subscription_listed_state": ["site_id", "state", "id"],
}
_OPEN = sa.text("done_at IS NULL")


def _table(name: str, refers: dict[str, str], *columns: sa.Column[object] | sa.Constraint) -> None:
    op.create_table(
        name,
        *(sa.Column(column, _BIG, nullable=False) for column in refers),
        *columns,
        sa.Column("id", _BIG, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{name}_{column}"))
            for column, other in refers.items()
        ),
    )


def upgrade() -> None:
    _table(
        "saved_view",
        {"site_id": "site", "owner_id": "owner"},
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.UniqueConstraint("site_id", "owner_id", "name", name=op.f("uq_saved_view_site_id_owner_id_name")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_saved_view_has_a_name")),
    )
    _table(
        "bulk_run",
        {"site_id": "site"},
        sa.Column("act", sa.String(24), nullable=False),
        sa.Column("actor", sa.String(60), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("total", _BIG, nullable=False),
        sa.Column("stopped_at", _INSTANT),
    )
    op.create_index(op.f("ix_bulk_run_site_id"), "bulk_run", ["site_id"])
    _table(
        "bulk_item",
        {"site_id": "site", "run_id": "bulk_run", "subscription_id": "subscription"},
        sa.Column("batch", _BIG, nullable=False),
        sa.Column("outcome", sa.String(40)),
        sa.Column("done_at", _INSTANT),
        sa.UniqueConstraint("run_id", "subscription_id", name=op.f("uq_bulk_item_run_id_subscription_id")),
    )
    op.create_index("ix_bulk_item_run_id_batch", "bulk_item", ["run_id", "batch"])
    op.create_index(
        "ix_bulk_item_waiting", "bulk_item", ["run_id"], sqlite_where=_WAITING, postgresql_where=_WAITING
    )
    for name, columns in _LISTED.items():
        op.create_index(name, "subscription", columns, sqlite_where=_NO_BUMP, postgresql_where=_NO_BUMP)
    op.create_index(
        "ix_outbox_waiting", "outbox", ["kind", "target_id"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_waiting", table_name="outbox")
    for name in _LISTED:
        op.drop_index(name, table_name="subscription")
    for table in ("bulk_item", "bulk_run", "saved_view"):
        op.drop_table(table)
