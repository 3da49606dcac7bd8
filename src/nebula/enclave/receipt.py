"""Steps 11 and 13: the receipt, and all that it commits to.

Use leaves and payouts each stand in an own, fresh random order, so that no position says anything, nor one tree of the
other. An owner's leaf tells both positions; leaves are sealed to their owners, all of one length, under names that
only the owners know, and handed over in a third order: by name.
"""

import random
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from nebula.attestation.report_data import analysis_digest
from nebula.enclave.read_record import Owner
from nebula.enclave.release import Dropped
from nebula.enclave.session import Block, Session
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, to_hex
from nebula.protocol.merkle import MerkleTree, payout_tree, use_leaf, use_tree
from nebula.protocol.money import wei_from_wire, wei_to_wire
from nebula.protocol.receipt import OwnerLeaf, Payout, Receipt, RunStatement, SealedLeaf, SignedReceipt
from nebula.protocol.record import LEAF_INFO, RESULT_INFO, mailbox_locator
from nebula.protocol.result import MAX_RESULT_BYTES, ResultBundle
from nebula.protocol.run_statement import leaves_digest
from nebula.protocol.sealing import seal
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signed_by_control_key import UNSIGNED, sign_document
from nebula.protocol.signing import sign_digest
from nebula.protocol.stealth import Announcement, pay_to
from nebula.protocol.trust_roots import is_simulated
from nebula.protocol.typed_data import Domain, receipt_digest
from nebula.protocol.wire import to_canonical


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a run pays and proves to its owners."""

    use_tree: MerkleTree
    payout_tree: MerkleTree
    payouts: tuple[Payout, ...]
    leaves: tuple[SealedLeaf, ...]


def settle_owners(session: Session, records: Sequence[Address], owners: Sequence[Owner]) -> Settlement:
    """Make the one-time addresses, both trees and every owner's sealed leaf."""
    evidence = session.evidence
    study, price = study_id(evidence.study), evidence.study.price_per_record_wei
    count = len(records)
    chance = random.SystemRandom()
    use_places, payout_places = chance.sample(range(count), count), chance.sample(range(count), count)
    salts = [secrets.token_bytes(32) for _ in records]
    one_time = [pay_to(owner.payout, SecretBytes(secrets.token_bytes(32))) for owner in owners]

    uses = [b""] * count
    for place, record, salt in zip(use_places, records, salts, strict=True):
        uses[place] = use_leaf(study, record, salt)
    tree = use_tree(uses)
    by_place = dict(zip(payout_places, one_time, strict=True))
    payouts = tuple(Payout(index=i, address=by_place[i].address, amount_wei=price) for i in range(count))

    def leaf(i: int) -> OwnerLeaf:
        announcement: Announcement = one_time[i]
        return OwnerLeaf(
            study=study,
            run=evidence.run,
            record=records[i],
            leaf_salt=salts[i],
            use_index=use_places[i],
            use_proof=tuple(map(to_hex, tree.proof(use_places[i]))),
            payout_index=payout_places[i],
            payout_address=announcement.address,
            amount_wei=price,
            ephemeral_public_key=announcement.ephemeral_public_key,
        )

    leaves = _seal_leaves([to_canonical(leaf(i)) for i in range(count)], owners, evidence.run)
    return Settlement(tree, payout_tree(payouts), payouts, leaves)


def _seal_leaves(leaves: Sequence[bytes], owners: Sequence[Owner], run: str) -> tuple[SealedLeaf, ...]:
    """Seal leaves to their owners; spaces behind the JSON make them equally long."""
    length = max(map(len, leaves))
    sealed = [
        SealedLeaf(
            locator=mailbox_locator(owner.mailbox, run),
            sealed=seal(owner.key, leaf.ljust(length), info=LEAF_INFO, aad=run.encode()),
        )
        for leaf, owner in zip(leaves, owners, strict=True)
    ]
    return tuple(sorted(sealed, key=lambda leaf: leaf.locator))


def sign_receipt(
    session: Session,
    settlement: Settlement,
    bundle: ResultBundle,
    *,
    block: Block,
    privacy_micro_rho: int,
    studies: Domain,
) -> SignedReceipt:
    """Sign what ran, on what, for how much. ``studies``: the contract that settles on it."""
    study = session.evidence.study
    count = len(settlement.payouts)
    receipt = Receipt(
        study=bundle.study,
        run=session.evidence.run,
        session=session.keys.address,
        measurement=study.measurement,
        trust_root=study.trust_root,
        analysis_digest=analysis_digest(study),
        consent_block_number=block.number,
        consent_block_hash=block.hash,
        use_root=to_hex(settlement.use_tree.root),
        payout_root=to_hex(settlement.payout_tree.root),
        record_count=count,
        amount_wei=wei_to_wire(count * wei_from_wire(study.price_per_record_wei)),
        privacy_micro_rho=privacy_micro_rho,
        result_digest=bundle.digest,
        simulated=is_simulated(study.trust_root),
    )
    signature = sign_digest(session.keys.signing, receipt_digest(studies, receipt))
    return SignedReceipt(receipt=receipt, signature=signature)


def sign_statement(
    session: Session, signed: SignedReceipt, settlement: Settlement, counts: Counter[Dropped], *, studies: Domain
) -> RunStatement:
    """Sign which leaves this very run sealed, how many records left it, and why."""
    unsigned = RunStatement(
        receipt=to_hex(receipt_digest(studies, signed.receipt)),
        leaves_digest=leaves_digest(settlement.leaves),
        dropped={reason.value: count for reason, count in sorted(counts.items()) if count},
        signature=UNSIGNED,
    )
    return sign_document(unsigned, session.keys.signing)


def seal_result(bundle: ResultBundle, session: Session) -> bytes:
    """Seal a result to the buyer's key.

    Raises:
        RejectedInputError: it is larger than a run's output may be.
    """
    raw = to_canonical(bundle)
    if len(raw) > MAX_RESULT_BYTES:
        raise RejectedInputError(
            "result.too-large",
            f"a result has at most {MAX_RESULT_BYTES:,} bytes",
            hint="ask for fewer regions, or for a smaller result class",
        )
    evidence = session.evidence
    return seal(evidence.study.result_key, raw, info=RESULT_INFO, aad=evidence.run.encode())
