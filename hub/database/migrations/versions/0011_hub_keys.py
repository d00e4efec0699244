"""Which signing keys are the hub's.

Safe before the rollout of the code that comes with it: earlier code does not know the table, and the first hub of this
version records the keys that it has.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the table."""
    op.execute("""
        CREATE TABLE hub_keys (
            purpose text PRIMARY KEY CHECK (purpose IN ('root', 'command')),
            public_key text NOT NULL,
            since timestamptz NOT NULL
        )
    """)


def downgrade() -> None:
    """Forget whose keys they are."""
    op.execute("DROP TABLE hub_keys")
