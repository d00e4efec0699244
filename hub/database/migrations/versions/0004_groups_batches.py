"""Groups of clients, and batches that can be paused and stopped.

Safe before the rollout of the code that comes with it: earlier code does not know what it adds. Until it is replaced it
looks for what has become due without an index of its own, and would let a paused batch's commands in when their time
comes.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0004"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create the tables of groups; complete batches; let commands be held back."""
    op.execute(
        r"""
        CREATE TABLE client_groups (
            id text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9-]{0,62}$' AND id !~ '\n'),
            name text NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL
        )
        """
    )
    op.execute(
        """
        CREATE TABLE client_group_members (
            group_id text NOT NULL REFERENCES client_groups (id) ON DELETE CASCADE,
            client_id text NOT NULL REFERENCES clients (id) ON DELETE CASCADE,
            PRIMARY KEY (group_id, client_id)
        )
        """
    )
    op.execute("CREATE INDEX client_group_members_client ON client_group_members (client_id)")

    op.execute(
        """
        ALTER TABLE batches
            ADD COLUMN action text,
            ADD COLUMN accepted integer NOT NULL DEFAULT 0,
            ADD COLUMN rejected integer NOT NULL DEFAULT 0,
            ADD COLUMN max_failures integer CHECK (max_failures >= 0),
            ADD COLUMN per_minute double precision CHECK (per_minute > 0),
            ADD COLUMN stop_reason text CHECK (stop_reason IN ('requested', 'max_failures')),
            ADD COLUMN paused_at timestamptz,
            ADD COLUMN finished_at timestamptz
        """
    )
    op.execute("CREATE INDEX batches_open ON batches (id) WHERE finished_at IS NULL")

    op.execute("ALTER TABLE commands ADD COLUMN on_hold boolean NOT NULL DEFAULT false")
    op.execute("DROP INDEX commands_scheduled")
    op.execute("CREATE INDEX commands_scheduled ON commands (not_before) WHERE scheduled AND NOT on_hold")
    # What a batch still waits for, and how much of it went wrong: looked at all the time while it runs.
    op.execute(
        """
        CREATE INDEX commands_batch_open ON commands (batch_id, id)
            WHERE batch_id IS NOT NULL AND status IN ('pending', 'queued', 'running')
        """
    )
    op.execute(
        """
        CREATE INDEX commands_batch_failed ON commands (batch_id)
            WHERE batch_id IS NOT NULL AND status IN ('failed', 'unknown')
        """
    )


def downgrade() -> None:
    """Forget groups; commands that are held back go out."""
    op.execute("DROP INDEX commands_batch_failed, commands_batch_open, commands_scheduled, batches_open")
    op.execute("UPDATE commands SET scheduled = coalesce(not_before > floorhub_now(), false) WHERE on_hold")
    op.execute("ALTER TABLE commands DROP COLUMN on_hold")
    op.execute("CREATE INDEX commands_scheduled ON commands (not_before) WHERE scheduled")
    op.execute(
        """
        ALTER TABLE batches
            DROP COLUMN action, DROP COLUMN accepted, DROP COLUMN rejected, DROP COLUMN max_failures,
            DROP COLUMN per_minute, DROP COLUMN stop_reason, DROP COLUMN paused_at, DROP COLUMN finished_at
        """
    )
    op.execute("DROP TABLE client_group_members, client_groups")
