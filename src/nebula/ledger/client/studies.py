"""Studies' money: reads, calls and events."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from nebula.ledger.client.calls import Contract, ContractCall
from nebula.ledger.client.events import Event, EventDecoder
from nebula.ledger.client.requests import At
from nebula.ledger.client.token import split_signature
from nebula.protocol.ids import Address, Hash32, to_bytes
from nebula.protocol.merkle import SUBTREE
from nebula.protocol.money import wei_from_wire
from nebula.protocol.receipt import Payout, SignedReceipt
from nebula.protocol.typed_data import Domain, Funding

_GAS_SUBTREE = 150_000
_GAS_PER_PAYOUT = 40_000


class StudyState(IntEnum):
    """Where a study's money is."""

    UNKNOWN = 0
    FUNDED = 1
    SETTLED = 2
    REFUNDED = 3


@dataclass(frozen=True, slots=True)
class Funded(Event):
    """A buyer locked what a study can cost at most."""

    contract: ClassVar[str] = "studies"
    study: Hash32
    buyer: Address
    operator: Address
    terms_digest: Hash32
    measurement: Hash32
    price_wei: int
    fee_wei: int
    max_records: int
    deadline: int


@dataclass(frozen=True, slots=True)
class Settled(Event):
    """A receipt split the escrow. ``receipt`` is the digest that the session signed."""

    contract: ClassVar[str] = "studies"
    study: Hash32
    run: Hash32
    session: Address
    receipt: Hash32
    payout_root: Hash32
    result_digest: Hash32
    record_count: int
    owners_wei: int
    fee_wei: int
    refund_wei: int


@dataclass(frozen=True, slots=True)
class Refunded(Event):
    """Everything went back to the buyer."""

    contract: ClassVar[str] = "studies"
    study: Hash32
    buyer: Address
    refund_wei: int


@dataclass(frozen=True, slots=True)
class Claimed(Event):
    """One payout was paid."""

    contract: ClassVar[str] = "studies"
    study: Hash32
    index: int
    owner: Address
    receiver: Address
    amount: int


@dataclass(frozen=True, slots=True)
class SubtreeClaimed(Event):
    """Up to 128 payouts were paid to their one-time addresses; bit i of ``paid`` is payout subtree · 128 + i."""

    contract: ClassVar[str] = "studies"
    study: Hash32
    subtree: int
    paid: int
    amount_wei: int

    @property
    def indices(self) -> list[int]:
        """The payouts that were paid."""
        return [self.subtree * SUBTREE + bit for bit in range(SUBTREE) if self.paid >> bit & 1]


EVENTS = EventDecoder("studies", (Funded, Settled, Refunded, Claimed, SubtreeClaimed))


class Studies(Contract):
    """Escrow, settlement, claims and refunds."""

    name = "studies"

    def domain(self, chain_id: int) -> Domain:
        """Return what receipts and claims are bound to."""
        return Domain(chain_id, self.address)

    def state_of(self, study: Hash32, at: At = None) -> StudyState:
        """Return where a study's money is."""
        return StudyState(self._read("state_of", to_bytes(study), at=at))

    def escrow_wei(self, study: Hash32, at: At = None) -> int:
        """Return what a study still holds."""
        return int(self._read("escrow_of", to_bytes(study), at=at))

    def are_claimed(self, study: Hash32, indices: Sequence[int], at: At = None) -> list[bool]:
        """Whether payouts were paid, about one block."""
        asked = [(to_bytes(study), index) for index in indices]
        return [bool(value) for value in self._read_many("is_claimed", asked, at)]

    def fund(self, funding: Funding) -> ContractCall:
        """The buyer locks what they allowed the contract to take."""
        return self._call("fund", _funding(funding), gas=220_000)

    def fund_with_permit(self, funding: Funding, *, permit_deadline: int, signature: bytes) -> ContractCall:
        """The buyer locks in one transaction, with a permit for exactly the escrow."""
        parts = split_signature(signature)
        return self._call("fund_with_permit", _funding(funding), permit_deadline, *parts, gas=300_000)

    def settle(self, funding: Funding, signed: SignedReceipt) -> ContractCall:
        """Anyone brings a receipt that splits the escrow."""
        return self._call("settle", _funding(funding), _receipt(signed), signed.signature, gas=250_000)

    def refund(self, funding: Funding) -> ContractCall:
        """Anyone sends everything back to the buyer after the deadline."""
        return self._call("refund", _funding(funding), gas=130_000)

    def claim_subtree(self, study: Hash32, payouts: Sequence[Payout], proof: Sequence[bytes]) -> ContractCall:
        """Anyone pays a whole sub-tree; ``payouts`` are all of it, in order, of one amount."""
        subtree, amount_wei = payouts[0].index // SUBTREE, wei_from_wire(payouts[0].amount_wei)
        owners = [payout.address for payout in payouts]
        gas = _GAS_SUBTREE + _GAS_PER_PAYOUT * len(owners)
        return self._call("claim_subtree", to_bytes(study), subtree, amount_wei, owners, list(proof), gas=gas)

    def claim(
        self, study: Hash32, payout: Payout, proof: Sequence[bytes], *, receiver: Address, signature: bytes
    ) -> ContractCall:
        """Anyone pays one payout to the receiver that its one-time key named."""
        return self._call(
            "claim",
            to_bytes(study),
            payout.index,
            payout.address,
            wei_from_wire(payout.amount_wei),
            list(proof),
            receiver,
            signature,
            gas=250_000,
        )


def _funding(funding: Funding) -> tuple[object, ...]:
    digests = (to_bytes(funding.terms_digest), to_bytes(funding.measurement))
    prices = (funding.price_wei, funding.fee_wei)
    return (funding.buyer, funding.operator, *digests, *prices, funding.max_records, funding.deadline)


def _receipt(signed: SignedReceipt) -> tuple[object, ...]:
    receipt = signed.receipt
    return (
        to_bytes(receipt.study),
        to_bytes(receipt.run),
        receipt.session,
        to_bytes(receipt.measurement),
        to_bytes(receipt.trust_root),
        to_bytes(receipt.analysis_digest),
        receipt.consent_block_number,
        to_bytes(receipt.consent_block_hash),
        to_bytes(receipt.use_root),
        to_bytes(receipt.payout_root),
        receipt.record_count,
        wei_from_wire(receipt.amount_wei),
        receipt.privacy_micro_rho,
        to_bytes(receipt.result_digest),
        receipt.simulated,
    )
