"""Find a record by what a person would write: its id, a prefix of it, or its label."""

from sqlalchemy import Engine

from nebula.database import reading
from nebula.protocol.errors import RejectedInputError
from nebula.vault import state
from nebula.vault.state import Record

_SHORTEST_PREFIX = 4  # "0x" and two digits


def find_record(engine: Engine, wanted: str) -> Record:
    """Return the one record that answers to a text.

    Raises:
        RejectedInputError: ``vault.record``, none does; ``vault.several``, more than one.
    """
    with reading(engine) as connection:
        found = state.records_called(connection, wanted)
        if not found and wanted.lower().startswith("0x") and len(wanted) >= _SHORTEST_PREFIX:
            found = state.records_beginning(connection, wanted.lower())
    if not found:
        raise RejectedInputError(
            "vault.record",
            f"this vault has no record {wanted!r}, neither by id nor by label",
            hint="`nebula record list` shows those it has",
        )
    if len(found) > 1:
        listed = ", ".join(f"{record.record[:14]} ({record.label})" for record in found[:5])
        raise RejectedInputError(
            "vault.several", f"{len(found)} records answer to {wanted!r}", hint=f"say more of the id: {listed}"
        )
    return found[0]
