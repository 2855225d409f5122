"""A pattern's record is in the order in which its trades were written: each has a number in it.

Existing trades get theirs by when their outcomes were known, which was the order until now: what cites them still does.
When they were written was not kept; that they were when they were known is what voters took for granted.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Do it."""
    op.drop_index(op.f("ix_trade_pattern_pattern_log"), "trade_pattern")
    for name in ("number", "written_ns"):
        op.add_column("trade_pattern", sa.Column(name, sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE trade_pattern SET number = placed.number, written_ns = placed.known_ns FROM ("
        "SELECT link.log, link.trade, link.pattern, trade.known_ns, row_number() OVER "
        "(PARTITION BY link.log, link.pattern ORDER BY trade.known_ns, trade.id) AS number "
        "FROM trade_pattern AS link JOIN trade ON trade.log = link.log AND trade.id = link.trade) AS placed "
        "WHERE placed.log = trade_pattern.log AND placed.trade = trade_pattern.trade "
        "AND placed.pattern = trade_pattern.pattern"
    )
    with op.batch_alter_table("trade_pattern") as table:
        for name in ("number", "written_ns"):
            table.alter_column(name, existing_type=sa.BigInteger(), nullable=False)
        table.create_check_constraint(op.f("ck_trade_pattern_number"), "number > 0")
        table.create_unique_constraint(op.f("uq_trade_pattern_pattern_log_number"), ["pattern", "log", "number"])


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("trade_pattern") as table:
        table.drop_constraint(op.f("uq_trade_pattern_pattern_log_number"), type_="unique")
        table.drop_constraint(op.f("ck_trade_pattern_number"), type_="check")
        table.drop_column("written_ns")
        table.drop_column("number")
    op.create_index(op.f("ix_trade_pattern_pattern_log"), "trade_pattern", ["pattern", "log"])
