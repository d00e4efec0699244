"""Recurring schedules.

Safe before the rollout of the code that comes with it: earlier code does not know the table. Until every worker is
replaced, the new ones alone fire schedules, and an old one that cleans up may delete a document that only a schedule
names: make schedules when all hubs are replaced.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the table and the index by which due ones are found."""
    op.execute("""
        CREATE TABLE schedules (
            id uuid PRIMARY KEY,
            name text NOT NULL UNIQUE,
            cron text NOT NULL,
            time_zone text NOT NULL,
            request json NOT NULL,
            document_ids uuid[] NOT NULL,
            misfire text NOT NULL CHECK (misfire IN ('skip', 'once')),
            grace_s integer NOT NULL CHECK (grace_s >= 0),
            enabled boolean NOT NULL,
            next_at timestamptz,
            last_at timestamptz,
            last_batch_id uuid,
            last_error text,
            runs_as uuid NOT NULL,
            created_by uuid NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            version integer NOT NULL,
            CHECK (enabled OR next_at IS NULL)
        )
    """)
    op.execute("CREATE INDEX schedules_next ON schedules (next_at) WHERE next_at IS NOT NULL")


def downgrade() -> None:
    """Forget all schedules."""
    op.execute("DROP TABLE schedules")
