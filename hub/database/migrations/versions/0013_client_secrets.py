"""Finding the client that a secret is of: programs that know only their key send it as a bearer key.

Safe before the rollout of the code that comes with it: earlier code does not know what it adds, and leaves it as it is.
The index is not unique: secrets are random, and a fleet that was put into the database by hand may share a stand-in.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the index; the table of clients is small."""
    op.execute("CREATE INDEX clients_secret ON clients (secret_sha256)")


def downgrade() -> None:
    """Remove it."""
    op.execute("DROP INDEX clients_secret")
