"""Every key of a data owner, from twenty-four words.

The words are BIP-39; their seed is the root of a BIP-32 tree in which only hardened steps are ever taken, so that
a leaked child key says nothing about its parent or its sisters. Below the purpose ``20017'`` each use has its own
label, and no key serves two uses:

====================  ============  ==========================================================
path                  curve         key
====================  ============  ==========================================================
m/20017'/0'/i'        secp256k1     control key of record i; its address is the record id
m/20017'/1'/0'        X25519        the owner's Crypt4GH identity
m/20017'/2'/0'        secp256k1     stealth spending key (ERC-5564)
m/20017'/3'/0'        secp256k1     stealth viewing key (ERC-5564)
m/20017'/4'/0'        secp256k1     storage key (Gaia)
m/20017'/5'/d'        none          root of donor d of a custodian; below it the same labels again
====================  ============  ==========================================================

An X25519 key is not a secp256k1 scalar used twice: it is the BLAKE2b of the node's key under its own name.

A custodian keeps one set of words for thousands of donors. Each donor's keys hang below an own hardened node, so
they are as independent as those of strangers, and a donor's root can be handed out without touching another's.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final

from coincurve import PrivateKey
from mnemonic import Mnemonic

from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address
from nebula.protocol.sealing import SealingKey
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.signing import ORDER, address_of, sign_digest

PURPOSE: Final = 20017
WORDS: Final = 24
MAX_INDEX: Final = 2**31 - 1

_CONTROL, _CRYPT4GH, _SPENDING, _VIEWING, _STORAGE, _DONORS = range(6)
_HARDENED = 2**31
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secp256k1 key: a record's control key, a party's or a session's signing key, a one-time payout key."""

    secret: SecretBytes
    public_key: bytes
    """Compressed, 33 bytes."""
    address: Address

    @classmethod
    def generate(cls) -> "SigningKey":
        """Make a fresh key from the operating system's randomness."""
        return cls.from_secret(SecretBytes(PrivateKey().secret))

    @classmethod
    def from_secret(cls, secret: SecretBytes) -> "SigningKey":
        """Take the key whose 32 secret bytes these are.

        Raises:
            RejectedInputError: not 32 bytes, zero, or not below the order of the curve.
        """
        if len(secret) != _KEY_BYTES or not 0 < _scalar(secret) < ORDER:
            raise RejectedInputError("keys.secp256k1", "these bytes are no secp256k1 key")
        public_key: bytes = PrivateKey(secret.reveal()).public_key.format()
        return cls(secret, public_key, address_of(public_key))

    def sign_digest(self, digest: bytes) -> bytes:
        """Return the one form of a signature over a 32-byte digest: r ‖ s ‖ v."""
        return sign_digest(self.secret, digest)


@dataclass(frozen=True, slots=True)
class StealthKeys:
    """Where payouts go: who has the viewing key finds them, who has the spending key too spends them."""

    spending: SigningKey
    viewing: SigningKey

    @property
    def meta_address(self) -> str:
        """The public half as ERC-5564 writes it: ``st:eth:0x`` and both compressed public keys."""
        return f"st:eth:0x{self.spending.public_key.hex()}{self.viewing.public_key.hex()}"


@dataclass(frozen=True, slots=True)
class _Node:
    """A private node of a BIP-32 tree."""

    key: SecretBytes
    chain_code: SecretBytes

    @classmethod
    def from_seed(cls, seed: SecretBytes) -> "_Node":
        digest = hmac.digest(b"Bitcoin seed", seed.reveal(), "sha512")
        return cls._checked(int.from_bytes(digest[:32], "big"), 0, digest[32:])

    def hardened(self, *path: int) -> "_Node":
        """Go down by hardened steps: CKDpriv of BIP-32 with index + 2^31."""
        node = self
        for index in path:
            if not 0 <= index <= MAX_INDEX:
                raise RejectedInputError("keys.index", f"a key's index lies between 0 and {MAX_INDEX}")
            content = b"\x00" + node.key.reveal() + (_HARDENED + index).to_bytes(4, "big")
            digest = hmac.digest(node.chain_code.reveal(), content, "sha512")
            node = self._checked(int.from_bytes(digest[:32], "big"), _scalar(node.key), digest[32:])
        return node

    @classmethod
    def _checked(cls, left: int, parent: int, chain_code: bytes) -> "_Node":
        """Apply BIP-32's rule that a key of zero or past the order is no key (chance 2^-127)."""
        child = (left + parent) % ORDER
        if left >= ORDER or child == 0:
            raise RejectedInputError("keys.index", "BIP-32 gives no key at this index", hint="take the next index")
        return cls(SecretBytes(child.to_bytes(32, "big")), SecretBytes(chain_code))


@dataclass(frozen=True)
class OwnerKeys:
    """The keys of one data owner, or of one donor of a custodian. Nothing in it shows when printed."""

    _root: _Node = field(repr=False)

    @classmethod
    def from_mnemonic(cls, words: str) -> "OwnerKeys":
        """Take the keys of 24 English BIP-39 words, in any spacing and letter case.

        Raises:
            RejectedInputError: not 24 words, an unknown word (named by its place, never shown), or a wrong checksum.
        """
        seed = SecretBytes(Mnemonic.to_seed(check_mnemonic(words)))
        return cls(_Node.from_seed(seed).hardened(PURPOSE))

    def control_key(self, index: int) -> SigningKey:
        """Return the control key of record ``index``, 0 to 2^31 - 1."""
        return self._signing_key(_CONTROL, index)

    def crypt4gh_identity(self) -> SealingKey:
        """Return the key that opens the owner's own parts."""
        return self._identity

    def stealth_keys(self) -> StealthKeys:
        """Return the spending and viewing keys of the payout address."""
        return StealthKeys(self._signing_key(_SPENDING, 0), self._signing_key(_VIEWING, 0))

    def storage_key(self) -> SigningKey:
        """Return the key for storage protocols that want one."""
        return self._signing_key(_STORAGE, 0)

    def donor(self, index: int) -> "OwnerKeys":
        """Return the keys of a custodian's donor ``index``, independent of every other donor's."""
        return OwnerKeys(self._root.hardened(_DONORS, index))

    @cached_property
    def _identity(self) -> SealingKey:
        node = self._root.hardened(_CRYPT4GH, 0)
        return SealingKey.from_secret(
            SecretBytes(hashlib.blake2b(node.key.reveal(), digest_size=32, person=b"nebula-crypt4gh").digest())
        )

    def _signing_key(self, label: int, index: int) -> SigningKey:
        return SigningKey.from_secret(self._root.hardened(label, index).key)


def generate_mnemonic() -> str:
    """Return 24 fresh English words: 256 bits of the operating system's randomness and a checksum."""
    words: str = _english().generate(strength=256)
    return words


def check_mnemonic(words: str) -> str:
    """Return the words, lower case and separated by single spaces.

    Raises:
        RejectedInputError: see :meth:`OwnerKeys.from_mnemonic`.
    """
    given = Mnemonic.normalize_string(words).lower().split()
    if len(given) != WORDS:
        raise RejectedInputError("keys.mnemonic", f"{WORDS} words are needed and {len(given)} were given")
    known = set(_english().wordlist)
    for place, word in enumerate(given, start=1):
        if word not in known:
            raise RejectedInputError("keys.mnemonic", f"word {place} is not in the BIP-39 list of English words")
    normal = " ".join(given)
    if not _english().check(normal):
        raise RejectedInputError(
            "keys.mnemonic",
            "the checksum of these words is wrong",
            hint="a word was mistaken for another, or two have changed places",
        )
    return normal


@lru_cache(maxsize=1)
def _english() -> Mnemonic:
    return Mnemonic("english")


def _scalar(key: SecretBytes) -> int:
    return int.from_bytes(key.reveal(), "big")
