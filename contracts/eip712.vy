# pragma version 0.4.3
# pragma evm-version cancun
"""
@title What a signature on this ledger is bound to
@license Apache-2.0
@notice EIP-712: a signed message is valid for one contract on one chain, and for nothing else. Every
        contract of the network signs in the domain "Nebula", version "1".
@dev A module: its functions run inside the contract that imports it. The separator is computed once, and
     anew if the chain has forked away under another id.
"""

DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
NAME: constant(bytes32) = keccak256("Nebula")
VERSION: constant(bytes32) = keccak256("1")

CHAIN_ID: immutable(uint256)
SEPARATOR: immutable(bytes32)


@deploy
def __init__():
    CHAIN_ID = chain.id
    SEPARATOR = keccak256(abi_encode(DOMAIN_TYPE, NAME, VERSION, chain.id, self))


@internal
@view
def _separator() -> bytes32:
    if chain.id == CHAIN_ID:
        return SEPARATOR
    return keccak256(abi_encode(DOMAIN_TYPE, NAME, VERSION, chain.id, self))


@internal
@view
def _digest(message: bytes32) -> bytes32:
    """
    @notice What the signer signs, given the EIP-712 struct hash of the message.
    """
    return keccak256(concat(x"1901", self._separator(), message))
