"""Let people sign in: sessions, second factor, recovery codes, invitations, throttled attempts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)
_ROLES = "role IN ('owner', 'support', 'read_only')"


def _key(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", _BIG, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "owner_session",
        sa.Column("owner_id", _BIG, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("whole_at", _INSTANT),
        sa.Column("ended_at", _INSTANT),
        *_key("owner_session"),
        _to("owner_session", "owner_id", "owner"),
        sa.UniqueConstraint("hash", name=op.f("uq_owner_session_hash")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("owner_id", _BIG, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("used_at", _INSTANT),
        *_key("recovery_code"),
        _to("recovery_code", "owner_id", "owner"),
        sa.UniqueConstraint("owner_id", "hash", name=op.f("uq_recovery_code_owner_id_hash")),
    )
    op.create_table(
        "invitation",
        sa.Column("site_id", _BIG, nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("invited_by", sa.String(60), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("accepted_at", _INSTANT),
        sa.Column("withdrawn_at", _INSTANT),
        *_key("invitation"),
        _to("invitation", "site_id", "site"),
        sa.UniqueConstraint("hash", name=op.f("uq_invitation_hash")),
        sa.CheckConstraint(_ROLES, name=op.f("ck_invitation_role")),
    )
    op.create_table(
        "attempt",
        sa.Column("subject", sa.String(64), nullable=False),
        *_key("attempt"),
        sa.CheckConstraint("subject <> ''", name=op.f("ck_attempt_subject")),
    )
    op.create_index(op.f("ix_owner_session_owner_id"), "owner_session", ["owner_id"])
    op.create_index(op.f("ix_recovery_code_owner_id"), "recovery_code", ["owner_id"])
    op.create_index(op.f("ix_invitation_site_id"), "invitation", ["site_id"])
    op.create_index(op.f("ix_site_owner_owner_id"), "site_owner", ["owner_id"])
    op.create_index("ix_attempt_subject_created_at", "attempt", ["subject", "created_at"])
    op.add_column("owner", sa.Column("locale", sa.String(8), nullable=False, server_default="nl"))
    op.add_column("owner", sa.Column("totp_sealed", sa.String(500)))
    op.add_column("owner", sa.Column("totp_confirmed_at", _INSTANT))
    op.add_column("owner", sa.Column("totp_step", _BIG, nullable=False, server_default="0"))
    with op.batch_alter_table("site_owner") as batch:
        batch.alter_column("role", existing_type=sa.String(12), type_=sa.String(24), existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("site_owner") as batch:
        batch.alter_column("role", existing_type=sa.String(24), type_=sa.String(12), existing_nullable=False)
    for column in ("totp_step", "totp_confirmed_at", "totp_sealed", "locale"):
        op.drop_column("owner", column)
    op.drop_index("ix_attempt_subject_created_at", table_name="attempt")
    op.drop_index(op.f("ix_site_owner_owner_id"), table_name="site_owner")
    for table in ("attempt", "invitation", "recovery_code", "owner_session"):
        op.drop_table(table)
