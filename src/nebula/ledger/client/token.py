"""The token: reads, calls and events. Gas limits are about half again what was measured."""

from dataclasses import dataclass
from typing import ClassVar

from nebula.ledger.client.calls import Contract, ContractCall
from nebula.ledger.client.events import Event, EventDecoder
from nebula.ledger.client.requests import At
from nebula.protocol.ids import Address, Hash32, to_bytes
from nebula.protocol.typed_data import Authorization, Domain

_V_OFFSET = 64


@dataclass(frozen=True, slots=True)
class Transfer(Event):
    """Tokens moved; minted from, or burned to, the zero address."""

    contract: ClassVar[str] = "token"
    sender: Address
    receiver: Address
    amount: int


@dataclass(frozen=True, slots=True)
class Minted(Event):
    """A desk made tokens against one payment."""

    contract: ClassVar[str] = "token"
    receiver: Address
    payment: Hash32
    desk: Address
    amount: int


@dataclass(frozen=True, slots=True)
class Burned(Event):
    """A desk destroyed tokens that it redeemed."""

    contract: ClassVar[str] = "token"
    desk: Address
    redemption: Hash32
    amount: int


@dataclass(frozen=True, slots=True)
class AuthorizationUsed(Event):
    """A signed transfer was carried out."""

    contract: ClassVar[str] = "token"
    authorizer: Address
    nonce: Hash32


EVENTS = EventDecoder("token", (Transfer, Minted, Burned, AuthorizationUsed))


class Token(Contract):
    """What studies are paid in."""

    name = "token"

    def domain(self, chain_id: int) -> Domain:
        """Return what signatures for this token are bound to."""
        return Domain(chain_id, self.address)

    def balance_wei(self, owner: Address, at: At = None) -> int:
        """Return how many base units an address has."""
        return int(self._read("balanceOf", owner, at=at))

    def balances_wei(self, owners: list[Address], at: At = None) -> list[int]:
        """Return the balances of many addresses, about one block."""
        return [int(value) for value in self._read_many("balanceOf", [(owner,) for owner in owners], at)]

    def supply_wei(self, at: At = None) -> int:
        """Return how many base units exist."""
        return int(self._read("totalSupply", at=at))

    def permit_nonce(self, owner: Address, at: At = None) -> int:
        """Return the nonce that the owner's next permit names."""
        return int(self._read("nonces", owner, at=at))

    def minted_against(self, payment: Hash32, at: At = None) -> bool:
        """Whether tokens were already made against a payment."""
        return bool(self._read("minted_against", to_bytes(payment), at=at))

    def mint(self, receiver: Address, amount_wei: int, payment: Hash32) -> ContractCall:
        """A desk makes tokens against a payment."""
        return self._call("mint", receiver, amount_wei, to_bytes(payment), gas=180_000)

    def burn(self, amount_wei: int, redemption: Hash32) -> ContractCall:
        """A desk destroys tokens of its own that it paid for."""
        return self._call("burn", amount_wei, to_bytes(redemption), gas=100_000)

    def transfer(self, receiver: Address, amount_wei: int) -> ContractCall:
        """Send one's own tokens."""
        return self._call("transfer", receiver, amount_wei, gas=90_000)

    def approve(self, spender: Address, amount_wei: int) -> ContractCall:
        """Let somebody take up to an amount."""
        return self._call("approve", spender, amount_wei, gas=80_000)

    def permit(
        self, owner: Address, spender: Address, *, amount_wei: int, deadline: int, signature: bytes
    ) -> ContractCall:
        """Carry out a signed approval (EIP-2612)."""
        parts = split_signature(signature)
        return self._call("permit", owner, spender, amount_wei, deadline, *parts, gas=140_000)

    def transfer_with_authorization(self, authorization: Authorization, signature: bytes) -> ContractCall:
        """Carry out a signed transfer (EIP-3009)."""
        return self._call(
            "transferWithAuthorization",
            authorization.owner,
            authorization.receiver,
            authorization.amount_wei,
            authorization.valid_after,
            authorization.valid_before,
            authorization.nonce,
            *split_signature(signature),
            gas=160_000,
        )


def split_signature(signature: bytes) -> tuple[int, bytes, bytes]:
    """Return v, r and s of a 65-byte signature, as some methods take them."""
    return signature[_V_OFFSET], signature[:32], signature[32:64]
