"""A vault and the hub: writes for the ledger, sealed leaves, payouts."""

from typing import Annotated

import msgspec

from nebula.protocol.ids import Address, Hash32, Signature
from nebula.protocol.messages.owner_to_keeper import ENROL_PAGE
from nebula.protocol.messages.parties import Kind
from nebula.protocol.receipt import Payout, SealedLeaf
from nebula.protocol.wire import Document

PAYOUT_PAGE = 5000


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


RELAY = Kind("hub.relay", RelayRequest, RelayAnswer)
LEAVES = Kind("hub.leaves", LeavesRequest, LeavesAnswer)
