"""People who sign in, keys with a scope, grants, and the one rule that says who may see and command what.

Safe before the rollout of the code that comes with it: it adds, and what it adds has defaults that mean what was true
before (every principal reaches every client, every key may do what its principal may). The one thing that it takes away
is that no two schedules of different principals have the same name: earlier code asks for no conflict by its name, so
it goes on, and refuses a name that the same principal has.
"""

from collections.abc import Sequence
from pathlib import Path

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add what `0015_access.sql` has."""
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # Past SQLAlchemy: it would pass parameters, and with those Postgres takes only one statement at a time.
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("the migration needs an open connection")
    connection.execute(text)


def downgrade() -> None:
    """Remove what it added; users, sessions and grants are lost."""
    op.execute("""
        ALTER TABLE schedules DROP COLUMN runs_by_key, DROP CONSTRAINT schedules_created_by_name_key;
        UPDATE schedules s SET name = s.name || ' ' || s.id
        WHERE EXISTS (SELECT FROM schedules o WHERE o.name = s.name AND o.id < s.id);
        ALTER TABLE schedules ADD CONSTRAINT schedules_name_key UNIQUE (name);
        DROP FUNCTION floorhub_same_scope(uuid, uuid);
        DROP FUNCTION floorhub_targets(json);
        DROP FUNCTION floorhub_has_tags(json, text[]);
        DROP FUNCTION floorhub_texts(json);
        DROP FUNCTION floorhub_groups(uuid, uuid);
        DROP FUNCTION floorhub_reads_document(uuid, uuid, boolean, uuid);
        ALTER TABLE commands DROP CONSTRAINT commands_one_document;
        DROP INDEX commands_document;
        UPDATE commands SET on_hold = false, scheduled = false WHERE withheld_at IS NOT NULL AND finished_at IS NULL;
        ALTER TABLE commands DROP COLUMN withheld_at;
        DROP TRIGGER clients_changed ON clients;
        DROP TRIGGER client_group_members_changed ON client_group_members;
        DROP TRIGGER principals_changed ON principals;
        DROP TRIGGER grants_changed ON grants;
        DROP FUNCTION floorhub_access_changed();
        DROP TABLE access_changes;
        DROP FUNCTION floorhub_is_valid(uuid, uuid, uuid);
        DROP FUNCTION floorhub_clients(uuid, uuid, text);
        DROP FUNCTION floorhub_reaches_all(uuid, uuid, text);
        DROP FUNCTION floorhub_reach(uuid, uuid, text);
        DROP FUNCTION floorhub_allows(uuid, uuid, text, text, text);
        DROP VIEW key_clients;
        DROP VIEW granted_clients;
        DROP TABLE api_key_targets, grants, sign_in_failures, one_time_links, token_keys;
        DROP TABLE refresh_tokens, sessions, users;
        ALTER TABLE api_keys
            DROP COLUMN name, DROP COLUMN permissions, DROP COLUMN actions, DROP COLUMN narrowed,
            DROP COLUMN addresses, DROP COLUMN last_address, DROP COLUMN created_by;
        ALTER TABLE principals DROP COLUMN reach, DROP COLUMN removed_at;
    """)
