"""What the decision log says about verdicts: each decision once, however often a session asks."""

from collections.abc import Sequence

from sqlalchemy import Connection

from nebula.keeper import log
from nebula.keeper.admission import Admitted
from nebula.keeper.log import Head, LogEntry, Step
from nebula.keeper.verdicts import Verdict


def note(connection: Connection, head: Head, verdicts: Sequence[Verdict], asking: Admitted, *, step: Step) -> None:
    """Append those verdicts to the log that differ from the last one about the same record and session."""
    known = log.latest(connection, asking.session.evidence.session, [verdict.record for verdict in verdicts])
    entries = [_entry(verdict, asking, step) for verdict in verdicts]
    log.append(connection, head, [entry for entry in entries if _is_news(entry, known.get(entry.record))])


def _entry(verdict: Verdict, asking: Admitted, step: Step) -> LogEntry:
    return LogEntry(
        decided=int(asking.at.timestamp()),
        step=step,
        record=verdict.record,
        study=asking.study,
        run=asking.session.evidence.run,
        session=asking.session.evidence.session,
        released=not verdict.reasons,
        reasons=verdict.reasons,
        micro_rho=0 if verdict.reasons else verdict.micro_rho,
        block_number=asking.block.number,
        block_hash=asking.block.hash,
    )


def _is_news(entry: LogEntry, known: LogEntry | None) -> bool:
    """Whatever was paid is news, and so is what the same session was not told before."""
    return bool(entry.micro_rho) or known is None or (entry.released, entry.reasons) != (known.released, known.reasons)
