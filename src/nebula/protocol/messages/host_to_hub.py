"""An enclave's host and the hub: work, votes for a session, progress, and what left the enclave."""

from typing import Annotated, Literal

import msgspec

from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages.parties import Accepted, ErrorAnswer, Kind
from nebula.protocol.receipt import Evidence, KeeperVote, OwnersPage, RunHead
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import Document

CANDIDATES_PAGE = 50_000
Work = Literal["studies", "discoveries"]
"""A study's run ends by itself; a discovery stands until its deadline."""


class RunOrder(Document, frozen=True, kw_only=True):
    """What the hub asks an enclave host to run. Over which records, is asked for page by page."""

    study: StudyDocument
    run: Hash32


class CandidatesRequest(Document, frozen=True, kw_only=True):
    """A host asks for the records of an order, those beyond ``after``."""

    run: Hash32
    after: Address | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=CANDIDATES_PAGE)] = CANDIDATES_PAGE


class CandidatesAnswer(Document, frozen=True, kw_only=True):
    """A page of the records that an order names, ascending, and whether there are more."""

    records: Annotated[tuple[Address, ...], msgspec.Meta(max_length=CANDIDATES_PAGE)]
    more: bool = False


class OrderRequest(Document, frozen=True, kw_only=True):
    """A host asks for work; ``None`` in the answer: nothing to do."""

    measurement: Hash32
    work: Work = "studies"


class OrderAnswer(Document, frozen=True, kw_only=True):
    """Work for the host, or none."""

    order: RunOrder | None


class SessionRequest(Document, frozen=True, kw_only=True):
    """A host hands in votes; the hub registers the session on the ledger."""

    run: Hash32
    evidence: Evidence
    votes: tuple[KeeperVote, ...]
    collateral: bytes


class SessionAnswer(Document, frozen=True, kw_only=True):
    """The session stands on the ledger, in this block."""

    transaction: Hash32
    block_number: int


class OwnersReport(Document, frozen=True, kw_only=True):
    """A host hands in a page of a session's payouts and leaves; all pages come before the run's report."""

    run: Hash32
    session: Address
    page: OwnersPage


class RunReport(Document, frozen=True, kw_only=True):
    """A host hands in what left the enclave last, or why nothing did."""

    run: Hash32
    head: RunHead | None = None
    error: ErrorAnswer | None = None


class RunProgress(Document, frozen=True, kw_only=True):
    """A host says where a run is; counts records that were worked on, whatever was found in them."""

    run: Hash32
    stage: Annotated[str, msgspec.Meta(max_length=40)]
    done: Annotated[int, msgspec.Meta(ge=0)]
    total: Annotated[int, msgspec.Meta(ge=0)]


ORDER = Kind("hub.order", OrderRequest, OrderAnswer)
CANDIDATES = Kind("hub.candidates", CandidatesRequest, CandidatesAnswer)
SESSION = Kind("hub.session", SessionRequest, SessionAnswer)
OWNERS = Kind("hub.owners", OwnersReport, Accepted)
REPORT = Kind("hub.report", RunReport, Accepted)
PROGRESS = Kind("hub.progress", RunProgress, Accepted)
