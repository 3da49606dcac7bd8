"""Questions to the index: every answer is one indexed query, every list has pages."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, Select, Table, func, select, tuple_

from nebula.database import reading
from nebula.ledger.client.answers import BlockRef
from nebula.ledger.client.deployment import NetworkAddresses
from nebula.ledger.client.events import LedgerEvent
from nebula.ledger.client.rpc import LedgerClient
from nebula.ledger.client.studies import StudyState
from nebula.ledger.index.answers import (
    ClaimView,
    MeasurementView,
    OrganizationView,
    PanelView,
    RecordView,
    SessionView,
    StudyView,
    claim_view,
    measurement_view,
    organization_view,
    panel_view,
    record_view,
    session_view,
    study_view,
)
from nebula.ledger.index.stored import event_from_row
from nebula.ledger.index.sync import Follower
from nebula.ledger.index.tables import IndexTables
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address, Hash32

MAX_PAGE = 10_000
_IN_ONE_QUERY = 500


class LedgerIndex:
    """The index of one network in one database."""

    def __init__(
        self,
        engine: Engine,
        tables: IndexTables,
        client: LedgerClient,
        addresses: NetworkAddresses,
        *,
        confirmations: int = 1,
    ) -> None:
        self._engine = engine
        self._tables = tables
        self._follower = Follower(engine, tables, client, addresses, confirmations=confirmations)

    def sync(self) -> BlockRef:
        """Follow the ledger up to its newest confirmed block, and return that block.

        Raises:
            UnavailableError: the ledger or the database is away; what was indexed stays valid.
            IntegrityError: the node answers for another chain.
        """
        return self._follower.sync()

    def head(self) -> BlockRef | None:
        """Return the block up to which everything is indexed, or None before the first sync."""
        return self._follower.head()

    def record(self, record: Address) -> RecordView | None:
        """Return a record, or None for one never seen."""
        return self.records([record]).get(record)

    def records(self, records: Sequence[Address]) -> dict[Address, RecordView]:
        """Return those of many records that were ever registered, by id."""
        table = self._tables.records
        found: dict[Address, RecordView] = {}
        for start in range(0, len(records), _IN_ONE_QUERY):
            page = records[start : start + _IN_ONE_QUERY]
            found |= {
                row["subject"]: record_view(row) for row in self._rows(select(table).where(table.c.subject.in_(page)))
            }
        return found

    def live_records(self, *, after: Address = "", limit: int = MAX_PAGE) -> list[RecordView]:
        """Return live records by id, a page at a time; ``after`` is the last id of the page before."""
        table = self._tables.records
        query = select(table).where(table.c.live == 1, table.c.subject > after).order_by(table.c.subject)
        return [record_view(row) for row in self._page(query, limit)]

    def count_live(self) -> int:
        """Return how many records are live."""
        return self._count(self._tables.records, self._tables.records.c.live == 1)

    def study(self, study: Hash32) -> StudyView | None:
        """Return a study, or None for one that was never funded."""
        table = self._tables.studies
        return next((study_view(row) for row in self._rows(select(table).where(table.c.subject == study))), None)

    def studies(
        self,
        *,
        state: StudyState | None = None,
        buyer: Address | None = None,
        after: Hash32 = "",
        limit: int = MAX_PAGE,
    ) -> list[StudyView]:
        """Return studies by id, a page at a time."""
        table = self._tables.studies
        query = select(table).where(table.c.subject > after).order_by(table.c.subject)
        if state is not None:
            query = query.where(table.c.state == int(state))
        if buyer is not None:
            query = query.where(table.c.buyer == buyer)
        return [study_view(row) for row in self._page(query, limit)]

    def session(self, session: Address) -> SessionView | None:
        """Return a session, or None for one nobody vouched for."""
        table = self._tables.sessions
        return next((session_view(row) for row in self._rows(select(table).where(table.c.subject == session))), None)

    def sessions_of(self, study: Hash32) -> list[SessionView]:
        """Return the sessions that keepers vouched for in a study, oldest first."""
        table = self._tables.sessions
        query = select(table).where(table.c.study == study).order_by(table.c.block_number, table.c.subject)
        return [session_view(row) for row in self._rows(query)]

    def claims(self, study: Hash32, *, after: int = -1, limit: int = MAX_PAGE) -> list[ClaimView]:
        """Return a study's paid payouts by index, a page at a time."""
        table = self._tables.claims
        query = select(table).where(table.c.subject == study, table.c.payout_index > after)
        return [claim_view(row) for row in self._page(query.order_by(table.c.payout_index), limit)]

    def count_claims(self, study: Hash32) -> int:
        """Return how many of a study's payouts were paid."""
        return self._count(self._tables.claims, self._tables.claims.c.subject == study)

    def organization(self, organization: Address) -> OrganizationView | None:
        """Return an organization, or None for a stranger."""
        table = self._tables.organizations
        query = select(table).where(table.c.subject == organization)
        return next((organization_view(row) for row in self._rows(query)), None)

    def organizations(self, *, after: Address = "", limit: int = MAX_PAGE) -> list[OrganizationView]:
        """Return organizations by address, a page at a time."""
        table = self._tables.organizations
        query = select(table).where(table.c.subject > after).order_by(table.c.subject)
        return [organization_view(row) for row in self._page(query, limit)]

    def measurements(self) -> list[MeasurementView]:
        """Return every measurement that was ever approved, and what holds now."""
        table = self._tables.measurements
        query = select(table).order_by(table.c.subject, table.c.trust_root)
        return [measurement_view(row) for row in self._rows(query)]

    def panels(self) -> list[PanelView]:
        """Return every published panel, in the order in which they came."""
        table = self._tables.panels
        return [panel_view(row) for row in self._rows(select(table).order_by(table.c.block_number, table.c.subject))]

    def events(
        self,
        *,
        subject: str | None = None,
        kind: str | None = None,
        after: tuple[int, int] = (-1, -1),
        limit: int = MAX_PAGE,
    ) -> list[LedgerEvent]:
        """Return events in the ledger's order, a page at a time.

        Args:
            subject: only about this record, study, session, organization, measurement or panel.
            kind: only of this name with its contract, such as ``studies.Settled``.
            after: (block number, log index) of the last event of the page before.
            limit: at most this many.
        """
        table = self._tables.events
        place = tuple_(table.c.block_number, table.c.log_index)
        query = select(table).where(place > after).order_by(table.c.block_number, table.c.log_index)
        if subject is not None:
            query = query.where(table.c.subject == subject)
        if kind is not None:
            query = query.where(table.c.kind == kind)
        return [event_from_row(row) for row in self._page(query, limit)]

    def _page(self, query: Select[Any], limit: int) -> list[Any]:
        if not 1 <= limit <= MAX_PAGE:
            raise RejectedInputError("index.page", f"a page has 1 to {MAX_PAGE:,} rows, not {limit}")
        return self._rows(query.limit(limit))

    def _rows(self, query: Select[Any]) -> list[Any]:
        with reading(self._engine) as connection:
            return list(connection.execute(query).mappings())

    def _count(self, table: Table, condition: Any) -> int:
        with reading(self._engine) as connection:
            return int(connection.scalar(select(func.count()).select_from(table).where(condition)) or 0)
