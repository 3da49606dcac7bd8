"""A vault and a keeper: shares and policies to keep, approvals, and what a keeper knows of a record."""

from typing import Annotated

import msgspec

from nebula.protocol.consent import ConsentPolicy
from nebula.protocol.ids import Address, Hash32, Signature
from nebula.protocol.messages.parties import Accepted, ErrorAnswer, Kind
from nebula.protocol.record import Dealing, Location
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import Document

ENROL_PAGE = 500


class Enrolment(Document, frozen=True, kw_only=True):
    """One record's shares and policy for one keeper; ``signature`` is the control key's.

    ``dealing`` says how the keys were split: the keeper's part of the record's privacy budget follows from it.
    """

    record: Address
    version: Annotated[int, msgspec.Meta(ge=1, lt=2**48)]
    manifest_commitment: Hash32
    manifest_location: Location
    policy: ConsentPolicy
    dealing: Dealing
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


class LogHead(Document, frozen=True, kw_only=True):
    """How long a keeper's decision log is, and the hash of its last entry; ``signature`` is the keeper's.

    It says nothing about any record. Who keeps one can hold the keeper to it: a log that is shorter later, or has
    another hash at that place, is another log.
    """

    keeper: Address
    sequence: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    hash: Hash32
    signature: Signature


class DecisionsAnswer(Document, frozen=True, kw_only=True):
    """A page of decisions, oldest first, the studies that wait for the owner's approval, and the log's head."""

    decisions: tuple[RecordedDecision, ...]
    waiting: tuple[StudyDocument, ...] = ()
    more: bool = False
    head: LogHead


class HeldRequest(Document, frozen=True, kw_only=True):
    """What do you hold of my record? Sent under the record's control key, by an owner who has lost all but that."""


class HeldAnswer(Document, frozen=True, kw_only=True):
    """What a keeper holds under the ledger's current commitment: all that finds and explains a record, no share."""

    record: Address
    version: Annotated[int, msgspec.Meta(ge=1, lt=2**48)]
    manifest_commitment: Hash32
    manifest_location: Location
    policy: ConsentPolicy


ENROL = Kind("keeper.enrol", EnrolRequest, EnrolAnswer)
POLICY = Kind("keeper.policy", PolicyRequest, EnrolAnswer)
APPROVE = Kind("keeper.approve", ApproveRequest, Accepted)
DECISIONS = Kind("keeper.decisions", DecisionsRequest, DecisionsAnswer)
HELD = Kind("keeper.held", HeldRequest, HeldAnswer)
