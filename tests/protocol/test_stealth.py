import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signing import ORDER, address_of, address_of_secret, keccak256
from nebula.protocol.stealth import MetaAddress, is_mine, one_time_key, parse_meta_address, pay_to, scan

scalars = st.integers(1, ORDER - 1).map(lambda number: SecretBytes(number.to_bytes(32, "big")))
P = 2**256 - 2**32 - 977
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)


def add(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int] | None:
    """Textbook addition on secp256k1: the slow, obvious twin."""
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % P == 0:
            return None
        slope = 3 * one[0] * one[0] * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def multiply(point: tuple[int, int], scalar: int) -> tuple[int, int]:
    total = None
    while scalar:
        total = add(total, point) if scalar & 1 else total
        point, scalar = add(point, point), scalar >> 1
    assert total is not None
    return total


def compressed(point: tuple[int, int]) -> bytes:
    return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def number(secret: SecretBytes) -> int:
    return int.from_bytes(secret.reveal(), "big")


def meta_of(spending: SecretBytes, viewing: SecretBytes) -> MetaAddress:
    return MetaAddress(compressed(multiply(G, number(spending))), compressed(multiply(G, number(viewing))))


@settings(max_examples=20, deadline=None)
@given(scalars, scalars, scalars)
def test_the_address_is_the_one_that_the_standard_computes(
    spending: SecretBytes, viewing: SecretBytes, ephemeral: SecretBytes
) -> None:
    shared = keccak256(compressed(multiply(G, number(ephemeral) * number(viewing) % ORDER)))
    key = (number(spending) + int.from_bytes(shared, "big")) % ORDER

    paid = pay_to(meta_of(spending, viewing), ephemeral)

    assert paid.address == address_of(compressed(multiply(G, key)))
    assert paid.view_tag == shared[0]


@settings(max_examples=20, deadline=None)
@given(scalars, scalars, scalars)
def test_the_owner_finds_and_spends_a_payout(
    spending: SecretBytes, viewing: SecretBytes, ephemeral: SecretBytes
) -> None:
    meta = meta_of(spending, viewing)
    paid = pay_to(meta, ephemeral)

    assert is_mine(paid, viewing, meta.spending)
    assert address_of_secret(one_time_key(paid.ephemeral_public_key, viewing, spending)) == paid.address


def test_a_stranger_finds_nothing() -> None:
    mine, stranger = SecretBytes(secrets.token_bytes(32)), SecretBytes(secrets.token_bytes(32))
    meta = meta_of(mine, mine)
    paid = [pay_to(meta, SecretBytes(secrets.token_bytes(32))) for _ in range(20)]

    assert list(scan(paid, stranger, meta.spending)) == []
    assert len({one.address for one in paid}) == 20


@pytest.mark.parametrize(
    "text",
    ["", "st:eth:0x00", "st:eth:0x" + "00" * 66, "st:eth:0x" + "02" + "ff" * 32 + "02" + "11" * 32, "0x" + "02" * 66],
)
def test_what_is_no_meta_address_is_refused(text: str) -> None:
    with pytest.raises(RejectedInputError):
        parse_meta_address(text)
