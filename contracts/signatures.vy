# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Who signed
@license Apache-2.0
@notice secp256k1 signatures with exactly one accepted form: 65 bytes r, s, v, with s in the lower half of
        the group's order and v 27 or 28. Whoever passes anything else has not signed: the signer is the zero
        address, which every caller refuses.
@dev A module without state. SECURITY: everything in here is an attacker's bytes.
"""

interface ERC1271:
    def isValidSignature(digest: bytes32, signature: Bytes[65]) -> bytes4: view


HALF_ORDER: constant(bytes32) = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0
MAGIC: constant(bytes32) = 0x1626ba7e00000000000000000000000000000000000000000000000000000000


@internal
@pure
def _recover(digest: bytes32, v: uint256, r: bytes32, s: bytes32) -> address:
    """
    @notice The address whose key signed the digest; the zero address if none did.
    """
    if convert(s, uint256) > convert(HALF_ORDER, uint256) or (v != 27 and v != 28):
        return empty(address)
    return ecrecover(digest, v, r, s)


@internal
@pure
def _signer(digest: bytes32, signature: Bytes[65]) -> address:
    """
    @notice The address whose key signed the digest; the zero address if none did, or the length is not 65.
    """
    if len(signature) != 65:
        return empty(address)
    return self._recover(
        digest,
        convert(slice(signature, 64, 1), uint256),
        extract32(signature, 0),
        extract32(signature, 32),
    )


@internal
@view
def _has_signed(account: address, digest: bytes32, v: uint8, r: bytes32, s: bytes32) -> bool:
    """
    @notice Whether an account stands behind a digest: its key signed it or, where the account is a contract,
            the contract says so (ERC-1271). The key is asked first.
    """
    if account == empty(address):
        return False
    if self._recover(digest, convert(v, uint256), r, s) == account:
        return True
    if not account.is_contract:
        return False
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        account,
        abi_encode(
            digest,
            concat(r, s, convert(v, bytes1)),
            method_id=method_id("isValidSignature(bytes32,bytes)"),
        ),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    return success and len(answer) == 32 and convert(answer, bytes32) == MAGIC
