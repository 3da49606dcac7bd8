"""The messages between parties: one request and one answer type per step of the protocol.

Field limits are size limits: what does not fit in a page is asked for in several.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from nebula.protocol.consent import ConsentPolicy
from nebula.protocol.ids import Address, Hash32, Nonce, PublicKey, Signature
from nebula.protocol.receipt import Evidence, KeeperVote, Payout, RunOutput, SealedLeaf
from nebula.protocol.record import Location
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import Document

ENROL_PAGE = 500
RELEASE_PAGE = 1000
MATCH_PAGE = 50_000
COHORT_PIECE = 2**18
COHORT_PAGE = 8
PAYOUT_PAGE = 5000

Records = Annotated[tuple[Address, ...], msgspec.Meta(max_length=RELEASE_PAGE)]


class ErrorAnswer(Document, frozen=True, kw_only=True):
    """What every party answers when it does not do what was asked."""

    family: Annotated[str, msgspec.Meta(max_length=20)]
    code: str
    message: str
    hint: str | None = None


# --- who are you -------------------------------------------------------------------------------------


class Identity(Document, frozen=True, kw_only=True):
    """A party's public face, at ``/v1/identity``: unsigned, to be compared with the ledger."""

    party: str
    address: Address
    key: PublicKey
    chain_id: int
    simulated: bool


# --- vault → keeper ----------------------------------------------------------------------------------


class Enrolment(Document, frozen=True, kw_only=True):
    """One record's shares and policy for one keeper; ``signature`` is the control key's."""

    record: Address
    version: Annotated[int, msgspec.Meta(ge=1, lt=2**48)]
    manifest_commitment: Hash32
    manifest_location: Location
    policy: ConsentPolicy
    sealed_shares: Annotated[bytes, msgspec.Meta(max_length=16_384)]
    signature: Signature


class EnrolRequest(Document, frozen=True, kw_only=True):
    """Records to keep shares of. Sent by a vault; each enrolment carries its own owner's signature."""

    enrolments: Annotated[tuple[Enrolment, ...], msgspec.Meta(min_length=1, max_length=ENROL_PAGE)]


class Acceptance(Document, frozen=True, kw_only=True):
    """A keeper's word that it holds a record's shares and policy; ``signature`` is the keeper's."""

    record: Address
    version: int
    record_commitment: Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-f]{52}\Z")]
    signature: Signature


class RefusedEnrolment(Document, frozen=True, kw_only=True):
    """Why one record of a page was not accepted; the others were."""

    record: Address
    error: ErrorAnswer


class EnrolAnswer(Document, frozen=True, kw_only=True):
    """Which enrolments were accepted, and why the others were not."""

    accepted: tuple[Acceptance, ...]
    refused: tuple[RefusedEnrolment, ...] = ()


class PolicyUpdate(Document, frozen=True, kw_only=True):
    """A new policy on the shares a keeper already holds; ``signature`` is the control key's."""

    record: Address
    version: Annotated[int, msgspec.Meta(ge=2, lt=2**48)]
    manifest_commitment: Hash32
    policy: ConsentPolicy
    signature: Signature


class PolicyRequest(Document, frozen=True, kw_only=True):
    """New policies, each under its owner's signature."""

    updates: Annotated[tuple[PolicyUpdate, ...], msgspec.Meta(min_length=1, max_length=ENROL_PAGE)]


class Approval(Document, frozen=True, kw_only=True):
    """An owner's signed yes to one study, in *ask* mode."""

    record: Address
    study: Hash32
    signature: Signature


class ApproveRequest(Document, frozen=True, kw_only=True):
    """Owners' approvals, each under its owner's signature."""

    approvals: Annotated[tuple[Approval, ...], msgspec.Meta(min_length=1, max_length=ENROL_PAGE)]


class DecisionsRequest(Document, frozen=True, kw_only=True):
    """What did you decide about my record? Sent under the record's control key."""

    after: int = 0


class RecordedDecision(Document, frozen=True, kw_only=True):
    """One decision of a keeper about one record, as its log has it."""

    sequence: int
    study: Hash32
    run: Hash32 | None
    released: bool
    reasons: tuple[str, ...]
    block_number: int


class DecisionsAnswer(Document, frozen=True, kw_only=True):
    """A page of decisions, oldest first, and the studies that wait for the owner's approval."""

    decisions: tuple[RecordedDecision, ...]
    waiting: tuple[StudyDocument, ...] = ()
    more: bool = False


class HeldRequest(Document, frozen=True, kw_only=True):
    """What do you hold of my record? Sent under the record's control key, by an owner who has lost all but that."""


class HeldAnswer(Document, frozen=True, kw_only=True):
    """What a keeper holds under the ledger's current commitment: all that finds and explains a record, no share."""

    record: Address
    version: Annotated[int, msgspec.Meta(ge=1, lt=2**48)]
    manifest_commitment: Hash32
    manifest_location: Location
    policy: ConsentPolicy


# --- hub → keeper ------------------------------------------------------------------------------------


class MatchRequest(Document, frozen=True, kw_only=True):
    """Which records would you release for this study? Paged by record id."""

    study: StudyDocument
    after: Address | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MATCH_PAGE)] = MATCH_PAGE


class MatchAnswer(Document, frozen=True, kw_only=True):
    """The records a keeper would release, and of the others only counts by reason."""

    records: Annotated[tuple[Address, ...], msgspec.Meta(max_length=MATCH_PAGE)]
    refused: dict[str, int]
    next_after: Address | None = None


# --- enclave → keeper --------------------------------------------------------------------------------


class NonceRequest(Document, frozen=True, kw_only=True):
    """A starting session asks for a nonce to put into its quote."""

    study: Hash32
    run: Hash32


class NonceAnswer(Document, frozen=True, kw_only=True):
    """A nonce, the keeper's key to be sealed to, and the newest block that its own node has."""

    nonce: Nonce
    key: PublicKey
    block_number: int
    block_hash: Hash32


class AppraiseRequest(Document, frozen=True, kw_only=True):
    """A session shows its evidence."""

    evidence: Evidence


class AppraiseAnswer(Document, frozen=True, kw_only=True):
    """The keeper's vote, and the collateral it judged by."""

    vote: KeeperVote
    collateral: bytes


class ReleaseRequest(Document, frozen=True, kw_only=True):
    """A registered session asks for shares of one page of records."""

    study: Hash32
    run: Hash32
    records: Records


class ReleasedShares(Document, frozen=True, kw_only=True):
    """One record's shares, sealed to the session."""

    record: Address
    manifest_commitment: Hash32
    manifest_location: Location
    sealed: Annotated[bytes, msgspec.Meta(max_length=16_384)]


class RefusedRecord(Document, frozen=True, kw_only=True):
    """A record that was not released, and why."""

    record: Address
    reasons: tuple[str, ...]


class ReleaseAnswer(Document, frozen=True, kw_only=True):
    """What was released and refused, and the block that it was decided at."""

    released: Annotated[tuple[ReleasedShares, ...], msgspec.Meta(max_length=RELEASE_PAGE)]
    refused: Annotated[tuple[RefusedRecord, ...], msgspec.Meta(max_length=RELEASE_PAGE)]
    block_number: int
    block_hash: Hash32


class ConfirmRequest(Document, frozen=True, kw_only=True):
    """Which of these are still permitted, at the newest block?"""

    study: Hash32
    run: Hash32
    records: Records


class ConfirmAnswer(Document, frozen=True, kw_only=True):
    """The records that are no longer permitted, and the block that it was decided at."""

    refused: Records
    block_number: int
    block_hash: Hash32


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


# --- buyer, vault, host → hub ------------------------------------------------------------------------


class PublishRequest(Document, frozen=True, kw_only=True):
    """A buyer publishes a study."""

    study: StudyDocument


class PublishAnswer(Document, frozen=True, kw_only=True):
    """The study's id, and roughly how many records would take part."""

    study: Hash32
    matching: str  # thresholded: "fewer than 100", "about 2,500"
    refused: dict[str, str]


class RunRequest(Document, frozen=True, kw_only=True):
    """Run a funded study; asking again returns the same run."""

    study: Hash32


class RunAnswer(Document, frozen=True, kw_only=True):
    """Where a run stands."""

    run: Hash32
    state: str
    detail: str | None = None


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


class Accepted(Document, frozen=True, kw_only=True):
    """Done; asking again changes nothing."""

    accepted: bool = True


class RecordPut(Document, frozen=True, kw_only=True):
    """An owner's registration, update or withdrawal for the relay, under the control key's EIP-712 signature.

    ``commitment`` of zero bytes withdraws.
    """

    record: Address
    commitment: Annotated[str, msgspec.Meta(pattern=r"\A0x[0-9a-f]{52}\Z")]
    version: Annotated[int, msgspec.Meta(ge=1, lt=2**48)]
    signature: Signature


class RelayRequest(Document, frozen=True, kw_only=True):
    """Owners' signed writes, for the relay to put on the ledger and pay the gas of."""

    puts: Annotated[tuple[RecordPut, ...], msgspec.Meta(min_length=1, max_length=ENROL_PAGE)]


class RelayAnswer(Document, frozen=True, kw_only=True):
    """The transactions that carry the records, in order."""

    transactions: tuple[Hash32, ...]


class LeavesRequest(Document, frozen=True, kw_only=True):
    """A page of a run's sealed leaves; owners fetch all and find theirs at home."""

    run: Hash32
    after: int = 0


class LeavesAnswer(Document, frozen=True, kw_only=True):
    """A page of sealed leaves."""

    leaves: Annotated[tuple[SealedLeaf, ...], msgspec.Meta(max_length=PAYOUT_PAGE)]
    next_after: int | None = None


class PayoutsAnswer(Document, frozen=True, kw_only=True):
    """A page of a run's payouts."""

    payouts: Annotated[tuple[Payout, ...], msgspec.Meta(max_length=PAYOUT_PAGE)]
    next_after: int | None = None


class ResultRequest(Document, frozen=True, kw_only=True):
    """The buyer asks for its sealed result."""

    run: Hash32


class ResultAnswer(Document, frozen=True, kw_only=True):
    """The result, sealed to the buyer's key."""

    sealed_result: bytes


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message: what is asked and what is answered."""

    name: str
    request: type[Document]
    answer: type[Document]


ENROL = Kind("keeper.enrol", EnrolRequest, EnrolAnswer)
POLICY = Kind("keeper.policy", PolicyRequest, EnrolAnswer)
APPROVE = Kind("keeper.approve", ApproveRequest, Accepted)
DECISIONS = Kind("keeper.decisions", DecisionsRequest, DecisionsAnswer)
HELD = Kind("keeper.held", HeldRequest, HeldAnswer)
MATCH = Kind("keeper.match", MatchRequest, MatchAnswer)
NONCE = Kind("keeper.nonce", NonceRequest, NonceAnswer)
APPRAISE = Kind("keeper.appraise", AppraiseRequest, AppraiseAnswer)
RELEASE = Kind("keeper.release", ReleaseRequest, ReleaseAnswer)
CONFIRM = Kind("keeper.confirm", ConfirmRequest, ConfirmAnswer)
COHORTS = Kind("keeper.cohorts", CohortsRequest, CohortsAnswer)
KEEP_COHORT = Kind("keeper.keep-cohort", KeepCohortRequest, Accepted)
PUBLISH = Kind("hub.publish", PublishRequest, PublishAnswer)
RUN = Kind("hub.run", RunRequest, RunAnswer)
ORDER = Kind("hub.order", OrderRequest, OrderAnswer)
SESSION = Kind("hub.session", SessionRequest, SessionAnswer)
REPORT = Kind("hub.report", RunReport, Accepted)
PROGRESS = Kind("hub.progress", RunProgress, Accepted)
RELAY = Kind("hub.relay", RelayRequest, RelayAnswer)
LEAVES = Kind("hub.leaves", LeavesRequest, LeavesAnswer)
RESULT = Kind("hub.result", ResultRequest, ResultAnswer)
