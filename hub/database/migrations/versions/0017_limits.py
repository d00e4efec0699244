"""What limits and web rules keep, and which keys seal secrets.

Safe before the rollout of the code that comes with it: it only adds.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Add the tables, the counters of what was refused, and the day of a client's limit in a time zone."""
    op.execute("""
        CREATE TABLE hub_processes (
            id uuid PRIMARY KEY,
            roles text[] NOT NULL,
            started_at timestamptz NOT NULL,
            seen_at timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE request_nonces (
            principal_id uuid NOT NULL,
            sha256 bytea NOT NULL,
            used_at timestamptz NOT NULL,
            PRIMARY KEY (principal_id, sha256)
        )
    """)
    op.execute("CREATE INDEX request_nonces_used ON request_nonces (used_at)")
    op.execute("""
        CREATE TABLE hub_settings (
            name text PRIMARY KEY,
            value text NOT NULL,
            since timestamptz NOT NULL
        )
    """)
    op.execute("""
        CREATE TABLE data_keys (
            number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            kid text NOT NULL UNIQUE,
            fingerprint text NOT NULL,
            since timestamptz NOT NULL
        )
    """)
    op.execute("""
        ALTER TABLE client_usage
            ADD COLUMN day_refused integer NOT NULL DEFAULT 0,
            ADD COLUMN refused_day date,
            ADD COLUMN suspicious_day date
    """)
    # A table function of one SELECT becomes part of the statement that asks it, and is planned with it.
    op.execute("""
        CREATE FUNCTION floorhub_quota_day(at timestamptz) RETURNS TABLE (day date, day_reset timestamptz)
        LANGUAGE sql STABLE PARALLEL SAFE AS $$
            SELECT
                d.day,
                -- Where clocks are set back over midnight, the hour after it comes twice, and the day begins with the
                -- first of them.
                CASE
                    WHEN ((d.midnight - interval '1 hour') AT TIME ZONE d.zone)::date > d.day
                    THEN d.midnight - interval '1 hour'
                    ELSE d.midnight
                END
            FROM (
                SELECT
                    z.zone,
                    (at AT TIME ZONE z.zone)::date AS day,
                    ((at AT TIME ZONE z.zone)::date + 1)::timestamp AT TIME ZONE z.zone AS midnight
                FROM (
                    SELECT coalesce((SELECT value FROM hub_settings WHERE name = 'quota_time_zone'), 'UTC') AS zone
                ) z
            ) d
        $$
    """)


def downgrade() -> None:
    """Remove them."""
    op.execute("DROP FUNCTION floorhub_quota_day(timestamptz)")
    op.execute("DROP TABLE hub_processes, request_nonces, hub_settings, data_keys")
    op.execute("""
        ALTER TABLE client_usage
            DROP COLUMN day_refused, DROP COLUMN refused_day, DROP COLUMN suspicious_day
    """)
