# pragma version 0.4.3
# pragma evm-version cancun
"""
@title One governor, handed over in two steps
@license Apache-2.0
@notice Who may register organizations, or approve measurements. In production a multi-signature wallet. The
        office is offered and taken up, so that a mistyped address cannot lose it.
@dev A module: its state lies in the contract that imports it.
"""

event GovernorChanged:
    previous: indexed(address)
    current: indexed(address)


governor: public(address)
offered_to: public(address)


@deploy
def __init__(first: address):
    assert first != empty(address), "the governor must not be the zero address"
    self.governor = first
    log GovernorChanged(previous=empty(address), current=first)


@internal
@view
def _only_governor():
    assert msg.sender == self.governor, "only the governor may do this"


@external
def offer_office(successor: address):
    """
    @notice Offer the office. Nothing changes until the successor takes it; the zero address takes the offer back.
    """
    self._only_governor()
    self.offered_to = successor


@external
def take_office():
    """
    @notice Become the governor, if the office was offered to you.
    """
    assert msg.sender == self.offered_to, "the office was not offered to you"
    log GovernorChanged(previous=self.governor, current=msg.sender)
    self.governor = msg.sender
    self.offered_to = empty(address)
