# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A study's money, from escrow to the people whose records it used
@license Apache-2.0
@notice A verified buyer locks what a study can cost at most. A receipt, signed by an enclave session that the
        keepers vouch for, splits the escrow once: the owners' part stays here behind a Merkle root of payouts,
        the fee goes to the operator, the rest back to the buyer. Without a receipt by the deadline everything
        goes back. Payouts go to one-time addresses, whole sub-trees at a time, and never expire.
@dev A study's id is the digest of its funding: who pays, for which terms, at which price, until when. So an id
     cannot be taken by somebody else, and the funding need not be stored: whoever settles or refunds brings it
     along. One slot per study remains: escrow in bits 162-255, state in bits 160-161, and in bits 0-159 the last
     20 bytes of the payout root. A shortened root can be forged only by a second preimage of 160 bits, the same
     strength as an address; and even then a study pays no more than its own escrow.
     The token is ours and calls nobody, so no call here can come back in.
"""

from ethereum.ercs import IERC20
import eip712
import signatures

initializes: eip712

interface Organizations:
    def in_good_standing(organization: address, role: uint16) -> bool: view

interface Sessions:
    def vouches_for(
        session: address, study: bytes32, run: bytes32, measurement: bytes32, trust_root: bytes32, simulated: bool
    ) -> bool: view


struct Funding:
    buyer: address
    operator: address
    terms_digest: bytes32
    measurement: bytes32
    price_wei: uint256
    fee_wei: uint256
    max_records: uint32
    deadline: uint64


struct Receipt:
    study: bytes32
    run: bytes32
    session: address
    measurement: bytes32
    trust_root: bytes32
    analysis_digest: bytes32
    consent_block_number: uint64
    consent_block_hash: bytes32
    use_root: bytes32
    payout_root: bytes32
    record_count: uint32
    amount: uint256
    privacy_spend: uint64
    result_digest: bytes32
    simulated: bool


event Funded:
    study: indexed(bytes32)
    buyer: indexed(address)
    operator: indexed(address)
    terms_digest: bytes32
    measurement: bytes32
    price_wei: uint256
    fee_wei: uint256
    max_records: uint32
    deadline: uint64


event Settled:
    study: indexed(bytes32)
    run: indexed(bytes32)
    session: indexed(address)
    receipt: bytes32
    payout_root: bytes32
    result_digest: bytes32
    record_count: uint32
    owners_wei: uint256
    fee_wei: uint256
    refund_wei: uint256


event Refunded:
    study: indexed(bytes32)
    buyer: indexed(address)
    refund_wei: uint256


event Claimed:
    study: indexed(bytes32)
    index: uint256
    owner: address
    receiver: address
    amount: uint256


event SubtreeClaimed:
    study: indexed(bytes32)
    subtree: uint256
    paid: uint256  # bit i: the payout at index subtree * 128 + i was paid now
    amount_wei: uint256


BUYER: constant(uint16) = 1
OPERATOR: constant(uint16) = 4

UNKNOWN: constant(uint256) = 0
FUNDED: constant(uint256) = 1
SETTLED: constant(uint256) = 2
REFUNDED: constant(uint256) = 3

MAX_ESCROW: constant(uint256) = (1 << 94) - 1  # nearly twenty billion tokens
ROOT_BITS: constant(uint256) = (1 << 160) - 1
SUBTREE: constant(uint256) = 128
SUBTREE_HEIGHT: constant(uint256) = 7
MAX_HEIGHT: constant(uint256) = 32

RECEIPT: constant(bytes32) = keccak256(
    "Receipt(bytes32 study,bytes32 run,address session,bytes32 measurement,bytes32 trust_root,bytes32 analysis_digest,uint64 consent_block_number,bytes32 consent_block_hash,bytes32 use_root,bytes32 payout_root,uint32 record_count,uint256 amount,uint64 privacy_spend,bytes32 result_digest,bool simulated)"
)
CLAIM: constant(bytes32) = keccak256("Claim(bytes32 study,uint256 index,address receiver)")

token: public(immutable(address))
organizations: public(immutable(address))
sessions: public(immutable(address))

_studies: HashMap[bytes32, uint256]
# study -> index // 256 -> one bit per payout
_claimed: HashMap[bytes32, HashMap[uint256, uint256]]


@deploy
def __init__(token_: address, organizations_: address, sessions_: address):
    assert token_ != empty(address), "the token must not be the zero address"
    assert organizations_ != empty(address), "the organizations' contract must not be the zero address"
    assert sessions_ != empty(address), "the sessions' contract must not be the zero address"
    token = token_
    organizations = organizations_
    sessions = sessions_
    eip712.__init__()


# The buyer


@external
def fund(funding: Funding) -> bytes32:
    """
    @notice Lock max_records times the price, plus the fee, out of what you allowed this contract to take.
    @return The study's id.
    """
    return self._fund(funding)


@external
def fund_with_permit(funding: Funding, permit_deadline: uint256, v: uint8, r: bytes32, s: bytes32) -> bytes32:
    """
    @notice The same in one transaction, with a permit for exactly the amount.
    @dev The permit may fail: somebody may have brought it in before us, and then the allowance is there already.
    """
    amount: uint256 = self._locked(funding)
    permitted: bool = raw_call(
        token,
        abi_encode(
            msg.sender,
            self,
            amount,
            permit_deadline,
            v,
            r,
            s,
            method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
        ),
        revert_on_failure=False,
    )
    return self._fund(funding)


@external
def refund(funding: Funding):
    """
    @notice Give everything back to the buyer of a study that nobody settled by its deadline. Anyone may ask.
    """
    study: bytes32 = self._id(funding)
    packed: uint256 = self._studies[study]
    assert self._state(packed) == FUNDED, "this study has no open escrow"
    assert block.timestamp > convert(funding.deadline, uint256), "the study's deadline has not passed"
    escrow: uint256 = self._escrow(packed)
    self._studies[study] = self._pack(0, REFUNDED, 0)
    self._pay(funding.buyer, escrow)
    log Refunded(study=study, buyer=funding.buyer, refund_wei=escrow)


# The run


@external
def settle(funding: Funding, receipt: Receipt, signature: Bytes[65]):
    """
    @notice Split the escrow by a receipt. Once, by the deadline; anyone may bring it.
    @param receipt What the enclave session signed at the end of its run.
    @param signature The session's, over Receipt.
    """
    study: bytes32 = self._id(funding)
    packed: uint256 = self._studies[study]
    assert self._state(packed) == FUNDED, "this study has no open escrow"
    assert block.timestamp <= convert(funding.deadline, uint256), "the study's deadline has passed"
    assert receipt.study == study, "the receipt is for another study"
    assert receipt.measurement == funding.measurement, "the receipt is by other code than the buyer agreed to"
    count: uint256 = convert(receipt.record_count, uint256)
    assert count != 0, "a receipt over no records settles nothing"
    assert count <= convert(funding.max_records, uint256), "the receipt counts more records than were paid for"
    assert receipt.amount == count * funding.price_wei, "the receipt's amount is not its records times the price"

    digest: bytes32 = eip712._digest(keccak256(abi_encode(RECEIPT, receipt)))
    signer: address = signatures._signer(digest, signature)
    assert signer != empty(address) and signer == receipt.session, "the session did not sign this receipt"
    vouched: bool = staticcall Sessions(sessions).vouches_for(
        receipt.session, study, receipt.run, receipt.measurement, receipt.trust_root, receipt.simulated
    )
    assert vouched, "the keepers do not vouch for this session"

    rest: uint256 = self._escrow(packed) - receipt.amount - funding.fee_wei
    self._studies[study] = self._pack(receipt.amount, SETTLED, convert(receipt.payout_root, uint256))
    self._pay(funding.operator, funding.fee_wei)
    self._pay(funding.buyer, rest)
    log Settled(
        study=study,
        run=receipt.run,
        session=receipt.session,
        receipt=digest,
        payout_root=receipt.payout_root,
        result_digest=receipt.result_digest,
        record_count=receipt.record_count,
        owners_wei=receipt.amount,
        fee_wei=funding.fee_wei,
        refund_wei=rest,
    )


# The owners


@external
def claim_subtree(
    study: bytes32,
    subtree: uint256,
    amount: uint256,
    owners: DynArray[address, SUBTREE],
    proof: DynArray[bytes32, MAX_HEIGHT - SUBTREE_HEIGHT],
):
    """
    @notice Pay a whole sub-tree of 128 payouts to their one-time addresses, except those already claimed.
    @param subtree Which 128: the payouts from index subtree * 128 on.
    @param amount What each of them is paid, in base units.
    @param owners Their addresses in order; fewer than 128 only at the tree's end, where it is padded with zeros.
    @param proof The sub-tree root's siblings, from the bottom up.
    """
    packed: uint256 = self._settled(study)
    root: bytes32 = self._subtree_root(subtree * SUBTREE, amount, owners)
    assert self._leads_to(root, subtree, proof, packed), "these payouts are not in the study's tree"

    word: uint256 = self._claimed[study][subtree // 2]
    place: uint256 = subtree % 2 * SUBTREE
    unpaid: uint256 = ~(word >> place) & ((1 << len(owners)) - 1)
    count: uint256 = 0
    for i: uint256 in range(len(owners), bound=SUBTREE):
        if owners[i] == empty(address):
            unpaid &= ~(1 << i)
        count += unpaid >> i & 1
    assert count != 0, "every payout of this sub-tree was already claimed"

    self._claimed[study][subtree // 2] = word | unpaid << place
    self._release(study, packed, count * amount)
    for i: uint256 in range(len(owners), bound=SUBTREE):
        if unpaid >> i & 1 == 1:
            self._pay(owners[i], amount)
    log SubtreeClaimed(study=study, subtree=subtree, paid=unpaid, amount_wei=count * amount)


@external
def claim(
    study: bytes32,
    index: uint256,
    owner: address,
    amount: uint256,
    proof: DynArray[bytes32, MAX_HEIGHT],
    receiver: address,
    signature: Bytes[65],
):
    """
    @notice Pay one payout to any receiver, by the one-time key's signature. Nobody can redirect it.
    @param signature The one-time key's, over Claim.
    """
    message: bytes32 = keccak256(abi_encode(CLAIM, study, index, receiver))
    signer: address = signatures._signer(eip712._digest(message), signature)
    assert signer != empty(address) and signer == owner, "the payout's one-time key did not sign this"
    self._claim(study, index, owner, amount, proof, receiver)


@external
def claim_mine(
    study: bytes32, index: uint256, amount: uint256, proof: DynArray[bytes32, MAX_HEIGHT], receiver: address
):
    """
    @notice The same, sent by the one-time key itself.
    """
    self._claim(study, index, msg.sender, amount, proof, receiver)


# What anyone may ask


@external
@view
def study_id(funding: Funding) -> bytes32:
    """
    @notice The id of the study that this funding makes: keccak256 of its ABI encoding.
    """
    return self._id(funding)


@external
@view
def escrow_of(study: bytes32) -> uint256:
    """
    @notice What a study still holds here, in base units.
    """
    return self._escrow(self._studies[study])


@external
@view
def state_of(study: bytes32) -> uint256:
    """
    @notice 0 unknown, 1 funded, 2 settled, 3 refunded.
    """
    return self._state(self._studies[study])


@external
@view
def payout_root_of(study: bytes32) -> bytes20:
    """
    @notice The last 20 bytes of a settled study's payout root. The whole root is in its Settled event.
    """
    return convert(convert(self._studies[study] & ROOT_BITS, uint160), bytes20)


@external
@view
def is_claimed(study: bytes32, index: uint256) -> bool:
    """
    @notice Whether a payout has been claimed, by whichever way.
    """
    return self._claimed[study][index // 256] >> (index % 256) & 1 == 1


# Behind them


@internal
def _fund(funding: Funding) -> bytes32:
    assert msg.sender == funding.buyer, "only the buyer may fund the buyer's study"
    buyer: bool = staticcall Organizations(organizations).in_good_standing(funding.buyer, BUYER)
    assert buyer, "the buyer is not in good standing"
    operator: bool = staticcall Organizations(organizations).in_good_standing(funding.operator, OPERATOR)
    assert operator, "the operator is not in good standing"
    assert convert(funding.deadline, uint256) > block.timestamp, "the deadline has passed"
    assert funding.price_wei != 0 and funding.max_records != 0, "a study pays for at least one record"

    study: bytes32 = self._id(funding)
    assert self._studies[study] == UNKNOWN, "this study was funded before"
    amount: uint256 = self._locked(funding)
    assert amount <= MAX_ESCROW, "the escrow is larger than a study can hold"
    self._studies[study] = self._pack(amount, FUNDED, 0)
    assert extcall IERC20(token).transferFrom(funding.buyer, self, amount), "the tokens did not arrive"
    log Funded(
        study=study,
        buyer=funding.buyer,
        operator=funding.operator,
        terms_digest=funding.terms_digest,
        measurement=funding.measurement,
        price_wei=funding.price_wei,
        fee_wei=funding.fee_wei,
        max_records=funding.max_records,
        deadline=funding.deadline,
    )
    return study


@internal
def _claim(
    study: bytes32,
    index: uint256,
    owner: address,
    amount: uint256,
    proof: DynArray[bytes32, MAX_HEIGHT],
    receiver: address,
):
    packed: uint256 = self._settled(study)
    assert receiver != self, "a payout cannot go back into escrow"
    leaf: bytes32 = self._leaf(index, owner, amount)
    assert self._leads_to(leaf, index, proof, packed), "this payout is not in the study's tree"
    word: uint256 = self._claimed[study][index // 256]
    bit: uint256 = 1 << (index % 256)
    assert word & bit == 0, "this payout was already claimed"
    self._claimed[study][index // 256] = word | bit
    self._release(study, packed, amount)
    self._pay(receiver, amount)
    log Claimed(study=study, index=index, owner=owner, receiver=receiver, amount=amount)


@internal
def _release(study: bytes32, packed: uint256, amount: uint256):
    # SECURITY: whatever a root says, a study pays out of its own escrow only.
    escrow: uint256 = self._escrow(packed)
    assert amount <= escrow, "the study's escrow is smaller than this payout"
    self._studies[study] = self._pack(escrow - amount, SETTLED, packed)


@internal
def _pay(receiver: address, amount: uint256):
    if amount != 0:
        assert extcall IERC20(token).transfer(receiver, amount), "the tokens did not leave"


@internal
@view
def _settled(study: bytes32) -> uint256:
    packed: uint256 = self._studies[study]
    assert self._state(packed) == SETTLED, "this study is not settled"
    return packed


@internal
@pure
def _subtree_root(first: uint256, amount: uint256, owners: DynArray[address, SUBTREE]) -> bytes32:
    nodes: bytes32[SUBTREE] = empty(bytes32[SUBTREE])
    for i: uint256 in range(len(owners), bound=SUBTREE):
        nodes[i] = self._leaf(first + i, owners[i], amount)
    width: uint256 = SUBTREE
    for level: uint256 in range(SUBTREE_HEIGHT):
        width = width // 2
        for i: uint256 in range(width, bound=SUBTREE // 2):
            nodes[i] = keccak256(concat(nodes[2 * i], nodes[2 * i + 1]))
    return nodes[0]


@internal
@pure
def _leads_to(node: bytes32, position: uint256, proof: DynArray[bytes32, MAX_HEIGHT], packed: uint256) -> bool:
    """
    @notice Whether a node at a position, hashed with its siblings upwards, gives the study's payout root.
    """
    at: uint256 = position
    above: bytes32 = node
    for sibling: bytes32 in proof:
        if at % 2 == 0:
            above = keccak256(concat(above, sibling))
        else:
            above = keccak256(concat(sibling, above))
        at = at // 2
    return at == 0 and convert(above, uint256) & ROOT_BITS == packed & ROOT_BITS


@internal
@pure
def _leaf(index: uint256, owner: address, amount: uint256) -> bytes32:
    # Hashed twice, so that no inner node can pass for a leaf.
    return keccak256(keccak256(abi_encode(index, owner, amount)))


@internal
@pure
def _id(funding: Funding) -> bytes32:
    return keccak256(abi_encode(funding))


@internal
@pure
def _locked(funding: Funding) -> uint256:
    return convert(funding.max_records, uint256) * funding.price_wei + funding.fee_wei


@internal
@pure
def _pack(escrow: uint256, state: uint256, root: uint256) -> uint256:
    return escrow << 162 | state << 160 | root & ROOT_BITS


@internal
@pure
def _state(packed: uint256) -> uint256:
    return packed >> 160 & 3


@internal
@pure
def _escrow(packed: uint256) -> uint256:
    return packed >> 162
