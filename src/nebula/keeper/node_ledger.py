"""The ledger by JSON-RPC: what a keeper asks of it, read from the keeper's own node."""

from collections.abc import Sequence

from nebula.keeper.ledger_view import Block, Slot
from nebula.ledger.client import BlockRef, LedgerClient, Network, NetworkAddresses
from nebula.ledger.client.organizations import Role
from nebula.ledger.client.records import EVENTS, Refused
from nebula.ledger.client.sessions import Approval
from nebula.ledger.client.studies import StudyState
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.study import BuyerFacts
from nebula.protocol.typed_data import SessionVote

COUNTRY_UNKNOWN = "ZZ"
"""ISO 3166's code for no known country: policies that name countries refuse."""


class NodeLedger:
    """One network's contracts on one node. Reads name their block by its hash, so no answer mixes two chains."""

    def __init__(self, client: LedgerClient, addresses: NetworkAddresses) -> None:
        self._client = client
        self._network = Network(client, addresses)

    def newest_block(self) -> Block:
        """Return the newest block."""
        return _block(self._client.head())

    def block(self, number: int) -> Block | None:
        """Return the block with a number, or None if there is none (yet)."""
        if number < 0:
            return None
        found = self._client.block(number)
        return None if found is None else _block(found)

    def slots(self, records: Sequence[Address], at: Block) -> dict[Address, Slot]:
        """Return the slot of each record."""
        found = self._network.records.slots(records, at.hash)
        return {slot.record: Slot(slot.commitment, slot.version) for slot in found}

    def changed_records(self, first: int, last: int) -> set[Address]:
        """Return the records whose slots changed in a range of blocks."""
        logs = self._client.logs([self._network.records.address], first=first, last=last, topics=[EVENTS.topics])
        events = [found.event for found in map(EVENTS.decode, logs) if found is not None]
        return {event.record for event in events if not isinstance(event, Refused)}  # type: ignore[attr-defined]

    def study_is_open(self, study: Hash32, at: Block) -> bool:
        """Whether the study is funded, and neither settled nor refunded."""
        return self._network.studies.state_of(study, at.hash) is StudyState.FUNDED

    def study_is_over(self, study: Hash32, at: Block) -> bool:
        """Whether the study is settled or refunded."""
        return self._network.studies.state_of(study, at.hash) in (StudyState.SETTLED, StudyState.REFUNDED)

    def panel_is_published(self, panel: Hash32, at: Block) -> bool:
        """Whether an operator has published the panel."""
        return self._network.panels.is_published(panel, at.hash)

    def buyer(self, address: Address, at: Block) -> BuyerFacts | None:
        """Return what the ledger says of a buyer; None unless in good standing."""
        organizations = self._network.organizations
        if not organizations.in_good_standing(address, Role.BUYER, at.hash):
            return None
        roles = organizations.roles_of(address, at.hash)
        return BuyerFacts(
            address=address,
            country=organizations.country_of(address, at.hash) or COUNTRY_UNKNOWN,
            non_profit=Role.NON_PROFIT in roles,
            accredited=Role.ACCREDITED in roles,
        )

    def approves(self, measurement: Hash32, trust_root: Hash32, *, simulated: bool, at: Block) -> bool:
        """Whether this code may run under this root, as genuine or as simulated."""
        claimed = Approval.SIMULATED if simulated else Approval.GENUINE
        return self._network.sessions.approval(measurement, trust_root, at.hash) is claimed

    def vouches_for(self, vote: SessionVote, *, simulated: bool, at: Block) -> bool:
        """Whether the session is registered for exactly this, and its code is still approved."""
        return self._network.sessions.vouches_for(vote, simulated=simulated, at=at.hash)


def _block(found: BlockRef) -> Block:
    return Block(found.number, found.hash, found.timestamp_seconds)
