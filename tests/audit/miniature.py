"""One whole run in miniature, made by hand against a real ledger: what an audit is given."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ledger.ledgers import FAUCET, FOREVER, Market
from nebula.attestation.report_data import analysis_digest, binding_of, report_data
from nebula.attestation.roots import TrustRoot
from nebula.attestation.simulator.collateral import issue_collateral
from nebula.attestation.simulator.cpu import SimulatedCpu
from nebula.attestation.simulator.pki import DevelopmentPki
from nebula.ledger.client import Network
from nebula.ledger.client.panels import NO_PANEL
from nebula.protocol.duo import Purpose
from nebula.protocol.funding import funding_of, study_id
from nebula.protocol.ids import to_hex
from nebula.protocol.keys import SigningKey
from nebula.protocol.merkle import payout_tree, subtree_proof
from nebula.protocol.messages import PanelPublication
from nebula.protocol.money import TOKEN_WEI
from nebula.protocol.receipt import (
    Evidence,
    KeeperNonce,
    Payout,
    PublicRun,
    Receipt,
    RunStatement,
    SignedReceipt,
)
from nebula.protocol.result import ResultBundle
from nebula.protocol.run_statement import leaves_digest
from nebula.protocol.session_vote import cast_vote, session_vote
from nebula.protocol.signed_by_control_key import UNSIGNED, sign_document
from nebula.protocol.study import PartKind, PurposeTerms, ResultClass, StudyDocument
from nebula.protocol.typed_data import claim_digest, permit_digest, receipt_digest
from nebula.protocol.wire import to_canonical

MEASUREMENT = "0x" + "5e" * 32
RUN = "0x" + "ab" * 32
PEOPLE = 5


@dataclass(frozen=True)
class Miniature:
    """A settled run of five records: one payout claimed alone, the others as a sub-tree."""

    market: Market
    public: PublicRun
    root: TrustRoot
    result: bytes
    session: SigningKey

    @property
    def network(self) -> Network:
        return self.market.network

    @property
    def raw(self) -> bytes:
        return to_canonical(self.public)


def make_run(market: Market, folder: Path) -> Miniature:
    now = datetime.fromtimestamp(market.ledger.client.head().timestamp_seconds, UTC)
    pki = DevelopmentPki.create(folder / "pki", at=now)
    approved = market.network.sessions.approve_measurement(MEASUREMENT, pki.trust_root.fingerprint, simulated=True)
    market.ledger.transact(market.governor.secret, approved)
    study, session = make_study(market, pki.trust_root), SigningKey.generate()
    publication = PanelPublication(panel=study.panel, name="common", version="1")
    published = market.network.panels.publish(publication, follows=NO_PANEL)
    market.ledger.transact(market.operator.secret, published)
    fund(market, study)
    evidence = make_evidence(market, study, session, SimulatedCpu(pki, lambda: MEASUREMENT))
    domain = market.network.sessions.domain(study.chain_id)
    votes = tuple(cast_vote(evidence, domain, keeper.secret) for keeper in market.keepers[:2])
    registered = market.network.sessions.register_session(
        session_vote(evidence), [(vote.keeper, vote.signature) for vote in votes]
    )
    market.ledger.transact(FAUCET, registered)

    owners = [SigningKey.generate() for _ in range(PEOPLE)]
    payouts = tuple(
        Payout(index=place, address=owner.address, amount_wei=study.price_per_record_wei)
        for place, owner in enumerate(owners)
    )
    result = ResultBundle(
        study=study_id(study),
        run=RUN,
        analysis=study.analysis,
        result_class=study.result_class,
        files={"summary.json": b'{"people":5}', "associations.tsv": b"chromosome\tp\n1\t0.5\n"},
    )
    signed = sign(market, make_receipt(market, evidence, payouts, result), session)
    market.ledger.transact(FAUCET, market.network.studies.settle(funding_of(study), signed))
    claim(market, study_id(study), payouts, owners)
    public = PublicRun(
        signed=signed,
        evidence=evidence,
        collateral=issue_collateral(pki, at=now).to_bytes(),
        votes=votes,
        payouts=payouts,
        statement=sign_statement(market, signed, session, {"withdrawn": 1}),
    )
    return Miniature(market, public, pki.trust_root, to_canonical(result), session)


def make_study(market: Market, root: TrustRoot) -> StudyDocument:
    return StudyDocument(
        chain_id=market.network.addresses.chain_id,
        buyer=market.buyer.address,
        operator=market.operator.address,
        result_key=b"r" * 32,
        title="Height",
        summary="Which common variants go with height?",
        purpose=PurposeTerms(purposes=(Purpose.GENERAL,)),
        analysis="gwas-linear@1",
        parameters={"trait": "height", "pcs": 2},
        parts=(PartKind.GENOTYPES, PartKind.PHENOTYPES),
        panel="0x" + "cc" * 32,
        result_class=ResultClass.HITS,
        price_per_record_wei=str(2 * TOKEN_WEI),
        fee_wei=str(3 * TOKEN_WEI),
        min_records=2,
        max_records=20,
        deadline=2**33,
        keepers=tuple(keeper.address for keeper in market.keepers),
        keeper_threshold=2,
        measurement=MEASUREMENT,
        trust_root=root.fingerprint,
    )


def fund(market: Market, study: StudyDocument) -> None:
    token, addresses, funding = market.network.token, market.network.addresses, funding_of(study)
    permit = permit_digest(
        token.domain(addresses.chain_id),
        study.buyer,
        addresses.studies,
        amount_wei=funding.escrow_wei,
        nonce=token.permit_nonce(study.buyer),
        deadline=FOREVER,
    )
    signature = market.buyer.sign_digest(permit)
    call = market.network.studies.fund_with_permit(funding, permit_deadline=FOREVER, signature=signature)
    market.ledger.transact(market.buyer.secret, call)


def make_evidence(market: Market, study: StudyDocument, session: SigningKey, cpu: SimulatedCpu) -> Evidence:
    block = market.ledger.client.head()
    bare = Evidence(
        quote=b"",
        session=session.address,
        session_key=b"k" * 32,
        study=study,
        run=RUN,
        nonces=tuple(KeeperNonce(keeper=keeper, nonce=bytes([n]) * 32) for n, keeper in enumerate(study.keepers)),
        consent_block_number=block.number,
        consent_block_hash=block.hash,
    )
    return msgspec.structs.replace(bare, quote=cpu.quote(report_data(binding_of(bare))))


def make_receipt(market: Market, evidence: Evidence, payouts: tuple[Payout, ...], result: ResultBundle) -> Receipt:
    block, study = market.ledger.client.head(), evidence.study
    return Receipt(
        study=study_id(study),
        run=evidence.run,
        session=evidence.session,
        measurement=study.measurement,
        trust_root=study.trust_root,
        analysis_digest=analysis_digest(study),
        consent_block_number=block.number,
        consent_block_hash=block.hash,
        use_root="0x" + "33" * 32,
        payout_root="0x" + payout_tree(payouts).root.hex(),
        record_count=len(payouts),
        amount_wei=str(sum(int(payout.amount_wei) for payout in payouts)),
        privacy_micro_rho=0,
        result_digest=result.digest,
        simulated=True,
    )


def sign(market: Market, receipt: Receipt, session: SigningKey) -> SignedReceipt:
    domain = market.network.studies.domain(market.network.addresses.chain_id)
    return SignedReceipt(receipt=receipt, signature=session.sign_digest(receipt_digest(domain, receipt)))


def sign_statement(market: Market, signed: SignedReceipt, session: SigningKey, dropped: dict[str, int]) -> RunStatement:
    domain = market.network.studies.domain(market.network.addresses.chain_id)
    digest = to_hex(receipt_digest(domain, signed.receipt))
    unsigned = RunStatement(receipt=digest, leaves_digest=leaves_digest(()), dropped=dropped, signature=UNSIGNED)
    return sign_document(unsigned, session.secret)


def claim(market: Market, study: str, payouts: tuple[Payout, ...], owners: list[SigningKey]) -> None:
    """The third owner claims alone, to another address; then the hub pays all the others."""
    studies, tree, receiver = market.network.studies, payout_tree(payouts), SigningKey.generate().address
    domain = studies.domain(market.network.addresses.chain_id)
    signature = owners[2].sign_digest(claim_digest(domain, study, index=2, receiver=receiver))
    alone = studies.claim(study, payouts[2], tree.proof(2), receiver=receiver, signature=signature)
    market.ledger.transact(FAUCET, alone)
    market.ledger.transact(FAUCET, studies.claim_subtree(study, payouts, subtree_proof(tree, 0)))
