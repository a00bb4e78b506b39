"""Know gifts, moves and drift: events of a member, doubt about access at Kajabi, tags, and nightly reports."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)
_OPEN_GIFT = sa.text("taken_back_at IS NULL")


def _key(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", _BIG, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("site_id", _BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        _to(table, "site_id", "site"),
    ]


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    for name in ("doubted_version", "mismatches"):
        op.add_column("access_grant", sa.Column(name, _BIG, nullable=False, server_default="0"))
    op.add_column("site", sa.Column("kajabi_tags", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("member", sa.Column("kajabi_tags", sa.JSON(), nullable=False, server_default="[]"))
    op.create_index(op.f("ix_member_moved_to_id"), "member", ["moved_to_id"])
    op.create_index(
        "uq_gift_open", "gift", ["member_id", "offer_id"], unique=True,
        sqlite_where=_OPEN_GIFT, postgresql_where=_OPEN_GIFT,
    )  # fmt: skip
    with op.batch_alter_table("event") as batch:
        batch.add_column(sa.Column("member_id", _BIG))
        batch.create_foreign_key(op.f("fk_event_member_id"), "member", ["member_id"], ["id"])
    op.create_index(op.f("ix_event_member_id"), "event", ["member_id"])
    op.create_table(
        "drift_run",
        sa.Column("offer_id", _BIG, nullable=False),
        sa.Column("next_page", _BIG, nullable=False),
        sa.Column("holders", _BIG, nullable=False),
        sa.Column("strangers", _BIG, nullable=False),
        sa.Column("finished_at", _INSTANT),
        *_key("drift_run"),
        _to("drift_run", "offer_id", "offer"),
    )
    op.create_index(op.f("ix_drift_run_offer_id"), "drift_run", ["offer_id"])
    op.create_table(
        "drift_finding",
        sa.Column("run_id", _BIG, nullable=False),
        sa.Column("grant_id", _BIG, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("repaired", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('missing', 'extra')", name=op.f("ck_drift_finding_kind")),
        *_key("drift_finding"),
        _to("drift_finding", "run_id", "drift_run"),
        _to("drift_finding", "grant_id", "access_grant"),
        sa.UniqueConstraint("run_id", "grant_id", name=op.f("uq_drift_finding_run_id_grant_id")),
    )


def downgrade() -> None:
    op.drop_table("drift_finding")
    op.drop_table("drift_run")
    op.drop_index(op.f("ix_event_member_id"), table_name="event")
    with op.batch_alter_table("event") as batch:
        batch.drop_constraint(op.f("fk_event_member_id"), type_="foreignkey")
        batch.drop_column("member_id")
    op.drop_index("uq_gift_open", table_name="gift")
    op.drop_index(op.f("ix_member_moved_to_id"), table_name="member")
    op.drop_column("member", "kajabi_tags")
    op.drop_column("site", "kajabi_tags")
    for name in ("mismatches", "doubted_version"):
        op.drop_column("access_grant", name)
