"""When a document was last named, and an index that finds old changes of presence.

Old commands are found by their ids, which begin with the time, so the hottest table needs no further index.

Safe before the rollout of the code that comes with it: earlier code does not know what it adds. Documents count as used
when this step runs.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the column, which does not write the table anew, and the indexes."""
    op.execute("ALTER TABLE documents ADD COLUMN used_at timestamptz NOT NULL DEFAULT now()")
    op.execute("CREATE INDEX documents_used ON documents (used_at)")
    op.execute("CREATE INDEX client_status_history_at ON client_status_history (at)")


def downgrade() -> None:
    """Forget when documents were used."""
    op.execute("DROP INDEX client_status_history_at, documents_used")
    op.execute("ALTER TABLE documents DROP COLUMN used_at")
