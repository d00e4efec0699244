"""Codes and tokens with which machines are connected, the keys of their own, and the kind `screen`.

Safe before the rollout of the code that comes with it: it only adds.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_OF_A_CLIENT = """
            kind text,
            zone text,
            tags text[] NOT NULL,
            groups text[] NOT NULL,
            policy jsonb NOT NULL,
            created_by uuid NOT NULL REFERENCES principals (id),
            created_by_key uuid,
            created_at timestamptz NOT NULL,
            expires_at timestamptz NOT NULL,
            revoked_at timestamptz,
"""


def upgrade() -> None:
    """Add the tables, and the kind."""
    op.execute(f"""
        CREATE TABLE pairings (
            id uuid PRIMARY KEY,
            code_hash bytea NOT NULL UNIQUE,
            stretched_hash bytea NOT NULL UNIQUE,
            token_sha256 bytea NOT NULL UNIQUE,
            client_id text NOT NULL,
            replaces boolean NOT NULL,
            name text,
{_OF_A_CLIENT}
            ended_by text CHECK (ended_by IN ('revoked', 'refused', 'tries', 'superseded')),
            tries integer NOT NULL,
            public_key text,
            proved_at timestamptz,
            agent jsonb,
            address text,
            commitment text,
            nonce text,
            opening text,
            number text,
            confirmed_at timestamptz,
            confirmed_by uuid,
            used_at timestamptz
        )
    """)
    op.execute("CREATE INDEX pairings_client ON pairings (client_id)")
    op.execute("CREATE INDEX pairings_expires ON pairings (expires_at)")
    op.execute(f"""
        CREATE TABLE enrolments (
            id uuid PRIMARY KEY,
            token_sha256 bytea NOT NULL UNIQUE,
            name text NOT NULL,
            naming text NOT NULL,
{_OF_A_CLIENT}
            most integer NOT NULL,
            used integer NOT NULL
        )
    """)
    op.execute("CREATE INDEX enrolments_expires ON enrolments (expires_at)")
    op.execute("""
        CREATE TABLE client_keys (
            client_id text NOT NULL REFERENCES clients (id),
            kid text NOT NULL,
            public_key text NOT NULL,
            created_at timestamptz NOT NULL,
            revoked_at timestamptz,
            pairing_id uuid,
            enrolment_id uuid,
            proved_at timestamptz,
            PRIMARY KEY (client_id, kid)
        )
    """)
    op.execute("CREATE INDEX client_keys_enrolment ON client_keys (enrolment_id) WHERE enrolment_id IS NOT NULL")
    op.execute("""
        ALTER TABLE clients
            DROP CONSTRAINT clients_kind_check,
            ADD CONSTRAINT clients_kind_check CHECK (kind IN ('printer_pc', 'pda', 'kiosk', 'screen', 'other'))
    """)


def downgrade() -> None:
    """Remove them; screens become `other`."""
    op.execute("UPDATE clients SET kind = 'other' WHERE kind = 'screen'")
    op.execute("""
        ALTER TABLE clients
            DROP CONSTRAINT clients_kind_check,
            ADD CONSTRAINT clients_kind_check CHECK (kind IN ('printer_pc', 'pda', 'kiosk', 'other'))
    """)
    op.execute("DROP TABLE client_keys, enrolments, pairings")
