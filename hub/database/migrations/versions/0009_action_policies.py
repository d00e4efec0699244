"""Actions may have a policy, and commands a back-off of their own.

Safe before the rollout of the code that comes with it: earlier code does not know what it adds. Until it is replaced
it accepts commands by the hub's own defaults, and waits by them. A column without a default is added in a moment.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the table and the column."""
    op.execute("""
        CREATE TABLE action_policies (
            action text PRIMARY KEY,
            max_retries integer CHECK (max_retries BETWEEN 0 AND 100),
            first_delay_s double precision CHECK (first_delay_s > 0),
            factor double precision CHECK (factor >= 1),
            cap_s double precision CHECK (cap_s > 0),
            timeout_s double precision CHECK (timeout_s > 0),
            expires_in_s double precision CHECK (expires_in_s > 0),
            updated_at timestamptz NOT NULL,
            updated_by uuid NOT NULL
        )
    """)
    op.execute("ALTER TABLE commands ADD COLUMN back_off jsonb")


def downgrade() -> None:
    """Take both away."""
    op.execute("ALTER TABLE commands DROP COLUMN back_off")
    op.execute("DROP TABLE action_policies")
