"""A replay stands in the place of what it replays; open dead letters are found by their client.

With an order key, what ended without success holds up the younger commands of its key. Its replay is younger than all
of these, and would wait for them while they wait for it: so it is given the place of its original.

Safe before the rollout of the code that comes with it: earlier code does not know what it adds. Until it is replaced
it hands the replay of a command with an order key out after the younger ones of its key. The two indexes hold only
what has not ended, or waits for a person, so they are built in a moment.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_KEYED = """
    WHERE order_key IS NOT NULL AND (status IN ('pending', 'queued', 'running')
        OR (dead_letter_reason IS NOT NULL AND dead_letter_closed_at IS NULL))
"""


def upgrade() -> None:
    """Add the place and put the index of order keys in its order; add the index of a client's dead letters."""
    op.execute("ALTER TABLE commands ADD COLUMN order_place uuid")
    op.execute("DROP INDEX commands_order_key")
    op.execute("CREATE INDEX commands_order_key ON commands (client_id, order_key, coalesce(order_place, id))" + _KEYED)
    op.execute(
        "CREATE INDEX commands_dead_letters_client ON commands (client_id, id) "
        "WHERE dead_letter_reason IS NOT NULL AND dead_letter_closed_at IS NULL"
    )


def downgrade() -> None:
    """Go back to the order of ids."""
    op.execute("DROP INDEX commands_dead_letters_client")
    op.execute("DROP INDEX commands_order_key")
    op.execute("CREATE INDEX commands_order_key ON commands (client_id, order_key, id)" + _KEYED)
    op.execute("ALTER TABLE commands DROP COLUMN order_place")
