# pragma version 0.4.3
# pragma evm-version cancun
"""
@title Whose record is live, and under which policy
@license Apache-2.0
@notice One slot per record. The record's id is the address of its control key, and only that key's signature
        changes the slot, whoever pays for the transaction. The slot holds a salted commitment to the record's
        manifest and consent policy, and a version that only ever grows. An empty commitment means withdrawn.
@dev Bits 48-255: the first 26 bytes of the commitment. Bits 0-47: the version. Every signed message names the
     version that it makes, so none can be used twice, or after the record has moved on.
     Only keys sign here, never contracts (ERC-1271): a record id is a key's address by construction, and a
     batch must not call into a stranger's code.
"""

import eip712
import signatures

initializes: eip712


struct Put:
    record: address
    commitment: bytes26
    version: uint48
    signature: Bytes[65]


event Registered:
    record: indexed(address)
    commitment: bytes26
    version: uint48


event Updated:
    record: indexed(address)
    commitment: bytes26
    version: uint48


event Withdrawn:
    record: indexed(address)
    version: uint48


event Refused:
    record: indexed(address)
    version: uint48


PUT: constant(bytes32) = keccak256("RecordPut(address record,bytes26 commitment,uint48 version)")
WITHDRAWAL: constant(bytes32) = keccak256("RecordWithdrawal(address record,uint48 version)")
VERSION: constant(uint256) = (1 << 48) - 1

slot: public(HashMap[address, uint256])


@deploy
def __init__():
    eip712.__init__()


@external
def put(record: address, commitment: bytes26, version: uint48, signature: Bytes[65]):
    """
    @notice Register a record, or replace its commitment. Also brings a withdrawn record back, if its owner says so.
    @param commitment The first 26 bytes of a salted keccak256. Never empty.
    @param version The record's version plus one.
    @param signature The control key's, over RecordPut.
    """
    assert commitment != empty(bytes26), "an empty commitment is a withdrawal"
    assert self._is_next(record, version), "the version must follow the record's own"
    signer: address = signatures._signer(self._put_digest(record, commitment, version), signature)
    assert signer == record and record != empty(address), "the record's control key did not sign this"
    self._put(record, commitment, version)


@external
def put_mine(commitment: bytes26):
    """
    @notice The same, sent by the control key itself: whatever the hub may do, an owner can always act alone.
    """
    assert commitment != empty(bytes26), "an empty commitment is a withdrawal"
    self._put(msg.sender, commitment, convert(self._version(msg.sender) + 1, uint48))


@external
def put_many(puts: DynArray[Put, 200]):
    """
    @notice Register or update many records at once. One that cannot be accepted is skipped and logged as
            Refused; it never stops the others, so a racing or forged item cannot wedge a batch.
    """
    for item: Put in puts:
        acceptable: bool = (
            item.record != empty(address)
            and item.commitment != empty(bytes26)
            and self._is_next(item.record, item.version)
        )
        if acceptable:
            digest: bytes32 = self._put_digest(item.record, item.commitment, item.version)
            acceptable = signatures._signer(digest, item.signature) == item.record
        if acceptable:
            self._put(item.record, item.commitment, item.version)
        else:
            log Refused(record=item.record, version=item.version)


@external
def withdraw(record: address, version: uint48, signature: Bytes[65]):
    """
    @notice End a record's consent. Takes effect in this block, whatever any study's state.
    @param version Any version beyond the record's own: by naming one beyond everything they have signed, an
                   owner outruns every older message that somebody may still hold back.
    @param signature The control key's, over RecordWithdrawal.
    """
    assert convert(version, uint256) > self._version(record), "the version must be beyond the record's own"
    message: bytes32 = keccak256(abi_encode(WITHDRAWAL, record, version))
    signer: address = signatures._signer(eip712._digest(message), signature)
    assert signer == record and record != empty(address), "the record's control key did not sign this"
    self._withdraw(record, version)


@external
def withdraw_mine(version: uint48):
    """
    @notice The same, sent by the control key itself.
    """
    assert convert(version, uint256) > self._version(msg.sender), "the version must be beyond the record's own"
    self._withdraw(msg.sender, version)


@external
@view
def is_live(record: address) -> bool:
    """
    @notice Whether a record is registered and not withdrawn.
    """
    return self.slot[record] > VERSION


@external
@view
def slots(records: DynArray[address, 500]) -> DynArray[uint256, 500]:
    """
    @notice Many records' slots in one call, in the order asked for: what keepers read before they release.
    """
    found: DynArray[uint256, 500] = []
    for record: address in records:
        found.append(self.slot[record])
    return found


@external
@view
def version_of(record: address) -> uint48:
    """
    @notice How often a record has changed; zero for one never seen. The next put names this plus one.
    """
    return convert(self._version(record), uint48)


@external
@view
def commitment_of(record: address) -> bytes26:
    """
    @notice The record's commitment; empty when it is withdrawn or was never registered.
    """
    return convert(convert(self.slot[record] >> 48, uint208), bytes26)


@internal
def _put(record: address, commitment: bytes26, version: uint48):
    known: bool = self.slot[record] > VERSION
    self.slot[record] = convert(convert(commitment, bytes32), uint256) | convert(version, uint256)
    if known:
        log Updated(record=record, commitment=commitment, version=version)
    else:
        log Registered(record=record, commitment=commitment, version=version)


@internal
def _withdraw(record: address, version: uint48):
    self.slot[record] = convert(version, uint256)
    log Withdrawn(record=record, version=version)


@internal
@view
def _put_digest(record: address, commitment: bytes26, version: uint48) -> bytes32:
    return eip712._digest(keccak256(abi_encode(PUT, record, commitment, version)))


@internal
@view
def _is_next(record: address, version: uint48) -> bool:
    return convert(version, uint256) == self._version(record) + 1


@internal
@view
def _version(record: address) -> uint256:
    return self.slot[record] & VERSION
