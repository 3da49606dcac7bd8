"""What an operator tells the hub that acts for it on the ledger."""

from typing import Annotated

import msgspec

from nebula.protocol.ids import Hash32
from nebula.protocol.messages.parties import Accepted, Kind
from nebula.protocol.wire import Document

PanelName = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]([ -~]{0,62}[!-~])?\Z")]
PanelVersion = Annotated[str, msgspec.Meta(pattern=r"\A[!-~]{1,32}\Z")]


class PanelPublication(Document, frozen=True, kw_only=True):
    """Enter a panel on the ledger, behind the newest one of its name; sent by the operator's own key.

    The ledger has room for names of 64 and versions of 32 printable characters of ASCII.
    """

    panel: Hash32
    name: PanelName
    version: PanelVersion


PANEL = Kind("hub.panel", PanelPublication, Accepted)
