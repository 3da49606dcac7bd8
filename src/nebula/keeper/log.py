"""The decision log: every release and refusal, each entry chained to the one before it.

    hash_0 = 32 zero bytes;  hash_n = keccak256("nebula/decision/1" 0x00 ‖ hash_(n-1) ‖ entry_n)

The head stands in a row of its own and is locked by whoever appends, so entries have one order, also when several
processes write. Who changes, drops or inserts an entry afterwards breaks the chain; who cuts off its end, the head.
Who writes all of it anew contradicts the heads that it signed before (see ``head``).
The log holds record ids next to studies: it never leaves the keeper except to the records' own owners.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
from sqlalchemy import Connection, insert, select, update

from nebula.keeper.tables import DIGEST_BYTES, decisions, log_head
from nebula.protocol.errors import IntegrityError
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.signing import keccak256
from nebula.protocol.wire import Document, parser, to_canonical

Step = Literal["release", "confirm", "discover"]

_LABEL = b"nebula/decision/1\x00"


class LogEntry(Document, frozen=True, kw_only=True):
    """One decision. ``reasons``: codes of :mod:`nebula.keeper.reasons`; none for a release."""

    sequence: int = 0
    decided: int
    step: Step
    record: Address
    study: Hash32
    run: Hash32
    session: Address
    released: bool
    reasons: tuple[str, ...] = ()
    micro_rho: int = 0
    block_number: int
    block_hash: Hash32


parse_entry = parser(LogEntry)


@dataclass(frozen=True, slots=True)
class Head:
    """An end of the chain: how many entries it has, and the last one's hash."""

    sequence: int
    hash: bytes


def lock_head(connection: Connection) -> Head:
    """Lock the chain's end, and with it every budget: nobody else decides until this transaction ends."""
    row = connection.execute(select(log_head.c.sequence, log_head.c.hash).with_for_update()).one()
    return Head(row.sequence, row.hash)


def read_head(connection: Connection) -> Head:
    """Return the chain's end as it is now, unlocked."""
    row = connection.execute(select(log_head.c.sequence, log_head.c.hash)).one()
    return Head(row.sequence, row.hash)


def append(connection: Connection, head: Head, entries: Sequence[LogEntry]) -> None:
    """Append entries, numbered here, in the transaction that makes what they say true."""
    rows, digest = [], head.hash
    for sequence, entry in enumerate(entries, head.sequence + 1):
        raw = to_canonical(msgspec.structs.replace(entry, sequence=sequence))
        digest = _chain(digest, raw)
        rows.append(
            {"sequence": sequence, "record": entry.record, "session": entry.session, "hash": digest, "entry": raw}
        )
    if rows:
        connection.execute(insert(decisions), rows)
        connection.execute(update(log_head).values(sequence=head.sequence + len(rows), hash=digest))


def latest(connection: Connection, session: Address, records: Sequence[Address]) -> dict[Address, LogEntry]:
    """Return the last decision about each of the records for one session."""
    rows = connection.execute(
        select(decisions.c.record, decisions.c.entry)
        .where(decisions.c.session == session, decisions.c.record.in_(records))
        .order_by(decisions.c.sequence)
    ).tuples()
    return {record: parse_entry(raw) for record, raw in dict(list(rows)).items()}


def about(connection: Connection, record: Address, *, after: int, limit: int) -> list[LogEntry]:
    """Return decisions about one record beyond a sequence number, oldest first."""
    chosen = select(decisions.c.entry).where(decisions.c.record == record, decisions.c.sequence > after)
    return [parse_entry(raw) for raw in connection.scalars(chosen.order_by(decisions.c.sequence).limit(limit))]


def verify_log(connection: Connection, *, heads: Sequence[Head] = ()) -> int:
    """Re-compute the whole chain and return how many entries it has.

    ``heads``: ends that the log had at earlier times, as the keeper signed them.

    Raises:
        IntegrityError: an entry was altered, dropped, inserted or cut off, or an earlier end is not in the chain; the
            first bad place is named.
    """
    earlier = {(known.sequence, known.hash) for known in heads}
    earlier.discard((0, bytes(DIGEST_BYTES)))
    head = read_head(connection)
    sequence, digest = 0, bytes(DIGEST_BYTES)
    for row_sequence, row_hash, raw in _rows(connection):
        sequence += 1
        digest = _chain(digest, raw)
        if (row_sequence, row_hash) != (sequence, digest) or parse_entry(raw).sequence != sequence:
            raise IntegrityError("keeper.log", f"the decision log is broken at entry {sequence}")
        earlier.discard((sequence, digest))
    if (sequence, digest) != (head.sequence, head.hash):
        raise IntegrityError("keeper.log", f"the decision log ends at entry {sequence}, not at {head.sequence}")
    if earlier:
        first = min(earlier)[0]
        raise IntegrityError("keeper.log", f"the decision log is not the one whose head was signed at entry {first}")
    return sequence


def _rows(connection: Connection) -> Iterator[tuple[int, bytes, bytes]]:
    chosen = select(decisions.c.sequence, decisions.c.hash, decisions.c.entry).order_by(decisions.c.sequence)
    for row in connection.execution_options(yield_per=1000).execute(chosen):
        yield row.sequence, row.hash, row.entry


def _chain(previous: bytes, raw: bytes) -> bytes:
    return keccak256(_LABEL + previous + raw)
