"""A small world around one keeper: owners, a buyer, studies, sessions on simulated hardware, a ledger in memory."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from nebula.attestation.report_data import binding_of, report_data
from nebula.keeper.appraise import QuoteJudge, appraise
from nebula.keeper.consent import approve, update_policies
from nebula.keeper.context import Keeper
from nebula.keeper.diseases import Diseases
from nebula.keeper.enrol import enrol
from nebula.keeper.nonces import issue_nonce
from nebula.keeper.release import release
from nebula.keeper.state import open_state
from nebula.protocol.consent import ConsentPolicy, policy_commitment, record_commitment
from nebula.protocol.duo import Permission, Purpose
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, Hash32, to_bytes, to_hex
from nebula.protocol.keys import SigningKey
from nebula.protocol.messages import (
    AppraiseAnswer,
    AppraiseRequest,
    Approval,
    ApproveRequest,
    EnrolAnswer,
    Enrolment,
    EnrolRequest,
    NonceRequest,
    PolicyRequest,
    PolicyUpdate,
    ReleaseAnswer,
    ReleasedShares,
    ReleaseRequest,
)
from nebula.protocol.receipt import Evidence, KeeperNonce
from nebula.protocol.record import (
    MANIFEST,
    SHARES_INFO,
    Dealing,
    KeyShare,
    ShareBundle,
    enrolment_context,
    parse_bundle,
    release_context,
)
from nebula.protocol.sealing import SealingKey, open_sealed, seal
from nebula.protocol.session_vote import session_vote
from nebula.protocol.signed_by_control_key import UNSIGNED, sign_document
from nebula.protocol.study import BuyerFacts, PartKind, PurposeTerms, ResultClass, StudyDocument
from nebula.protocol.typed_data import Domain
from nebula.protocol.wire import to_canonical
from simulators.ledger import SimulatedLedger
from simulators.sgx import MEASUREMENT, CollateralDouble, SgxHardware

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
CHAIN = 20017
RUN: Hash32 = "0x" + "11" * 32
PANEL: Hash32 = "0x" + "9a" * 32
OTHERS = (PartKind.PHENOTYPES, PartKind.SURVEY)
KINDS = (PartKind.GENOTYPES, *OTHERS)


def fresh_hash() -> Hash32:
    return to_hex(secrets.token_bytes(32))


def make_shares(*, panels: Sequence[Hash32], others: Sequence[PartKind]) -> tuple[KeyShare, ...]:
    """Return one share of a manifest's key, of vectors' on these panels, and of other parts'."""
    parts: list[tuple[str, Hash32 | None]] = [(PartKind.GENOTYPES.value, panel) for panel in panels]
    parts += [(kind.value, None) for kind in others]
    manifest = KeyShare(part_id=MANIFEST, kind=MANIFEST, index=1, value=secrets.token_bytes(32))
    return (
        manifest,
        *(
            KeyShare(part_id=fresh_hash(), kind=kind, panel=panel, index=1, value=secrets.token_bytes(32))
            for kind, panel in parts
        ),
    )


@dataclass
class Owner:
    """A data owner with one record, and what they sent to the keeper."""

    key: SigningKey
    policy: ConsentPolicy
    manifest_commitment: Hash32
    bundle: ShareBundle
    enrolment: Enrolment

    @property
    def record(self) -> Address:
        return self.key.address

    @property
    def commitment(self) -> bytes:
        return record_commitment(to_bytes(self.manifest_commitment), policy_commitment(self.policy))


@dataclass
class EnclaveSession:
    """What a worker holds of its session."""

    signing: SigningKey
    sealing: SealingKey
    study: StudyDocument
    run: Hash32
    evidence: Evidence | None = None

    @property
    def address(self) -> Address:
        return self.signing.address

    def open(self, released: ReleasedShares, keeper: Address) -> ShareBundle:
        context = release_context(
            released.record, released.manifest_commitment, keeper=keeper, session=self.address, run=self.run
        )
        return parse_bundle(open_sealed(self.sealing, released.sealed, info=SHARES_INFO, aad=context).reveal())


@dataclass
class World:
    """Everything outside the keeper, and the keeper."""

    database_url: str
    hardware: SgxHardware
    at: datetime = NOW
    confirmations: int = 0
    dealing: Dealing = field(default_factory=lambda: Dealing(keepers=2, threshold=2))
    hub: SigningKey = field(default_factory=SigningKey.generate)
    buyer: SigningKey = field(default_factory=SigningKey.generate)

    def __post_init__(self) -> None:
        self.ledger = SimulatedLedger(now=int(self.at.timestamp()))
        self.ledger.buyers[self.buyer.address] = BuyerFacts(
            address=self.buyer.address, country="CH", non_profit=True, accredited=False
        )
        self.ledger.approvals[MEASUREMENT, self.trust_root] = True
        self.collateral = CollateralDouble(self.hardware)
        self.judge = QuoteJudge(self.collateral, (self.hardware.pki.trust_root,), self.hardware.policy())
        self.signing, self.sealing = SigningKey.generate(), SealingKey.generate()
        self.engine = open_state(self.database_url)
        self.keeper = self.restarted()

    def restarted(self, **changes: Any) -> Keeper:
        """Return the keeper as a new process would see itself."""
        return Keeper(
            **{
                "address": self.signing.address,
                "signing_key": self.signing.secret,
                "sealing_key": self.sealing,
                "engine": self.engine,
                "ledger": self.ledger,
                "clock": lambda: self.at,
                "diseases": Diseases({"MONDO:0005148": ("MONDO:0005015",)}),
                "hub": self.hub.address,
                "sessions": Domain(CHAIN, "0x" + "5e" * 20),
                "confirmations": self.confirmations,
                **changes,
            }
        )

    @property
    def trust_root(self) -> Hash32:
        return self.hardware.pki.trust_root.fingerprint

    def pass_time(self, **duration: float) -> None:
        self.at += timedelta(**duration)
        self.ledger.now = int(self.at.timestamp())

    # Owners

    def policy(self, record: Address, **changes: Any) -> ConsentPolicy:
        return ConsentPolicy(
            **{
                "record": record,
                "permission": Permission.GRU,
                "parts": KINDS,
                "price_floor_wei": "5",
                "result_classes": (ResultClass.HITS, ResultClass.NOISED),
                "trust_roots": (self.trust_root,),
                "privacy_budget_micro_rho": 1_000_000,
                "expires": 2_000_000_000,
                "salt": secrets.token_bytes(32),
                **changes,
            }
        )

    def stranger(
        self,
        version: int = 1,
        *,
        panels: Sequence[Hash32] = (PANEL,),
        others: Sequence[PartKind] = OTHERS,
        **policy: Any,
    ) -> Owner:
        """Return an owner whom nobody knows yet, with genotypes on some panels, and some other parts."""
        key = SigningKey.generate()
        bundle = ShareBundle(
            record=key.address, manifest_commitment=fresh_hash(), shares=make_shares(panels=panels, others=others)
        )
        owned = self.policy(key.address, **policy)
        return Owner(
            key, owned, bundle.manifest_commitment, bundle, self.enrolment(key, owned, bundle, version=version)
        )

    def enrolment(self, key: SigningKey, policy: ConsentPolicy, bundle: ShareBundle, *, version: int = 1) -> Enrolment:
        context = enrolment_context(key.address, bundle.manifest_commitment, self.keeper.address)
        sealed = seal(self.sealing.public_key, to_canonical(bundle), info=SHARES_INFO, aad=context)
        unsigned = Enrolment(
            record=key.address,
            version=version,
            manifest_commitment=bundle.manifest_commitment,
            manifest_location=f"file:///store#{key.address}",
            policy=policy,
            dealing=self.dealing,
            sealed_shares=sealed,
            signature=UNSIGNED,
        )
        return sign_document(unsigned, key.secret)

    def enrol(self, *owners: Owner) -> EnrolAnswer:
        return enrol(self.keeper, EnrolRequest(enrolments=tuple(owner.enrolment for owner in owners)))

    def owner(self, **policy: Any) -> Owner:
        """Return an owner who is enrolled and stands on the ledger."""
        owner = self.stranger(**policy)
        assert self.enrol(owner).refused == ()
        self.ledger.put(owner.record, owner.commitment, 1)
        return owner

    def renew(self, owner: Owner, version: int, *, panels: Sequence[Hash32]) -> None:
        """Enrol an owner's record under a manifest with vectors on these panels, without the ledger."""
        shares = make_shares(panels=panels, others=OTHERS)
        owner.bundle = ShareBundle(record=owner.record, manifest_commitment=fresh_hash(), shares=shares)
        owner.manifest_commitment = owner.bundle.manifest_commitment
        owner.enrolment = self.enrolment(owner.key, owner.policy, owner.bundle, version=version)
        assert self.enrol(owner).refused == ()

    def send_policy(self, owner: Owner, version: int, **changes: Any) -> EnrolAnswer:
        """Send a new policy to the keeper, without the ledger."""
        owner.policy = msgspec.structs.replace(owner.policy, salt=secrets.token_bytes(32), **changes)
        unsigned = PolicyUpdate(
            record=owner.record,
            version=version,
            manifest_commitment=owner.manifest_commitment,
            policy=owner.policy,
            signature=UNSIGNED,
        )
        return update_policies(self.keeper, PolicyRequest(updates=(sign_document(unsigned, owner.key.secret),)))

    def change_policy(self, owner: Owner, version: int, **changes: Any) -> None:
        assert self.send_policy(owner, version, **changes).refused == ()
        self.ledger.put(owner.record, owner.commitment, version)

    def approve(self, owner: Owner, study: StudyDocument) -> None:
        unsigned = Approval(record=owner.record, study=study_id(study), signature=UNSIGNED)
        approve(self.keeper, ApproveRequest(approvals=(sign_document(unsigned, owner.key.secret),)))

    # Studies and sessions

    def draft(self, **changes: Any) -> StudyDocument:
        return StudyDocument(
            **{
                "chain_id": CHAIN,
                "buyer": self.buyer.address,
                "operator": self.hub.address,
                "result_key": SealingKey.generate().public_key,
                "title": "A study of lipids",
                "summary": "We look for variants that act on blood lipids.",
                "purpose": PurposeTerms(purposes=(Purpose.HEALTH,)),
                "analysis": "gwas-linear@1",
                "parameters": {"trait": "ldl"},
                "parts": (PartKind.GENOTYPES, PartKind.PHENOTYPES),
                "panel": PANEL,
                "price_per_record_wei": "5",
                "fee_wei": "7",
                "min_records": 1,
                "max_records": 1000,
                "deadline": int((self.at + timedelta(days=30)).timestamp()),
                "keepers": (self.keeper.address, "0x" + "0a" * 20, "0x" + "0b" * 20),
                "keeper_threshold": 2,
                "measurement": MEASUREMENT,
                "trust_root": self.trust_root,
                **changes,
            }
        )

    def study(self, **changes: Any) -> StudyDocument:
        """Return a study that is funded."""
        document = self.draft(**changes)
        self.ledger.set_open(study_id(document))
        return document

    def new_session(self, study: StudyDocument, run: Hash32 = RUN) -> EnclaveSession:
        return EnclaveSession(SigningKey.generate(), SealingKey.generate(), study, run)

    def nonce(self, session: EnclaveSession) -> bytes:
        request = NonceRequest(study=study_id(session.study), run=session.run)
        return issue_nonce(self.keeper, request, session.address).nonce

    def evidence(self, session: EnclaveSession, nonce: bytes, **changes: Any) -> Evidence:
        """Have the session quoted over this keeper's nonce and another's."""
        block = self.ledger.newest_block()
        unquoted = Evidence(
            **{
                "quote": bytes(400),
                "session": session.address,
                "session_key": session.sealing.public_key,
                "study": session.study,
                "run": session.run,
                "nonces": (
                    KeeperNonce(keeper=self.keeper.address, nonce=nonce),
                    KeeperNonce(keeper="0x" + "0a" * 20, nonce=bytes(32)),
                ),
                "consent_block_number": block.number,
                "consent_block_hash": block.hash,
                **changes,
            }
        )
        quote = self.hardware.quote(report_data(binding_of(unquoted)))
        return msgspec.structs.replace(unquoted, quote=quote)

    def appraise(self, session: EnclaveSession, evidence: Evidence) -> AppraiseAnswer:
        return appraise(self.keeper, self.judge, AppraiseRequest(evidence=evidence), session.address)

    def appraised(self, study: StudyDocument, run: Hash32 = RUN) -> EnclaveSession:
        session = self.new_session(study, run)
        session.evidence = self.evidence(session, self.nonce(session))
        self.appraise(session, session.evidence)
        return session

    def session(self, study: StudyDocument, run: Hash32 = RUN) -> EnclaveSession:
        """Return a session that is appraised and stands on the ledger."""
        session = self.appraised(study, run)
        assert session.evidence is not None
        self.ledger.register_session(session_vote(session.evidence))
        return session

    def release(self, session: EnclaveSession, *records: Address) -> ReleaseAnswer:
        request = ReleaseRequest(study=study_id(session.study), run=session.run, records=records)
        return release(self.keeper, request, session.address)
