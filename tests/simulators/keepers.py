"""Keepers in memory: real envelopes, real shares, real votes. Honest until told otherwise."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from nebula.enclave.host_pipe import Incoming, SealedRequest
from nebula.protocol.envelope import VerifiedMessage, open_envelope, seal_envelope
from nebula.protocol.errors import NebulaError, NotPermittedError, UnavailableError
from nebula.protocol.ids import Address, Hash32, to_hex
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import (
    APPRAISE,
    COHORT_PAGE,
    COHORTS,
    CONFIRM,
    DISCOVER,
    KEEP_COHORT,
    NONCE,
    RELEASE,
    SPEND,
    Accepted,
    AppraiseAnswer,
    AppraiseRequest,
    CandidatesAnswer,
    CohortNote,
    CohortsAnswer,
    CohortsRequest,
    ConfirmAnswer,
    ConfirmRequest,
    DiscoverRequest,
    KeepCohortRequest,
    KeptCohort,
    NonceAnswer,
    NonceRequest,
    RefusedRecord,
    ReleaseAnswer,
    ReleasedShares,
    ReleaseRequest,
    RunProgress,
    SessionRequest,
    SpendRequest,
)
from nebula.protocol.receipt import Evidence
from nebula.protocol.record import (
    COHORT_INFO,
    MANIFEST,
    SHARES_INFO,
    KeyShare,
    ShareBundle,
    cohort_context,
    needed_parts,
    part_name,
    release_context,
)
from nebula.protocol.sealing import SealingKey, open_sealed, seal
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.session_vote import cast_vote
from nebula.protocol.typed_data import Domain
from nebula.protocol.wire import Document, parser, to_canonical
from simulators.records import SimulatedOwner

KINDS = frozenset(kind.name for kind in (NONCE, APPRAISE, RELEASE, CONFIRM, COHORTS, KEEP_COHORT, DISCOVER, SPEND))


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class SimulatedKeeper:
    """One keeper. ``refused`` at release, ``withdrawn`` from then on."""

    index: int
    sessions: Domain
    key: SigningKey = field(default_factory=SigningKey.generate)
    sealing: SealingKey = field(default_factory=SealingKey.generate)
    owners: dict[Address, SimulatedOwner] = field(default_factory=dict)
    refused: set[Address] = field(default_factory=set)
    withdrawn: set[Address] = field(default_factory=set)
    block: int = 100
    down_for: set[str] = field(default_factory=set)
    denied: dict[Address, set[Address]] = field(default_factory=dict)
    suspended: set[Address] = field(default_factory=set)
    told: set[tuple[Address, str]] = field(default_factory=set)
    most_told: int = 1000
    evidence: Evidence | None = None
    cohorts: list[tuple[Evidence, CohortNote, SecretBytes]] = field(default_factory=list)
    bend_cohort: Callable[[KeptCohort], KeptCohort | None] = lambda kept: kept
    bend_bundle: Callable[[ShareBundle], ShareBundle] = lambda bundle: bundle
    bend_location: Callable[[str], str] = lambda location: location
    bend_answer: Callable[[bytes], bytes] = lambda raw: raw
    vote_for: Callable[[Evidence], Evidence] = lambda evidence: evidence
    asked: list[tuple[str, Document]] = field(default_factory=list)

    @property
    def address(self) -> Address:
        return self.key.address

    def enrol(self, owners: Iterable[SimulatedOwner]) -> None:
        self.owners |= {owner.record: owner for owner in owners}

    def answer(self, envelope: bytes) -> bytes:
        """Answer one envelope, as a keeper's server does."""
        message = open_envelope(envelope, me=self.address, at=now(), kinds=KINDS)
        if message.kind in self.down_for:
            raise UnavailableError("peer.away", "this keeper does not answer")
        body = self._dispatch(message)
        raw = seal_envelope(
            message.kind,
            body,
            key=self.key.secret,
            recipient=message.sender,
            at=now(),
            nonce=secrets.token_bytes(16),
            reply_to=message.digest,
        )
        return self.bend_answer(raw)

    def _dispatch(self, message: VerifiedMessage) -> Document:
        handlers = {
            NONCE.name: (NonceRequest, self._nonce),
            APPRAISE.name: (AppraiseRequest, self._appraise),
            RELEASE.name: (ReleaseRequest, self._release),
            CONFIRM.name: (ConfirmRequest, self._confirm),
            COHORTS.name: (CohortsRequest, self._cohorts),
            KEEP_COHORT.name: (KeepCohortRequest, self._keep_cohort),
            DISCOVER.name: (DiscoverRequest, self._discover),
            SPEND.name: (SpendRequest, self._spend),
        }
        kind, handler = handlers[message.kind]
        question = parser(kind, max_bytes=1 << 25)(message.body)
        self.asked.append((message.kind, question))
        return handler(question)

    def _nonce(self, _question: NonceRequest) -> NonceAnswer:
        return NonceAnswer(
            nonce=secrets.token_bytes(32),
            key=self.sealing.public_key,
            block_number=self.block,
            block_hash=self._block_hash,
        )

    def _appraise(self, question: AppraiseRequest) -> AppraiseAnswer:
        self.evidence = question.evidence
        vote = cast_vote(self.vote_for(question.evidence), self.sessions, self.key.secret)
        return AppraiseAnswer(vote=vote, collateral=b"collateral")

    def _release(self, question: ReleaseRequest) -> ReleaseAnswer:
        given = [record for record in question.records if record in self.owners and record not in self._no]
        refused = [RefusedRecord(record=record, reasons=("no",)) for record in question.records if record not in given]
        return ReleaseAnswer(
            released=tuple(self._seal(self.owners[record]) for record in given),
            refused=tuple(refused),
            block_number=self.block,
            block_hash=self._block_hash,
        )

    def _confirm(self, question: ConfirmRequest) -> ConfirmAnswer:
        return ConfirmAnswer(
            refused=tuple(record for record in question.records if record in self._no),
            block_number=self.block,
            block_hash=self._block_hash,
        )

    def _discover(self, question: DiscoverRequest) -> ConfirmAnswer:
        self._check_buyer(question.buyer)
        no = self._no | self.denied.get(question.buyer, set())
        return ConfirmAnswer(
            refused=tuple(record for record in question.records if record in no),
            block_number=self.block,
            block_hash=self._block_hash,
        )

    def _spend(self, question: SpendRequest) -> Accepted:
        self._check_buyer(question.buyer)
        this = (question.buyer, question.draw)
        if this not in self.told and len(self.told) >= self.most_told:
            raise NotPermittedError("discovery.buyer-budget", "it is spent")
        self.told.add(this)
        return Accepted()

    def _check_buyer(self, buyer: Address) -> None:
        if buyer in self.suspended:
            raise NotPermittedError("buyer.standing", "this buyer is suspended")

    def _keep_cohort(self, question: KeepCohortRequest) -> Accepted:
        assert self.evidence is not None
        context = cohort_context(question.note.session, keeper=self.address, reader=self.address)
        share = open_sealed(self.sealing, question.sealed_share, info=COHORT_INFO, aad=context)
        self.cohorts.append((self.evidence, question.note, share))
        return Accepted()

    def _cohorts(self, question: CohortsRequest) -> CohortsAnswer:
        assert self.evidence is not None
        mine = self.evidence
        page = list(enumerate(self.cohorts, 1))[question.after : question.after + COHORT_PAGE]
        kept = [
            self.bend_cohort(self._handed(left, note, share, mine))
            for _, (left, note, share) in page
            if note.session != mine.session
        ]
        last = page[-1][0] if page else question.after
        return CohortsAnswer(
            kept=tuple(item for item in kept if item is not None), last=last, more=last < len(self.cohorts)
        )

    def _handed(self, left: Evidence, note: CohortNote, share: SecretBytes, reader: Evidence) -> KeptCohort:
        context = cohort_context(note.session, keeper=self.address, reader=reader.session)
        sealed = seal(reader.session_key, share, info=COHORT_INFO, aad=context)
        return KeptCohort(evidence=left, note=note, sealed_share=sealed)

    @property
    def _no(self) -> set[Address]:
        return self.refused | self.withdrawn

    @property
    def _block_hash(self) -> str:
        return to_hex(self.block.to_bytes(32, "big"))

    def _seal(self, owner: SimulatedOwner) -> ReleasedShares:
        if self.evidence is None:
            raise NotPermittedError("release.session", "no session was appraised")
        bundle = owner.bundles[self.index]
        wanted = {MANIFEST, *needed_parts(self.evidence.study)}
        chosen = tuple(share for share in bundle.shares if part_name(share.kind, share.panel) in wanted)
        bundle = self.bend_bundle(msgspec.structs.replace(bundle, shares=chosen))
        commitment = owner.stored.commitment
        context = release_context(
            owner.record, commitment, keeper=self.address, session=self.evidence.session, run=self.evidence.run
        )
        return ReleasedShares(
            record=owner.record,
            manifest_commitment=commitment,
            manifest_location=self.bend_location(owner.stored.manifest_location),
            sealed=seal(self.evidence.session_key, to_canonical(bundle), info=SHARES_INFO, aad=context),
        )


def wrong_values(bundle: ShareBundle) -> ShareBundle:
    """Shares that look right and are not."""
    return _bent(bundle, lambda share: msgspec.structs.replace(share, value=bytes(32)))


def taking_index(index: int) -> Callable[[ShareBundle], ShareBundle]:
    """Wrong shares under another keeper's index."""
    return lambda bundle: _bent(bundle, lambda share: msgspec.structs.replace(share, index=index, value=bytes(32)))


def _bent(bundle: ShareBundle, bend: Callable[[KeyShare], KeyShare]) -> ShareBundle:
    return msgspec.structs.replace(bundle, shares=tuple(bend(share) for share in bundle.shares))


@dataclass
class SimulatedHost:
    """A host that carries to keepers in memory. ``at_stage``: called once, when the run reaches a stage."""

    keepers: dict[Address, SimulatedKeeper]
    registered: list[SessionRequest] = field(default_factory=list)
    stages: list[tuple[str, int, int]] = field(default_factory=list)
    at_stage: dict[str, Callable[[], None]] = field(default_factory=dict)
    carried: list[SealedRequest] = field(default_factory=list)
    ordered: list[Address] = field(default_factory=list)
    page: int = 7
    incoming: list[bytes] = field(default_factory=list)
    replies: list[bytes | NebulaError] = field(default_factory=list)

    @classmethod
    def of(cls, keepers: Sequence[SimulatedKeeper]) -> "SimulatedHost":
        return cls({keeper.address: keeper for keeper in keepers})

    # what a worker asks of its host

    def carry(self, requests: Sequence[SealedRequest]) -> list[bytes | NebulaError]:
        self.carried += requests
        return [self._answered(request) for request in requests]

    def candidates(self, after: Address | None) -> CandidatesAnswer:
        left = sorted(record for record in self.ordered if record > (after or ""))
        return CandidatesAnswer(records=tuple(left[: self.page]), more=len(left) > self.page)

    def register(self, request: SessionRequest) -> None:
        self.registered.append(request)

    def progress(self, stage: str, done: int, total: int) -> None:
        self.stages.append((stage, done, total))
        self.at_stage.pop(stage, lambda: None)()

    def receive(self, _session: Address) -> Incoming | None:
        return Incoming(len(self.incoming), self.incoming.pop(0)) if self.incoming else None

    def reply(self, _to: Incoming, answer: bytes | NebulaError) -> None:
        self.replies.append(answer)

    def _answered(self, request: SealedRequest) -> bytes | NebulaError:
        try:
            return self.keepers[request.keeper].answer(request.envelope)
        except NebulaError as error:
            return error


@dataclass
class SimulatedCourier:
    """The same for a real worker process behind a pipe."""

    host: SimulatedHost

    def carry(self, keeper: Address, kind: str, envelope: bytes) -> bytes:
        answer = self.host.carry([SealedRequest(keeper, kind, envelope)])[0]
        if isinstance(answer, NebulaError):
            raise answer
        return answer

    def candidates(self, _run: Hash32, after: Address | None) -> CandidatesAnswer:
        return self.host.candidates(after)

    def register(self, request: SessionRequest) -> None:
        self.host.register(request)

    def progress(self, progress: RunProgress) -> None:
        self.host.progress(progress.stage, progress.done, progress.total)
