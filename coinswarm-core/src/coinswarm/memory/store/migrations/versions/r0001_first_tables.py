"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Do it."""
    op.create_table(
        "agent_state",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("weights", sa.BigInteger(), nullable=False),
        sa.Column("thresholds", sa.Text(), nullable=False),
        sa.Column("regime_tags", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("valid_until", sa.BigInteger(), nullable=True),
        sa.Column("seated", sa.Boolean(), nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("valid_until IS NULL OR timestamp <= valid_until", name=op.f("ck_agent_state_times")),
        sa.PrimaryKeyConstraint("log", "id", name=op.f("pk_agent_state")),
    )
    op.create_index(op.f("ix_agent_state_agent_id_log"), "agent_state", ["agent_id", "log"])

    op.create_table(
        "certificate",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.CheckConstraint("tier IN ('bronze', 'silver', 'gold')", name=op.f("ck_certificate_tier")),
        sa.PrimaryKeyConstraint("log", "agent_id", "digest", name=op.f("pk_certificate")),
        sa.UniqueConstraint("agent_id", "number", "log", name=op.f("uq_certificate_agent_id_number_log")),
    )
    op.create_table(
        "daily_return",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("return_ppm", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("day >= 0", name=op.f("ck_daily_return_day")),
        sa.CheckConstraint("return_ppm > -1000000", name=op.f("ck_daily_return_return")),
        sa.PrimaryKeyConstraint("log", "series", "day", name=op.f("pk_daily_return")),
    )
    op.create_table(
        "episode",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("bot_id", sa.Text(), nullable=False),
        sa.Column("embedding_id", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("reward", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("regime_id", sa.Text(), nullable=False),
        sa.Column("weight", sa.BigInteger(), nullable=False),
        sa.Column("space", sa.Text(), nullable=False),
        sa.Column("dimension", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("action IN ('long', 'short')", name=op.f("ck_episode_action")),
        sa.CheckConstraint("outcome IN ('stopped', 'closed')", name=op.f("ck_episode_outcome")),
        sa.PrimaryKeyConstraint("log", "id", name=op.f("pk_episode")),
    )
    op.create_table(
        "log",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("shard", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log")),
        sa.UniqueConstraint("cluster", "shard", name=op.f("uq_log_cluster_shard")),
    )
    op.create_table(
        "pattern",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sample_size", sa.BigInteger(), nullable=False),
        sa.Column("mean_pnl", sa.BigInteger(), nullable=True),
        sa.Column("std_dev", sa.BigInteger(), nullable=True),
        sa.Column("sharpe", sa.BigInteger(), nullable=True),
        sa.Column("win_rate", sa.BigInteger(), nullable=True),
        sa.Column("tail_5pct", sa.BigInteger(), nullable=True),
        sa.Column("tail_95pct", sa.BigInteger(), nullable=True),
        sa.Column("mean_slippage", sa.BigInteger(), nullable=True),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("last_updated", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("capital_bp", sa.BigInteger(), nullable=False),
        sa.Column("variants", sa.BigInteger(), nullable=False),
        sa.Column("registered_ns", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("sample_size >= 0", name=op.f("ck_pattern_sample_size")),
        sa.CheckConstraint("version > 0", name=op.f("ck_pattern_version")),
        sa.PrimaryKeyConstraint("log", "id", name=op.f("pk_pattern")),
    )
    op.create_table(
        "proposal",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("submitter", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log", "id", name=op.f("pk_proposal")),
    )
    op.create_index(op.f("ix_proposal_kind_about_log"), "proposal", ["kind", "about", "log"])
    op.create_index(op.f("ix_proposal_subject_log"), "proposal", ["subject", "log"])

    op.create_table(
        "regime",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("volatility", sa.Text(), nullable=False),
        sa.Column("spread", sa.Text(), nullable=False),
        sa.Column("trend", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("start_time", sa.BigInteger(), nullable=False),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("end_time IS NULL OR start_time <= end_time", name=op.f("ck_regime_times")),
        sa.CheckConstraint("version > 0", name=op.f("ck_regime_version")),
        sa.PrimaryKeyConstraint("log", "id", "version", name=op.f("pk_regime")),
    )
    op.create_table(
        "seal",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("voter", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log", "position", "voter", name=op.f("pk_seal")),
    )
    op.create_table(
        "space",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("dimension", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("dimension > 0", name=op.f("ck_space_dimension")),
        sa.PrimaryKeyConstraint("log", "name", name=op.f("pk_space")),
    )
    op.create_table(
        "spent",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("proposal", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("log", "use", name=op.f("pk_spent")),
    )
    op.create_table(
        "subject",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("proposal", sa.Text(), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_subject_version")),
        sa.PrimaryKeyConstraint("log", "name", name=op.f("pk_subject")),
    )
    op.create_table(
        "trade",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("symbol", sa.Text(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("entry_price", sa.Text(), nullable=False),
        sa.Column("exit_price", sa.Text(), nullable=False),
        sa.Column("pnl", sa.BigInteger(), nullable=False),
        sa.Column("slippage_bps", sa.BigInteger(), nullable=False),
        sa.Column("entry_time", sa.BigInteger(), nullable=False),
        sa.Column("exit_time", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("regime_id", sa.Text(), nullable=False),
        sa.Column("decided_ns", sa.BigInteger(), nullable=False),
        sa.Column("known_ns", sa.BigInteger(), nullable=False),
        sa.Column("result_ppm", sa.BigInteger(), nullable=False),
        sa.Column("risk_ppm", sa.BigInteger(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=False),
        sa.Column("quality_bp", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("decided_ns <= known_ns", name=op.f("ck_trade_known")),
        sa.CheckConstraint("entry_time <= exit_time", name=op.f("ck_trade_times")),
        sa.CheckConstraint("length(id) = 64", name=op.f("ck_trade_id")),
        sa.CheckConstraint("quality_bp BETWEEN 0 AND 10000", name=op.f("ck_trade_quality")),
        sa.CheckConstraint("risk_ppm >= 0", name=op.f("ck_trade_risk")),
        sa.CheckConstraint("side IN (1, -1)", name=op.f("ck_trade_side")),
        sa.PrimaryKeyConstraint("log", "id", name=op.f("pk_trade")),
    )
    op.create_table(
        "vector",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("log", "digest", name=op.f("pk_vector")),
    )
    op.create_table(
        "decision",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("proposal", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("outcome IN ('accept', 'reject', 'conflict', 'expired')", name=op.f("ck_decision_outcome")),
        sa.ForeignKeyConstraint(
            ["log", "proposal"], ["proposal.log", "proposal.id"], name=op.f("fk_decision_log_proposal_proposal")
        ),
        sa.PrimaryKeyConstraint("log", "proposal", name=op.f("pk_decision")),
    )
    op.create_table(
        "head",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["log"], ["log.id"], name=op.f("fk_head_log_log")),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_head")),
    )
    op.create_table(
        "lease",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("since_ns", sa.BigInteger(), nullable=False),
        sa.Column("expires_ns", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("epoch >= 0", name=op.f("ck_lease_epoch")),
        sa.ForeignKeyConstraint(["log"], ["log.id"], name=op.f("fk_lease_log_log")),
        sa.PrimaryKeyConstraint("log", name=op.f("pk_lease")),
    )
    op.create_table(
        "roster",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["log"], ["log.id"], name=op.f("fk_roster_log_log")),
        sa.PrimaryKeyConstraint("log", "version", name=op.f("pk_roster")),
    )
    op.create_table(
        "trade_pattern",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("trade", sa.Text(), nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log", "trade"], ["trade.log", "trade.id"], name=op.f("fk_trade_pattern_log_trade_trade")
        ),
        sa.PrimaryKeyConstraint("log", "trade", "pattern", name=op.f("pk_trade_pattern")),
    )
    op.create_index(op.f("ix_trade_pattern_pattern_log"), "trade_pattern", ["pattern", "log"])

    op.create_table(
        "entry",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("at_ns", sa.BigInteger(), nullable=False),
        sa.Column("proposal", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.CheckConstraint("position > 0", name=op.f("ck_entry_position")),
        sa.ForeignKeyConstraint(
            ["log", "proposal"], ["decision.log", "decision.proposal"], name=op.f("fk_entry_log_proposal_decision")
        ),
        sa.PrimaryKeyConstraint("log", "position", name=op.f("pk_entry")),
        sa.UniqueConstraint("proposal", "log", name=op.f("uq_entry_proposal_log")),
    )
    op.create_table(
        "quorum_vote",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("proposal_id", sa.Text(), nullable=False),
        sa.Column("manager_id", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.CheckConstraint("decision IN ('ACCEPT', 'REJECT')", name=op.f("ck_quorum_vote_decision")),
        sa.ForeignKeyConstraint(
            ["log", "proposal_id"],
            ["decision.log", "decision.proposal"],
            name=op.f("fk_quorum_vote_log_proposal_id_decision"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quorum_vote")),
        sa.UniqueConstraint("proposal_id", "manager_id", "log", name=op.f("uq_quorum_vote_proposal_id_manager_id_log")),
    )
    op.create_table(
        "voter",
        sa.Column("log", sa.Integer(), nullable=False),
        sa.Column("roster", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["log", "roster"], ["roster.log", "roster.version"], name=op.f("fk_voter_log_roster_roster")
        ),
        sa.PrimaryKeyConstraint("log", "roster", "name", name=op.f("pk_voter")),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("voter")
    op.drop_table("quorum_vote")
    op.drop_table("entry")
    op.drop_index(op.f("ix_trade_pattern_pattern_log"), "trade_pattern")

    op.drop_table("trade_pattern")
    op.drop_table("roster")
    op.drop_table("lease")
    op.drop_table("head")
    op.drop_table("decision")
    op.drop_table("vector")
    op.drop_table("trade")
    op.drop_table("subject")
    op.drop_table("spent")
    op.drop_table("space")
    op.drop_table("seal")
    op.drop_table("regime")
    op.drop_index(op.f("ix_proposal_subject_log"), "proposal")
    op.drop_index(op.f("ix_proposal_kind_about_log"), "proposal")

    op.drop_table("proposal")
    op.drop_table("pattern")
    op.drop_table("log")
    op.drop_table("episode")
    op.drop_table("daily_return")
    op.drop_table("certificate")
    op.drop_index(op.f("ix_agent_state_agent_id_log"), "agent_state")

    op.drop_table("agent_state")
