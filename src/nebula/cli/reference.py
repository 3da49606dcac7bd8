"""The reference of all commands, as ``--help`` has it: ``make reference`` writes ``docs/reference/commands.md``."""

from nebula.cli.app import app


def reference() -> str:
    """Return the reference as Markdown."""
    return app.generate_docs(output_format="markdown").rstrip() + "\n"
