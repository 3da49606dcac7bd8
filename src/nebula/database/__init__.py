"""Each party's own tables, on SQLite by default and PostgreSQL by URL, with the same code."""

from nebula.database.engine import insert_into, insert_or_ignore, open_database, reading, writing

__all__ = ["insert_into", "insert_or_ignore", "open_database", "reading", "writing"]
