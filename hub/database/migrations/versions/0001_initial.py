"""The first schema.

Safe before the rollout of the code that comes with it: there is no earlier code.
"""

from collections.abc import Sequence
from pathlib import Path

from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Create everything from `0001_initial.sql`."""
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # Past SQLAlchemy: it would pass parameters, and with those Postgres takes only one statement at a time.
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("the migration needs an open connection")
    connection.execute(text)


def downgrade() -> None:
    """There is nothing before the first step."""
    raise NotImplementedError("drop the database instead")
