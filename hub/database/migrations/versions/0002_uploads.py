"""One-time paths by which a client uploads what a command of its own brought.

Safe before the rollout of the code that comes with it: a table that earlier code does not know.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create the table `uploads`."""
    op.execute(
        """
        CREATE TABLE uploads (
            token_sha256 bytea PRIMARY KEY,
            client_id text NOT NULL REFERENCES clients (id),
            command_id uuid NOT NULL REFERENCES commands (id) ON DELETE CASCADE,
            created_at timestamptz NOT NULL,
            used_at timestamptz,
            document_id uuid REFERENCES documents (id) ON DELETE SET NULL
        )
        """
    )
    # How many paths a command was given; also what the cascades above look for.
    op.execute("CREATE INDEX uploads_command ON uploads (command_id)")
    op.execute("CREATE INDEX uploads_document ON uploads (document_id) WHERE document_id IS NOT NULL")


def downgrade() -> None:
    """Forget who uploaded what; the documents stay."""
    op.execute("DROP TABLE uploads")
