"""An enclave's host and the hub: work, votes for a session, progress, and what left the enclave."""

from typing import Annotated

import msgspec

from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages.parties import Accepted, ErrorAnswer, Kind
from nebula.protocol.receipt import Evidence, KeeperVote, RunOutput
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import Document


class RunOrder(Document, frozen=True, kw_only=True):
    """What the hub asks an enclave host to run."""

    study: StudyDocument
    run: Hash32
    records: tuple[Address, ...]


class OrderRequest(Document, frozen=True, kw_only=True):
    """A host asks for work; ``None`` in the answer: nothing to do."""

    measurement: Hash32


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


class RunReport(Document, frozen=True, kw_only=True):
    """A host hands in what left the enclave, or why nothing did."""

    run: Hash32
    output: RunOutput | None = None
    error: ErrorAnswer | None = None


class RunProgress(Document, frozen=True, kw_only=True):
    """A host says where a run is; counts records that were worked on, whatever was found in them."""

    run: Hash32
    stage: Annotated[str, msgspec.Meta(max_length=40)]
    done: Annotated[int, msgspec.Meta(ge=0)]
    total: Annotated[int, msgspec.Meta(ge=0)]


ORDER = Kind("hub.order", OrderRequest, OrderAnswer)
SESSION = Kind("hub.session", SessionRequest, SessionAnswer)
REPORT = Kind("hub.report", RunReport, Accepted)
PROGRESS = Kind("hub.progress", RunProgress, Accepted)
