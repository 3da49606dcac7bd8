"""What an owner who has only their words left may ask: where is my record, and under which policy?

Answered to the record's control key alone, which is the sender of the envelope that asks, and only what the ledger
commits to at this moment: a policy that waits, or one that is over, is no answer.
"""

from nebula.database import reading
from nebula.keeper.context import Keeper
from nebula.keeper.state import current_holdings
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address
from nebula.protocol.messages import HeldAnswer


def read_held(keeper: Keeper, record: Address) -> HeldAnswer:
    """Return what this keeper holds of the sender's own record.

    Raises:
        RejectedInputError: ``held.nothing``; the record is not live, or its current policy is not here.
        UnavailableError: the ledger is away.
    """
    slots = keeper.ledger.slots([record], keeper.ledger.newest_block())
    with reading(keeper.engine) as connection:
        holding = current_holdings(connection, slots).get(record)
    if holding is None:
        raise RejectedInputError("held.nothing", f"this keeper holds nothing of {record} that the ledger commits to")
    return HeldAnswer(
        record=record,
        version=slots[record].version,
        manifest_commitment=holding.manifest_commitment,
        manifest_location=holding.manifest_location,
        policy=holding.policy,
    )
