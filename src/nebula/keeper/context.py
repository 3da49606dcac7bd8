"""Who this keeper is and what it stands on: what every step is handed."""

from dataclasses import dataclass

from sqlalchemy import Engine

from nebula.keeper.diseases import Diseases
from nebula.keeper.ledger_view import LedgerView
from nebula.protocol.ids import Address
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.typed_data import Domain
from nebula.transport.client import Clock


@dataclass(frozen=True, slots=True)
class Keeper:
    """One keeper.

    Attributes:
        address: of the signing key; the ledger knows the keeper by it.
        hub: who may ask which records match.
        sessions: what votes are signed for: the sessions' contract on this chain.
        confirmations: how deep a fact must stand before it opens anything.
        max_block_age_seconds: how old the newest block may be; None on chains that rest when nobody writes.
    """

    address: Address
    signing_key: SecretBytes
    sealing_key: SealingKey
    engine: Engine
    ledger: LedgerView
    clock: Clock
    diseases: Diseases
    hub: Address
    sessions: Domain
    confirmations: int = 0
    max_block_age_seconds: int | None = None
