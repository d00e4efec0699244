"""Postgres: connections, named statements, and the history of the schema."""
