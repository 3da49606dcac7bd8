# pragma version 0.4.3
# pragma evm-version cancun
"""
@title The Nebula token
@license Apache-2.0
@notice What studies are paid in. Every token was minted by a verified desk against one recorded payment, and
        a desk burns what it redeems. Tokens move by signature as well (EIP-2612, EIP-3009), so that a one-time
        payout address never needs ether.
@dev ERC-20 with 18 decimals. Amounts are base units, 10^18 to a token.
"""

from ethereum.ercs import IERC20
import eip712
import signatures

implements: IERC20
initializes: eip712

interface Organizations:
    def in_good_standing(organization: address, role: uint16) -> bool: view


event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    amount: uint256


event Approval:
    owner: indexed(address)
    spender: indexed(address)
    amount: uint256


event Minted:
    receiver: indexed(address)
    payment: indexed(bytes32)
    desk: indexed(address)
    amount: uint256


event Burned:
    desk: indexed(address)
    redemption: indexed(bytes32)
    amount: uint256


event AuthorizationUsed:
    authorizer: indexed(address)
    nonce: indexed(bytes32)


event AuthorizationCanceled:
    authorizer: indexed(address)
    nonce: indexed(bytes32)


DESK: constant(uint16) = 16

PERMIT: constant(bytes32) = keccak256(
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
)
TRANSFER: constant(bytes32) = keccak256(
    "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
RECEIVE: constant(bytes32) = keccak256(
    "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
CANCEL: constant(bytes32) = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)")

name: public(constant(String[6])) = "Nebula"
symbol: public(constant(String[3])) = "NEB"
decimals: public(constant(uint8)) = 18
version: public(constant(String[1])) = "1"
organizations: public(immutable(address))

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
nonces: public(HashMap[address, uint256])
authorizationState: public(HashMap[address, HashMap[bytes32, bool]])
minted_against: public(HashMap[bytes32, bool])


@deploy
def __init__(organizations_: address):
    assert organizations_ != empty(address), "the organizations' contract must not be the zero address"
    organizations = organizations_
    eip712.__init__()


# What a desk does


@external
def mint(receiver: address, amount: uint256, payment: bytes32):
    """
    @notice Make tokens for someone who paid. One payment is minted against once, whoever asks.
    @param payment The digest that names the receipt of payment in the desk's books.
    """
    self._only_desk()
    assert receiver != empty(address), "tokens are not minted to the zero address"
    assert amount != 0, "nothing to mint"
    assert payment != empty(bytes32), "a mint names the payment it stands against"
    assert not self.minted_against[payment], "tokens were already minted against this payment"
    self.minted_against[payment] = True
    self.totalSupply += amount
    self.balanceOf[receiver] = unsafe_add(self.balanceOf[receiver], amount)
    log Transfer(sender=empty(address), receiver=receiver, amount=amount)
    log Minted(receiver=receiver, payment=payment, desk=msg.sender, amount=amount)


@external
def burn(amount: uint256, redemption: bytes32):
    """
    @notice Destroy tokens that the desk itself holds, having paid for them. Nobody's else can be burned.
    @param redemption The digest that names the payment made, in the desk's books.
    """
    self._only_desk()
    assert amount != 0, "nothing to burn"
    assert self.balanceOf[msg.sender] >= amount, "the desk has too few tokens"
    self.balanceOf[msg.sender] = unsafe_sub(self.balanceOf[msg.sender], amount)
    self.totalSupply = unsafe_sub(self.totalSupply, amount)
    log Transfer(sender=msg.sender, receiver=empty(address), amount=amount)
    log Burned(desk=msg.sender, redemption=redemption, amount=amount)


# ERC-20


@external
def transfer(receiver: address, amount: uint256) -> bool:
    """
    @notice Send your own tokens.
    """
    self._move(msg.sender, receiver, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Let a spender take up to an amount of your tokens; the largest number means without end.
    """
    self._allow(msg.sender, spender, amount)
    return True


@external
def transferFrom(owner: address, receiver: address, amount: uint256) -> bool:
    """
    @notice Send tokens that their owner let you take.
    """
    allowed: uint256 = self.allowance[owner][msg.sender]
    if allowed != max_value(uint256):
        assert allowed >= amount, "the owner allowed less than this"
        self.allowance[owner][msg.sender] = unsafe_sub(allowed, amount)
    self._move(owner, receiver, amount)
    return True


# EIP-2612


@external
@view
def DOMAIN_SEPARATOR() -> bytes32:
    """
    @notice The EIP-712 domain of everything signed for this token.
    """
    return eip712._separator()


@external
def permit(owner: address, spender: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice Approve by signature: whoever relays it pays the gas.
    """
    assert block.timestamp <= deadline, "the permit has expired"
    nonce: uint256 = self.nonces[owner]
    message: bytes32 = keccak256(abi_encode(PERMIT, owner, spender, amount, nonce, deadline))
    self._must_have_signed(owner, message, v, r, s)
    self.nonces[owner] = unsafe_add(nonce, 1)
    self._allow(owner, spender, amount)


# EIP-3009


@external
def transferWithAuthorization(
    owner: address,
    receiver: address,
    amount: uint256,
    valid_after: uint256,
    valid_before: uint256,
    nonce: bytes32,
    v: uint8,
    r: bytes32,
    s: bytes32,
):
    """
    @notice Send tokens by their owner's signature: whoever relays it pays the gas.
    @param nonce Any 32 bytes that the owner has not used before.
    """
    message: bytes32 = keccak256(abi_encode(TRANSFER, owner, receiver, amount, valid_after, valid_before, nonce))
    self._use_authorization(owner, nonce, valid_after, valid_before, message, v, r, s)
    self._move(owner, receiver, amount)


@external
def receiveWithAuthorization(
    owner: address,
    receiver: address,
    amount: uint256,
    valid_after: uint256,
    valid_before: uint256,
    nonce: bytes32,
    v: uint8,
    r: bytes32,
    s: bytes32,
):
    """
    @notice The same, where only the receiver may bring the signature: nobody can use it ahead of a contract.
    """
    assert msg.sender == receiver, "only the receiver may use this authorization"
    message: bytes32 = keccak256(abi_encode(RECEIVE, owner, receiver, amount, valid_after, valid_before, nonce))
    self._use_authorization(owner, nonce, valid_after, valid_before, message, v, r, s)
    self._move(owner, receiver, amount)


@external
def cancelAuthorization(authorizer: address, nonce: bytes32, v: uint8, r: bytes32, s: bytes32):
    """
    @notice Make an authorization worthless that was signed and not used.
    """
    assert not self.authorizationState[authorizer][nonce], "this authorization was already used or canceled"
    message: bytes32 = keccak256(abi_encode(CANCEL, authorizer, nonce))
    self._must_have_signed(authorizer, message, v, r, s)
    self.authorizationState[authorizer][nonce] = True
    log AuthorizationCanceled(authorizer=authorizer, nonce=nonce)


# Behind them


@internal
def _use_authorization(
    owner: address,
    nonce: bytes32,
    valid_after: uint256,
    valid_before: uint256,
    message: bytes32,
    v: uint8,
    r: bytes32,
    s: bytes32,
):
    assert block.timestamp > valid_after, "the authorization is not valid yet"
    assert block.timestamp < valid_before, "the authorization has expired"
    assert not self.authorizationState[owner][nonce], "this authorization was already used or canceled"
    self._must_have_signed(owner, message, v, r, s)
    self.authorizationState[owner][nonce] = True
    log AuthorizationUsed(authorizer=owner, nonce=nonce)


@internal
@view
def _must_have_signed(account: address, message: bytes32, v: uint8, r: bytes32, s: bytes32):
    assert signatures._has_signed(account, eip712._digest(message), v, r, s), "the owner did not sign this"


@internal
@view
def _only_desk():
    standing: bool = staticcall Organizations(organizations).in_good_standing(msg.sender, DESK)
    assert standing, "only a desk in good standing may do this"


@internal
def _allow(owner: address, spender: address, amount: uint256):
    assert spender != empty(address), "the zero address cannot spend"
    self.allowance[owner][spender] = amount
    log Approval(owner=owner, spender=spender, amount=amount)


@internal
def _move(sender: address, receiver: address, amount: uint256):
    assert receiver != empty(address), "tokens are not sent to the zero address"
    available: uint256 = self.balanceOf[sender]
    assert available >= amount, "the sender has too few tokens"
    self.balanceOf[sender] = unsafe_sub(available, amount)
    # Cannot overflow: no balance is larger than the supply, which is checked when minting.
    self.balanceOf[receiver] = unsafe_add(self.balanceOf[receiver], amount)
    log Transfer(sender=sender, receiver=receiver, amount=amount)
