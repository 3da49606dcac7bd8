"""Splitting a 32-byte data key among keepers, and putting it together again from any ``t`` of ``n`` shares.

Shamir's scheme over GF(2^128) with the polynomial x^128 + x^7 + x^2 + x + 1, one run for each half of the key,
as pycryptodome does it (which splits here, and in the tests checks what we combine). Fewer than ``t`` shares say
nothing at all about the key.

Combining is our own: the library needs 1 to 3 ms per key, mostly for inverting public numbers again and again,
and an enclave combines thousands. For given keepers the Lagrange coefficients are constants, and multiplying by a
constant in GF(2^128) is a linear map over bits: one 128 x 128 matrix of zeros and ones. So a key is the parity of one
small matrix product; nothing secret steers a branch or an address, which matters where the host watches caches.

A keeper may lie, and a wrong share gives a wrong key without any sign of it. So whoever splits keeps
``key_digest``, and :func:`combine_checked` looks for ``t`` shares that give the key with that digest. Who lied is
then a matter of agreement: the polynomial through the key and the most shares is taken for the keepers' own. A lone
liar is always found out; ``k`` who choose their lies together are named for sure while k < (n - t + 2) / 2.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.secrets import SecretBytes

DATA_KEY_BYTES: Final = 32
MAX_SHARES: Final = 32
MAX_TRIES: Final = 500
"""How many subsets lying keepers can make us try; all of 4 of 12 fit."""

_HALF: Final = 16
_BITS: Final = 128
_REDUCTION: Final = 0x87  # x^7 + x^2 + x + 1, what x^128 becomes


@dataclass(frozen=True, slots=True)
class Share:
    """One keeper's share: ``index`` 1 to 32 says which, ``value`` is as long as the key."""

    index: int
    value: SecretBytes

    def __post_init__(self) -> None:
        if not 1 <= self.index <= MAX_SHARES:
            raise RejectedInputError("share.index", f"a share's index lies between 1 and {MAX_SHARES}")
        if len(self.value) != DATA_KEY_BYTES:
            raise RejectedInputError("share.length", f"a share has {DATA_KEY_BYTES} bytes, not {len(self.value)}")


@dataclass(frozen=True, slots=True)
class Combined:
    """A data key that passed its check, and what the shares say about their keepers."""

    key: SecretBytes
    lying: tuple[int, ...] = ()
    """Indices of shares that lie on no polynomial through the key on which the most shares agree."""
    disputed: tuple[int, ...] = ()
    """Indices of shares on some but not all such polynomials: some of these lie too, and nobody can say which."""


def key_digest(key: SecretBytes) -> bytes:
    """Return the 32-byte BLAKE2b digest by which a data key is recognised.

    It may be known to anyone: a data key is 32 random bytes, so its digest tells nothing else.
    """
    return hashlib.blake2b(key.reveal(), digest_size=32, person=b"nebula-data-key").digest()


def split(key: SecretBytes, threshold: int, shares: int) -> tuple[Share, ...]:
    """Split a data key into ``shares`` shares, any ``threshold`` of which give it back.

    Raises:
        RejectedInputError: not a 32-byte key, or not 2 <= threshold <= shares <= 32.
    """
    from Crypto.Protocol.SecretSharing import Shamir  # noqa: PLC0415  # an enclave only combines: it loads less

    if len(key) != DATA_KEY_BYTES:
        raise RejectedInputError("share.key", f"a data key has {DATA_KEY_BYTES} bytes, not {len(key)}")
    _require_threshold(threshold, shares)
    plain = key.reveal()
    left = Shamir.split(threshold, shares, plain[:_HALF], ssss=False)
    right = Shamir.split(threshold, shares, plain[_HALF:], ssss=False)
    return tuple(Share(index, SecretBytes(a + b)) for (index, a), (_, b) in zip(left, right, strict=True))


def deal(threshold: int, shares: int) -> tuple[SecretBytes, tuple[Share, ...]]:
    """Draw a fresh data key together with its shares, for those who need some key and not a given one.

    The first ``threshold`` shares are drawn, and key and other shares follow from them: that is a uniform key under a
    uniform polynomial, by the same arithmetic that combines.

    Raises:
        RejectedInputError: not 2 <= threshold <= shares <= 32.
    """
    _require_threshold(threshold, shares)
    drawn = tuple(Share(place, SecretBytes(secrets.token_bytes(DATA_KEY_BYTES))) for place in range(1, threshold + 1))
    others = (Share(place, _interpolate(drawn, place)) for place in range(threshold + 1, shares + 1))
    return _interpolate(drawn, 0), (*drawn, *others)


def combine(shares: Sequence[Share]) -> SecretBytes:
    """Return the key of exactly ``threshold`` shares, unchecked: a wrong share gives a wrong key.

    Raises:
        RejectedInputError: no shares, or two with the same index.
    """
    return _interpolate(_distinct(shares), 0)


def combine_checked(shares: Sequence[Share], threshold: int, digest: bytes) -> Combined:
    """Return the key with this :func:`key_digest`, and who lied.

    Raises:
        RejectedInputError: fewer than ``threshold`` shares, or two with the same index.
        IntegrityError: no ``threshold`` of the shares give that key.
    """
    return combine_accepted(shares, threshold, lambda key: hmac.compare_digest(key_digest(key), digest))


def combine_accepted(shares: Sequence[Share], threshold: int, accepts: Callable[[SecretBytes], bool]) -> Combined:
    """As :func:`combine_checked`, with any test of the key: for instance that it opens the part.

    Subsets are tried in the shares' order, so honest keepers cost one try. One who reads many keys does well to put
    keepers last that were found lying.
    """
    given = _distinct(shares)
    if not 1 <= threshold <= len(given):
        raise RejectedInputError("share.too-few", f"{len(given)} shares are here and {threshold} are needed")
    subsets = list(islice(combinations(given, threshold), MAX_TRIES))
    for place, chosen in enumerate(subsets):
        key = _interpolate(chosen, 0)
        if accepts(key):
            return _judge(key, given, subsets[place:])
    raise IntegrityError("share.wrong", f"no {threshold} of the {len(given)} shares give the right data key")


def _require_threshold(threshold: int, shares: int) -> None:
    if not 2 <= threshold <= shares <= MAX_SHARES:  # noqa: PLR2004  # a single keeper would hold the key itself
        raise RejectedInputError(
            "share.threshold", f"cannot split {threshold} of {shares}: 2 ≤ threshold ≤ shares ≤ {MAX_SHARES}"
        )


def _judge(key: SecretBytes, given: tuple[Share, ...], subsets: list[tuple[Share, ...]]) -> Combined:
    """Say who lied; the first subset is known to give the key."""
    best: set[frozenset[int]] = set()
    for chosen in subsets:
        if _interpolate(chosen, 0) != key:
            continue
        agreeing = frozenset(s.index for s in given if s in chosen or _interpolate(chosen, s.index) == s.value)
        if len(agreeing) == len(given):
            return Combined(key)
        most = max((len(other) for other in best), default=0)
        if len(agreeing) >= most:
            best = {agreeing} | (best if len(agreeing) == most else set())
    sometimes, always = frozenset().union(*best), frozenset.intersection(*best)
    return Combined(
        key,
        lying=tuple(sorted(share.index for share in given if share.index not in sometimes)),
        disputed=tuple(sorted(sometimes - always)),
    )


def _distinct(shares: Sequence[Share]) -> tuple[Share, ...]:
    if not shares or len({share.index for share in shares}) != len(shares):
        raise RejectedInputError("share.duplicate", "shares must be there, and each of another keeper")
    return tuple(shares)


def _interpolate(shares: Sequence[Share], at: int) -> SecretBytes:
    """Return the value at ``at`` of the polynomial through the shares; at 0 stands the key."""
    matrix = _matrix(tuple(share.index for share in shares), at)
    values = b"".join(share.value.reveal()[:_HALF] for share in shares)
    values += b"".join(share.value.reveal()[_HALF:] for share in shares)
    bits = np.unpackbits(np.frombuffer(values, dtype=np.uint8)).reshape(2, -1).astype(np.float32)
    parity = (bits @ matrix).astype(np.int32) & 1  # sums stay below 2^24: exact in float32
    return SecretBytes(np.packbits(parity.astype(np.uint8)).tobytes())


@lru_cache(maxsize=64)
def _matrix(indices: tuple[int, ...], at: int) -> NDArray[np.float32]:
    """Return the bit matrix of a sum of products: shape (shares x 128, 128), zeros and ones.

    Row (j, i) is the j-th Lagrange coefficient times the element whose only bit is bit i, counted from the highest.
    """
    rows: list[bytes] = []
    for j in range(len(indices)):
        element, products = _coefficient(indices, j, at), []
        for _ in range(_BITS):
            products.append(element.to_bytes(_HALF, "big"))
            element = _double(element)
        rows += reversed(products)
    bits = np.unpackbits(np.frombuffer(b"".join(rows), dtype=np.uint8))
    return bits.reshape(-1, _BITS).astype(np.float32)


@lru_cache(maxsize=4096)
def _coefficient(indices: tuple[int, ...], j: int, at: int) -> int:
    """Return Lagrange's basis polynomial j at ``at``; indices are public, so plain arithmetic will do."""
    numerator = denominator = 1
    for m, index in enumerate(indices):
        if m != j:
            numerator = _multiply(numerator, at ^ index)
            denominator = _multiply(denominator, indices[j] ^ index)
    return _multiply(numerator, _inverse(denominator))


def _double(a: int) -> int:
    a <<= 1
    return a ^ ((1 << _BITS) | _REDUCTION) if a >> _BITS else a


def _multiply(a: int, b: int) -> int:
    product = 0
    while b:
        if b & 1:
            product ^= a
        b >>= 1
        a = _double(a)
    return product


def _inverse(a: int) -> int:
    """Return 1/a by the extended Euclidean algorithm on polynomials over GF(2)."""
    u, v, x, y = a, (1 << _BITS) | _REDUCTION, 1, 0
    while u != 1:
        shift = u.bit_length() - v.bit_length()
        if shift < 0:
            u, v, x, y, shift = v, u, y, x, -shift
        u ^= v << shift
        x ^= y << shift
    return x
