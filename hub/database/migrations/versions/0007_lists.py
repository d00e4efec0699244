"""The index behind lists of commands is for lists alone; the one that keeps replays unique holds replays only.

A plan is kept for the life of a connection. One that was made while the tables were empty took this index for any
question about a client's commands, since all cost the same then, and went on reading all that the client ever had. A
condition that is always true, and that only lists state, keeps it out of the other statements' sight.

Nearly no command is a replay, yet each change of any command wrote its NULL into the other index again.

Safe before the rollout of the code that comes with it: earlier code lists more slowly until it is replaced.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Make both partial."""
    op.execute("DROP INDEX commands_client")
    op.execute("CREATE INDEX commands_client ON commands (client_id, id DESC) WHERE attempt >= 1")
    op.execute("CREATE UNIQUE INDEX commands_replay_of ON commands (replay_of) WHERE replay_of IS NOT NULL")
    op.execute("ALTER TABLE commands DROP CONSTRAINT commands_replay_of_key")


def downgrade() -> None:
    """Make them plain again."""
    op.execute("ALTER TABLE commands ADD CONSTRAINT commands_replay_of_key UNIQUE (replay_of)")
    op.execute("DROP INDEX commands_replay_of")
    op.execute("DROP INDEX commands_client")
    op.execute("CREATE INDEX commands_client ON commands (client_id, id DESC)")
