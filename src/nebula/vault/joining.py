"""Reach the network that a vault has joined."""

from collections.abc import Mapping, Sequence

from nebula.ledger.client import LedgerClient, Records
from nebula.protocol.ids import Address
from nebula.protocol.keys import SigningKey
from nebula.transport.client import Carrier, Peer
from nebula.vault.enrol import Network
from nebula.vault.settings import VaultSettings

SLOT_PAGE = 500


def join(settings: VaultSettings) -> Network:
    """Return the network as a vault reaches it, under a key that is made for this session alone.

    What a vault sends carries its owners' own signatures; the envelope's key says nothing about them, and a
    fresh one each time lets nobody recognise the vault.
    """
    carrier = Carrier()
    key = SigningKey.generate().secret
    ledger = LedgerClient(settings.ledger_url)
    records = Records(ledger, settings.records_contract)

    def slots(asked: Sequence[Address]) -> Mapping[Address, tuple[bytes, int]]:
        pages = (asked[start : start + SLOT_PAGE] for start in range(0, len(asked), SLOT_PAGE))
        found = [slot for page in pages for slot in records.slots(page)]
        return {slot.record: (slot.commitment, slot.version) for slot in found if slot.commitment is not None}

    return Network(
        settings=settings,
        keepers={
            keeper.address: Peer(keeper.url, keeper.address, key=key, carrier=carrier) for keeper in settings.keepers
        },
        hub=Peer(settings.hub_url, settings.hub_address, key=key, carrier=carrier),
        slots=slots,
        ledger=ledger,
    )
