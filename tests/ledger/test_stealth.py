"""Stealth addresses against an independent, obvious implementation of ERC-5564 over plain integers."""

import pytest
from eth_keys import keys
from hypothesis import given
from hypothesis import strategies as st

from nebula.ledger.stealth import Announcement, MetaAddress, generate, one_time_secret, parse_meta_address, scan
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.keys import SigningKey
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signing import ORDER, keccak256

P = 2**256 - 2**32 - 977
G = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
Point = tuple[int, int] | None
secrets_ = st.integers(1, ORDER - 1).map(lambda scalar: scalar.to_bytes(32, "big"))


def add(a: Point, b: Point) -> Point:
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(scalar: int, point: Point) -> Point:
    result: Point = None
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def compressed(point: Point) -> bytes:
    assert point is not None
    return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def address(point: Point) -> str:
    assert point is not None
    return "0x" + keccak256(point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big"))[-20:].hex()


def meta_of(spending: bytes, viewing: bytes) -> MetaAddress:
    return MetaAddress(
        compressed(multiply(int.from_bytes(spending, "big"), G)),
        compressed(multiply(int.from_bytes(viewing, "big"), G)),
    )


@given(spending=secrets_, viewing=secrets_, ephemeral=secrets_)
def test_a_one_time_address_is_the_one_that_the_standard_gives(
    spending: bytes, viewing: bytes, ephemeral: bytes
) -> None:
    spend, view, once = (int.from_bytes(secret, "big") for secret in (spending, viewing, ephemeral))
    shared = keccak256(compressed(multiply(once * view % ORDER, G)))
    expected = Announcement(
        address(add(multiply(spend, G), multiply(int.from_bytes(shared, "big") % ORDER, G))),
        compressed(multiply(once, G)),
        shared[0],
    )

    made = generate(SecretBytes(ephemeral), meta_of(spending, viewing))

    assert made == expected
    secret = one_time_secret(SecretBytes(spending), SecretBytes(viewing), made)
    assert keys.PrivateKey(secret.reveal()).public_key.to_address() == made.address
    assert list(scan(SecretBytes(viewing), meta_of(spending, viewing).spending, [made])) == [made]


def test_published_keys_give_their_published_meta_address() -> None:
    """From ScopeLift's SDK, whose tests publish a key pair with its meta-address."""
    spending = bytes.fromhex("0363721eb9e981558c748b824cb32a840da2b3e8957c2fc3bcb8d9c86cb87456")
    viewing = bytes.fromhex("b52a0555f6a8663d89f00365893b1ef9e38eaf2e8bc48a63319c9ea5cb4a27c5")
    published = (
        "st:eth:0x033404e82cd2a92321d51e13064ec13a0fb0192a9fdaaca1cfb47b37bd27ec1397"
        "0390ad5eca026c05ab5cf4d620a2ac65241b11df004ddca360e954db1b26e3846e"
    )

    parsed = parse_meta_address(published)

    assert str(parsed) == published
    made = generate(SecretBytes(b"\x07" * 32), parsed)
    secret = one_time_secret(SecretBytes(spending), SecretBytes(viewing), made)
    assert SigningKey.from_secret(secret).address == made.address


def test_a_scan_finds_its_own_among_strangers_and_survives_rubbish() -> None:
    spending, viewing, stranger = b"\x11" * 32, b"\x22" * 32, b"\x33" * 32
    mine = generate(SecretBytes(b"\x44" * 32), meta_of(spending, viewing))
    others = [generate(SecretBytes(bytes([n]) * 32), meta_of(spending, stranger)) for n in range(1, 60)]
    rubbish = [
        Announcement(mine.address, b"", mine.view_tag),
        Announcement(mine.address, b"\x02" + b"\xff" * 32, mine.view_tag),
        Announcement(mine.address, b"\x04" + b"\x00" * 64, mine.view_tag),
        Announcement(mine.address, mine.ephemeral_public_key, mine.view_tag ^ 1),
    ]

    found = list(scan(SecretBytes(viewing), meta_of(spending, viewing).spending, [*others, *rubbish, mine]))

    assert found == [mine]


def test_another_receivers_announcement_gives_no_key() -> None:
    theirs = generate(SecretBytes(b"\x44" * 32), meta_of(b"\x11" * 32, b"\x33" * 32))

    with pytest.raises(RejectedInputError) as refused:
        one_time_secret(SecretBytes(b"\x11" * 32), SecretBytes(b"\x22" * 32), theirs)

    assert refused.value.code == "stealth.not-yours"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "st:eth:0x",
        "0x" + "02" * 66,
        "st:btc:0x" + "02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" * 2,
        "st:eth:0x" + ("02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798") * 2,
        "st:eth:0x" + ("02" + "ff" * 32) * 2,
        "st:eth:0x" + ("02" + "00" * 32) * 2,
        "st:eth:0x" + ("04" + "79" * 32) * 2,
        "st:eth:0x" + "zz" * 66,
    ],
)
def test_a_meta_address_that_is_not_two_different_points_is_refused(text: str) -> None:
    with pytest.raises(RejectedInputError):
        parse_meta_address(text)


@pytest.mark.parametrize("scalar", [0, ORDER, ORDER + 1, 2**256 - 1])
def test_what_is_no_scalar_makes_no_address(scalar: int) -> None:
    with pytest.raises(RejectedInputError):
        generate(SecretBytes(scalar.to_bytes(32, "big")), meta_of(b"\x11" * 32, b"\x22" * 32))
