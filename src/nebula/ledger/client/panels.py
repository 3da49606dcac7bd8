"""The published panels: reads, calls and events."""

from dataclasses import dataclass
from typing import ClassVar

from nebula.ledger.client.calls import Contract, ContractCall
from nebula.ledger.client.events import Event, EventDecoder
from nebula.ledger.client.requests import At
from nebula.protocol.ids import Address, Hash32, to_bytes, to_hex
from nebula.protocol.messages import PanelPublication

NO_PANEL: Hash32 = to_hex(bytes(32))
"""What the first panel of its name follows."""


@dataclass(frozen=True, slots=True)
class Published(Event):
    """A panel was entered. ``follows``: the one before it of its publisher and name, or :data:`NO_PANEL`."""

    contract: ClassVar[str] = "panels"
    panel: Hash32
    publisher: Address
    follows: Hash32
    name: str
    version: str


EVENTS = EventDecoder("panels", (Published,))


class Panels(Contract):
    """On which panels genotypes are compared."""

    name = "panels"

    def is_published(self, panel: Hash32, at: At = None) -> bool:
        """Whether a panel stands on the ledger."""
        return bool(self._read("is_published", to_bytes(panel), at=at))

    def newest(self, publisher: Address, name: str, at: At = None) -> Hash32:
        """Return the newest panel that somebody published under a name; :data:`NO_PANEL` where there is none."""
        return to_hex(bytes(self._read("newest", publisher, name, at=at)))

    def publish(self, panel: PanelPublication, *, follows: Hash32) -> ContractCall:
        """An operator enters a panel."""
        return self._call("publish", to_bytes(panel.panel), to_bytes(follows), panel.name, panel.version, gas=200_000)
