# pragma version 0.4.3
# pragma evm-version cancun
"""
@title On which panels genotypes are compared
@license Apache-2.0
@notice A panel is an ordered list of sites, known by the SHA-256 of its one serialisation. An operator in good
        standing publishes it under a name and a version, once and for ever: a hash never stands here twice, and none
        is replaced or taken away, because records and receipts go by it. A newer version names the panel that it
        follows, so that what a publisher calls by one name is one line without branches.
@dev One slot for each panel, with its publisher, and one for each line, with its newest panel. Names and versions
     are in the events alone.
"""

interface Organizations:
    def in_good_standing(organization: address, role: uint16) -> bool: view


event Published:
    panel: indexed(bytes32)
    publisher: indexed(address)
    follows: bytes32
    name: String[64]
    version: String[32]


OPERATOR: constant(uint16) = 4

organizations: public(immutable(address))

publisher_of: public(HashMap[bytes32, address])
_newest: HashMap[bytes32, bytes32]


@deploy
def __init__(organizations_: address):
    organizations = organizations_


@external
def publish(panel: bytes32, follows: bytes32, name: String[64], version: String[32]):
    """
    @notice Enter a panel, by an operator.
    @param panel The SHA-256 of its serialisation.
    @param follows The newest panel that the sender published under this name; empty for the first one.
    @param name What people call it.
    @param version What people tell it by from the ones before.
    """
    operator: bool = staticcall Organizations(organizations).in_good_standing(msg.sender, OPERATOR)
    assert operator, "the publisher is not an operator in good standing"
    assert panel != empty(bytes32), "an empty hash is no panel"
    assert name != "" and version != "", "a panel needs a name and a version"
    assert self.publisher_of[panel] == empty(address), "this panel stands here already"
    line: bytes32 = self._line(msg.sender, name)
    assert self._newest[line] == follows, "a panel follows the newest one of its publisher and name"
    self.publisher_of[panel] = msg.sender
    self._newest[line] = panel
    log Published(panel=panel, publisher=msg.sender, follows=follows, name=name, version=version)


@external
@view
def is_published(panel: bytes32) -> bool:
    """
    @notice Whether a panel stands here.
    """
    return self.publisher_of[panel] != empty(address)


@external
@view
def newest(publisher: address, name: String[64]) -> bytes32:
    """
    @notice The newest panel that somebody published under a name; empty where there is none.
    """
    return self._newest[self._line(publisher, name)]


@internal
@pure
def _line(publisher: address, name: String[64]) -> bytes32:
    return keccak256(abi_encode(publisher, name))
