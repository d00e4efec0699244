"""Postgres: tables, migrations, and typed functions over the named statements in `sql/`. Decides no policy."""
