"""Alembic's entry: runs the steps on the connection that `hub.database.migrate` hands over, or on `-x url=...`."""

import psycopg
from alembic import context
from sqlalchemy import Connection, NullPool, create_engine

from hub.database.migrations.tables import metadata


def _run(connection: Connection) -> None:
    # Each step commits with its version number, so that a failing one leaves those before it done.
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def _main() -> None:
    given: Connection | None = context.config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    url = context.get_x_argument(as_dictionary=True).get("url")
    if not isinstance(url, str):
        raise SystemExit("Say which database: alembic -x url=postgresql://... <command>")
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with engine.connect() as connection:
        _run(connection)


_main()
