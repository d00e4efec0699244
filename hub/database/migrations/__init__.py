"""The history of the schema, one numbered step each. `hub.database.migrate` runs them; `tables.py` mirrors the outcome.

Each step says in its docstring whether it is safe before or after the code of its release is rolled out. A step whose
SQL is long executes the `.sql` file beside it, which is then the text to read and to review.

A new step: `alembic -c hub/database/migrations/alembic.ini -x url=<database> revision --rev-id 0002 -m "<what>"`.
"""
