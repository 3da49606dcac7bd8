"""The receipt: what an enclave session signs at the end of a run, and what a run leaves for the world."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from nebula.protocol.ids import Address, Hash32, Nonce, PublicKey, Signature
from nebula.protocol.money import Wei
from nebula.protocol.study import StudyDocument
from nebula.protocol.wire import MAX_MESSAGE_BYTES, Document, parser

MAX_RUN_BYTES = 2 * 1024 * 1024 * 1024
"""A run's public file over ten million records has 1.1 GB, nearly all of it payouts."""

OWNERS_PAGE = 2000
"""So many owners' payouts and leaves are handed on at a time; with the largest leaves that is 10 MB."""


class Receipt(Document, frozen=True, kw_only=True):
    """What ran, on what, for how much. The ledger settles on it; field order is the contract's."""

    study: Hash32
    run: Hash32
    session: Address
    measurement: Hash32
    trust_root: Hash32
    analysis_digest: Hash32
    consent_block_number: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    consent_block_hash: Hash32
    use_root: Hash32
    payout_root: Hash32
    record_count: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    amount_wei: Wei
    privacy_micro_rho: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    result_digest: Hash32
    simulated: bool


class SignedReceipt(Document, frozen=True, kw_only=True):
    """A receipt with the session's EIP-712 signature."""

    receipt: Receipt
    signature: Signature


parse_receipt = parser(SignedReceipt)


class KeeperNonce(Document, frozen=True, kw_only=True):
    """The nonce that one keeper gave this session."""

    keeper: Address
    nonce: Nonce


class Evidence(Document, frozen=True, kw_only=True):
    """What a session shows to be believed: its quote and everything that its REPORTDATA binds."""

    quote: Annotated[bytes, msgspec.Meta(min_length=400, max_length=20_000)]
    session: Address
    session_key: PublicKey
    study: StudyDocument
    run: Hash32
    nonces: Annotated[tuple[KeeperNonce, ...], msgspec.Meta(min_length=1, max_length=32)]
    consent_block_number: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    consent_block_hash: Hash32


parse_evidence = parser(Evidence)


class Payout(Document, frozen=True, kw_only=True):
    """One leaf of the payout tree: everyone may see it, nobody can say whose it is."""

    index: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    address: Address
    amount_wei: Wei


class SealedLeaf(Document, frozen=True, kw_only=True):
    """What one owner finds under their mailbox name: sealed to them, of one size for all."""

    locator: Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
    sealed: Annotated[bytes, msgspec.Meta(max_length=3500)]  # a proof of 32 siblings, of 4 billion records, fits


class OwnerLeaf(Document, frozen=True, kw_only=True):
    """The inside of a sealed leaf: proof of one's own use, and the key to one's payout."""

    schema: Literal[1] = 1
    study: Hash32
    run: Hash32
    record: Address
    leaf_salt: Nonce
    use_index: int
    use_proof: tuple[Hash32, ...]
    payout_index: int
    payout_address: Address
    amount_wei: Wei
    ephemeral_public_key: Annotated[bytes, msgspec.Meta(min_length=33, max_length=33)]


parse_owner_leaf = parser(OwnerLeaf)


class RunStatement(Document, frozen=True, kw_only=True):
    """What a session says of its run beside the receipt, which has no room for it on the ledger.

    ``receipt``: the digest of the run's receipt; ``leaves_digest``: that of all sealed leaves
    (:func:`nebula.protocol.run_statement.leaves_digest`); ``dropped``: how many records left the run, by reason,
    never which; ``signature``: of the session that signed the receipt. See
    :mod:`nebula.protocol.signed_by_control_key` for the form.
    """

    receipt: Hash32
    leaves_digest: Hash32
    dropped: dict[Annotated[str, msgspec.Meta(max_length=40)], Annotated[int, msgspec.Meta(ge=1, lt=2**32)]]
    signature: Signature


class RunHead(Document, frozen=True, kw_only=True):
    """What leaves an enclave last: a signed receipt, and all that it commits to but the owners' pages."""

    schema: Literal[1] = 1
    signed: SignedReceipt
    evidence: Evidence
    statement: RunStatement
    sealed_result: bytes


parse_run_head = parser(RunHead, max_bytes=MAX_RUN_BYTES)


class OwnersPage(Document, frozen=True, kw_only=True):
    """Some of a run's payouts and, beside them, as many sealed leaves: those from number ``first`` on."""

    first: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    payouts: Annotated[tuple[Payout, ...], msgspec.Meta(min_length=1, max_length=OWNERS_PAGE)]
    leaves: Annotated[tuple[SealedLeaf, ...], msgspec.Meta(min_length=1, max_length=OWNERS_PAGE)]


parse_owners_page = parser(OwnersPage, max_bytes=MAX_MESSAGE_BYTES)


@dataclass(frozen=True, slots=True)
class RunOutput:
    """All that leaves an enclave. It goes out in pages, so that no message grows with the number of records."""

    head: RunHead
    payouts: tuple[Payout, ...]
    leaves: tuple[SealedLeaf, ...]

    def pages(self, size: int = OWNERS_PAGE) -> Iterator[OwnersPage]:
        """Cut payouts and leaves into pages; every owner stands on one."""
        for first in range(0, len(self.payouts), size):
            here = slice(first, first + size)
            yield OwnersPage(first=first, payouts=self.payouts[here], leaves=self.leaves[here])


class KeeperVote(Document, frozen=True, kw_only=True):
    """A keeper's signed yes to a session; the ledger registers the session on enough of them."""

    keeper: Address
    signature: Signature


class PublicRun(Document, frozen=True, kw_only=True):
    """What anyone may download of a run and audit offline. The result itself is the buyer's."""

    schema: Literal[1] = 1
    signed: SignedReceipt
    evidence: Evidence
    collateral: bytes
    votes: tuple[KeeperVote, ...]
    payouts: tuple[Payout, ...]
    statement: RunStatement


parse_public_run = parser(PublicRun, max_bytes=MAX_RUN_BYTES)
