"""Since when each subject is, so that what one proposal did to several can be told of each.

Existing subjects were each changed by proposals of their own; if not, the tables were of this version before, and most
likely the proposal that last changed one is the first that did (``coinswarm memory rebuild`` is sure).
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Do it."""
    op.add_column("subject", sa.Column("since", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(
        "UPDATE subject SET since = coalesce((SELECT min(entry.position) FROM proposal JOIN entry "
        "ON entry.log = proposal.log AND entry.proposal = proposal.id "
        "WHERE proposal.log = subject.log AND proposal.subject = subject.name AND entry.outcome = 'accept'), "
        "(SELECT entry.position FROM entry WHERE entry.log = subject.log AND entry.proposal = subject.proposal), 0)"
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_column("subject", "since")
