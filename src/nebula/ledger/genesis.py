"""What a chain begins with: its id, its block size and who holds ether to pay for gas."""

from typing import Annotated

import msgspec

from nebula.protocol.ids import Address
from nebula.protocol.money import Wei
from nebula.protocol.wire import Document, parser

DEFAULT_CHAIN_ID = 20017
"""Chain id of an embedded ledger, unless its genesis says otherwise."""

DEFAULT_GAS_LIMIT = 120_000_000
"""Gas in one block: a batch of 300 ordinary transactions fits."""


class Genesis(Document, frozen=True, kw_only=True):
    """The first block. Two nodes with equal documents have equal genesis hashes.

    Attributes:
        chain_id: signed into every transaction, so that none can be replayed on another chain.
        gas_limit: gas in one block.
        timestamp_seconds: the first block's Unix time.
        balances: wei of ether by address; ether pays for gas and is nothing else here.
    """

    chain_id: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)] = DEFAULT_CHAIN_ID
    gas_limit: Annotated[int, msgspec.Meta(ge=30_000_000, le=1_000_000_000)] = DEFAULT_GAS_LIMIT
    timestamp_seconds: Annotated[int, msgspec.Meta(ge=0, le=2**40)] = 0
    balances: dict[Address, Wei] = msgspec.field(default_factory=dict)


parse_genesis = parser(Genesis)
"""Parse a genesis file's bytes strictly."""
