"""Know the one browser that ordered, and the mandate that a link made for it may charge."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("subscription", sa.Column("ordered_by", sa.String(22), nullable=True))
    with op.batch_alter_table("upsell") as upsell:
        upsell.add_column(sa.Column("mandate_id", _BIG, nullable=True))
        upsell.create_foreign_key(op.f("fk_upsell_mandate_id"), "mandate", ["mandate_id"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("upsell") as upsell:
        upsell.drop_constraint(op.f("fk_upsell_mandate_id"), type_="foreignkey")
        upsell.drop_column("mandate_id")
    op.drop_column("subscription", "ordered_by")
