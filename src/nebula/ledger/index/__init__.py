"""The ledger's events in the caller's own database: what is true now, and how it came about.

``sync`` follows the ledger and goes back when it reorganises, ``views`` folds events into current state,
``queries`` answers from it, in the types of ``answers``.
"""

from nebula.ledger.index.answers import (
    ClaimView,
    MeasurementView,
    OrganizationView,
    PanelView,
    RecordView,
    SessionView,
    StudyView,
)
from nebula.ledger.index.queries import LedgerIndex
from nebula.ledger.index.tables import IndexTables, index_tables

__all__ = [
    "ClaimView",
    "IndexTables",
    "LedgerIndex",
    "MeasurementView",
    "OrganizationView",
    "PanelView",
    "RecordView",
    "SessionView",
    "StudyView",
    "index_tables",
]
