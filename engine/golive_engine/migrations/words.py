"""The few words of SQL that differ between SQLite and PostgreSQL."""

from alembic import op

_NUMBER = {"sqlite": "INTEGER NOT NULL PRIMARY KEY", "postgresql": "BIGSERIAL PRIMARY KEY"}
_INTEGER = {"sqlite": "INTEGER", "postgresql": "BIGINT"}


def run(*statements: str) -> None:
    """Execute statements, with `{number}` and `{integer}` in this database's words."""
    name = op.get_context().dialect.name
    for statement in statements:
        op.execute(statement.format(number=_NUMBER[name], integer=_INTEGER[name]))


def make_append_only(table: str) -> None:
    """Let the database itself refuse to change or delete a row of a table."""
    if op.get_context().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION journal_refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse_change()"
    )
