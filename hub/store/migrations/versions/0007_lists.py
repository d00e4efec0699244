"""The index behind lists of a client's commands is for lists alone.

A plan is kept for the life of a connection. One that was made while the tables were empty took this index for any
question about a client's commands, since all cost the same then, and went on reading all that the client ever had. A
condition that is always true, and that only lists state, keeps it out of the other statements' sight.

Safe before the rollout of the code that comes with it: earlier code lists more slowly until it is replaced.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Make the index partial."""
    op.execute("DROP INDEX commands_client")
    op.execute("CREATE INDEX commands_client ON commands (client_id, id DESC) WHERE attempt >= 1")


def downgrade() -> None:
    """Make it plain again."""
    op.execute("DROP INDEX commands_client")
    op.execute("CREATE INDEX commands_client ON commands (client_id, id DESC)")
