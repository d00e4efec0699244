"""When the database was restored from a backup, and whether it was compared with the database of before.

Safe before the rollout of the code that comes with it: earlier code does not know the table. A restore of an older
backup makes the table itself, so it may be there already.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the table."""
    op.execute("CREATE TABLE IF NOT EXISTS restores (at timestamptz PRIMARY KEY, compared boolean NOT NULL)")


def downgrade() -> None:
    """Forget that there were restores."""
    op.execute("DROP TABLE restores")
