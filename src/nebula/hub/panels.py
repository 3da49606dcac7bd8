"""Panels on the ledger: the operator says which, the hub enters them with the key that it acts with there.

A panel that stands there already is done, whoever published it. The ledger keeps its line: a new panel follows the
newest one that this operator published under its name.
"""

from nebula.hub.effects import Effects
from nebula.protocol.errors import NotPermittedError
from nebula.protocol.ids import Address
from nebula.protocol.messages import Accepted, PanelPublication


def publish_panel(effects: Effects, operator: Address, request: PanelPublication, sender: Address) -> Accepted:
    """Enter a panel; entering it again changes nothing.

    Raises:
        NotPermittedError: ``panel.operator``, somebody else asks; or the ledger refuses.
        UnavailableError: the ledger is away.
    """
    if sender != operator:
        raise NotPermittedError("panel.operator", "only this hub's operator publishes panels by it")
    effects.publish_panel(request, operator)
    return Accepted()
