"""What tells that a machine was switched off or started anew, and which epoch a journal began with.

Safe before the rollout of the code that comes with it: earlier code does not know what it adds, and leaves it as it is.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the columns; none of them makes Postgres write the tables anew."""
    op.execute("ALTER TABLE commands ADD COLUMN goodbye_at timestamptz")
    op.execute("""
        ALTER TABLE client_sessions
            ADD COLUMN boot text,
            ADD COLUMN journal_epoch bigint NOT NULL DEFAULT 0
    """)


def downgrade() -> None:
    """Remove them."""
    op.execute("ALTER TABLE client_sessions DROP COLUMN boot, DROP COLUMN journal_epoch")
    op.execute("ALTER TABLE commands DROP COLUMN goodbye_at")
