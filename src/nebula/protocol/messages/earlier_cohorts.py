"""A session and a keeper: cohorts that exact results were computed over, kept for the buyer's later sessions."""

from typing import Annotated

import msgspec

from nebula.protocol.ids import Address, Hash32, Signature
from nebula.protocol.messages.parties import Accepted, Kind
from nebula.protocol.receipt import Evidence, KeeperVote
from nebula.protocol.wire import Document

COHORT_PIECE = 2**18
COHORT_PAGE = 8


class CohortNote(Document, frozen=True, kw_only=True):
    """One piece of a cohort that an exact result was computed over, for later sessions of the same buyer to read.

    ``ciphertext`` opens with a key that the session dealt to the keepers, known by ``key_digest``; see
    ``nebula.enclave.earlier_cohorts``. ``votes`` are the session's; ``signature`` is its own.
    """

    session: Address
    votes: Annotated[tuple[KeeperVote, ...], msgspec.Meta(min_length=1, max_length=32)]
    piece: Annotated[int, msgspec.Meta(ge=0, lt=1000)]
    pieces: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    key_digest: Hash32
    ciphertext: Annotated[bytes, msgspec.Meta(min_length=16, max_length=8 * COHORT_PIECE + 16)]
    signature: Signature


class KeepCohortRequest(Document, frozen=True, kw_only=True):
    """A session leaves a piece of its cohort with a keeper; ``sealed_share`` is this keeper's share of the key."""

    study: Hash32
    run: Hash32
    note: CohortNote
    sealed_share: Annotated[bytes, msgspec.Meta(max_length=200)]


class CohortsRequest(Document, frozen=True, kw_only=True):
    """A session asks for the cohorts of its buyer's earlier results."""

    study: Hash32
    run: Hash32
    after: Annotated[int, msgspec.Meta(ge=0)] = 0


class KeptCohort(Document, frozen=True, kw_only=True):
    """A piece of an earlier cohort, what its session was appraised on, and the key's share, sealed to the asker."""

    evidence: Evidence
    note: CohortNote
    sealed_share: Annotated[bytes, msgspec.Meta(max_length=200)]


class CohortsAnswer(Document, frozen=True, kw_only=True):
    """A page of earlier cohorts, and after which number the next page begins."""

    kept: Annotated[tuple[KeptCohort, ...], msgspec.Meta(max_length=COHORT_PAGE)]
    last: Annotated[int, msgspec.Meta(ge=0)]
    more: bool = False


COHORTS = Kind("keeper.cohorts", CohortsRequest, CohortsAnswer)
KEEP_COHORT = Kind("keeper.keep-cohort", KeepCohortRequest, Accepted)
