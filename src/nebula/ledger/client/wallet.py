"""Signed transactions, made by hand: EIP-1559, one encoding, the one signature form we accept."""

from dataclasses import dataclass

import rlp  # type: ignore[import-untyped]  # no stubs are published

from nebula.protocol.ids import Address, Hash32, to_bytes, to_hex
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signing import address_of_secret, keccak256, sign_digest

_DYNAMIC_FEE = b"\x02"
_V_OFFSET = 27


@dataclass(frozen=True, slots=True)
class Fees:
    """What gas may cost. ``most_wei`` is generous: a signed transaction may wait long, and pays the base fee only."""

    most_wei: int
    tip_wei: int

    @classmethod
    def over(cls, base_fee_wei: int, tip_wei: int) -> "Fees":
        """Return fees that stay valid while the base fee grows eightfold."""
        return cls(max(8 * base_fee_wei, 2 * 10**9) + tip_wei, tip_wei)


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """What is sent, and the hash it will have on the ledger."""

    raw: bytes
    hash: Hash32


class Wallet:
    """A key that pays for gas."""

    def __init__(self, secret: SecretBytes) -> None:
        self._secret = secret
        self.address: Address = address_of_secret(secret)

    def sign(
        self, to: Address | None, data: bytes, *, chain_id: int, nonce: int, gas: int, fees: Fees, value_wei: int = 0
    ) -> SignedTransaction:
        """Sign a transaction; ``to`` is None to create a contract. The same input gives the same bytes."""
        fields = [
            chain_id,
            nonce,
            fees.tip_wei,
            fees.most_wei,
            gas,
            b"" if to is None else to_bytes(to),
            value_wei,
            data,
            [],
        ]
        signature = sign_digest(self._secret, keccak256(_DYNAMIC_FEE + rlp.encode(fields)))
        r, s = (int.from_bytes(signature[start : start + 32], "big") for start in (0, 32))
        raw = _DYNAMIC_FEE + rlp.encode([*fields, signature[64] - _V_OFFSET, r, s])
        return SignedTransaction(raw, to_hex(keccak256(raw)))


def contract_address(creator: Address, nonce: int) -> Address:
    """Return the address that a contract created with this nonce will have."""
    return to_hex(keccak256(rlp.encode([to_bytes(creator), nonce]))[-20:])
