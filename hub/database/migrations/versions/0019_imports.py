"""Changes of the broker's users that came by the hundred, which wait behind those that somebody waits for.

Safe before the rollout of the code that comes with it: it only adds. A hub of the version before tells the broker about
them in order, as about all others.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the column, and how its rows are found."""
    op.execute("ALTER TABLE broker_outbox ADD COLUMN bulk boolean NOT NULL DEFAULT false")
    op.execute("CREATE INDEX broker_outbox_bulk ON broker_outbox (client_id) WHERE done_at IS NULL AND bulk")
    op.execute("CREATE INDEX broker_outbox_urgent ON broker_outbox (id) WHERE done_at IS NULL AND NOT bulk")
    op.execute("CREATE INDEX broker_outbox_refused ON broker_outbox (client_id) WHERE error IS NOT NULL")


def downgrade() -> None:
    """Remove it."""
    op.execute("ALTER TABLE broker_outbox DROP COLUMN bulk")
    op.execute("DROP INDEX broker_outbox_refused")
