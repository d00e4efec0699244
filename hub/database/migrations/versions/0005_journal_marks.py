"""What tells an agent's journal from an older copy of itself, and two machines from one.

Safe before the rollout of the code that comes with it: earlier code does not know what it adds, and leaves it empty.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the columns; none of them makes Postgres write the tables anew."""
    op.execute(
        """
        ALTER TABLE client_sessions
            ADD COLUMN journal_mark bigint NOT NULL DEFAULT 0,
            ADD COLUMN offers jsonb NOT NULL DEFAULT '[]',
            ADD COLUMN watched_from bigint NOT NULL DEFAULT 0
        """
    )
    op.execute("ALTER TABLE client_status_history ADD COLUMN epoch_shown bigint, ADD COLUMN epoch_issued bigint")


def downgrade() -> None:
    """Remove them."""
    op.execute("ALTER TABLE client_status_history DROP COLUMN epoch_shown, DROP COLUMN epoch_issued")
    op.execute("ALTER TABLE client_sessions DROP COLUMN journal_mark, DROP COLUMN offers, DROP COLUMN watched_from")
