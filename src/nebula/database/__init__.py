"""Each party's own tables, on SQLite by default and PostgreSQL by URL, with the same code."""

from nebula.database.engine import open_database, reading, writing

__all__ = ["open_database", "reading", "writing"]
