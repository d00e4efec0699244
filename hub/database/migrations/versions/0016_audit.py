"""Seals of the audit trail, and security events that have a severity and a bound.

Safe before the rollout of the code that comes with it: it only adds.
"""

from collections.abc import Sequence
from pathlib import Path

from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add what `0016_audit.sql` has."""
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    # Past SQLAlchemy: it would pass parameters, and with those Postgres takes only one statement at a time.
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("the migration needs an open connection")
    connection.execute(text)


def downgrade() -> None:
    """Remove what it added; seals are lost, and rows that were erased stay so."""
    op.execute("""
        DROP FUNCTION floorhub_audit_cut(bigint);
        DROP FUNCTION floorhub_audit_erase(bigint[], bytea[]);
        DROP FUNCTION floorhub_audit_salt(bigint[]);
        DROP TABLE schema_compatibility, audit_keys, audit_seals;
        DROP INDEX audit_logs_principal, audit_logs_resource;
        ALTER TABLE audit_logs DROP COLUMN salt, DROP COLUMN digest;
        DROP INDEX security_events_counted, security_events_kind, security_events_at;
        ALTER TABLE security_events
            DROP COLUMN severity, DROP COLUMN principal_id, DROP COLUMN number, DROP COLUMN counted_from;
    """)
