"""Merkle trees: who is paid in a run, and proof to an owner that their record was used.

Both trees are padded with zeros to a power of two, and a pair is hashed in its order (left ‖ right), so a proof
fixes the leaf's position. No inner node can pass for a leaf: a node is the hash of 64 bytes, a payout leaf the hash
of 32 and a use leaf the hash of 84. `contracts/studies.vy` climbs the payout tree in the same way, 128 payouts at a
time, which is why that tree is never lower than 128 leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, repeat
from typing import Final

from sha3 import keccak_256  # type: ignore[import-untyped]  # the C module has no stubs

from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.ids import Address, Hash32, to_bytes, to_hex
from nebula.protocol.money import wei_from_wire
from nebula.protocol.receipt import Payout
from nebula.protocol.signing import keccak256

SUBTREE_HEIGHT: Final = 7
SUBTREE: Final = 1 << SUBTREE_HEIGHT
"""How many payouts one claim pays at most."""

MAX_HEIGHT: Final = 32

_HASH = 32
_PAIR = 64
_SALT_BYTES = 32

_PADDING = tuple(accumulate(repeat(None, MAX_HEIGHT), lambda node, _: keccak256(node + node), initial=bytes(_HASH)))
"""By height, the root of a tree that is nothing but padding."""


@dataclass(frozen=True, slots=True)
class MerkleTree:
    """A tree over 32-byte leaves. Level 0 holds the leaves; each level is one run of 32-byte nodes, unpadded."""

    levels: tuple[bytes, ...]

    @classmethod
    def over(cls, leaves: bytes, *, least_height: int = 0) -> "MerkleTree":
        """Build the tree over leaves that are given as one run of 32-byte hashes.

        Raises:
            RejectedInputError: no leaves, or more than 2^32.
        """
        count = len(leaves) // _HASH
        height = max(least_height, (count - 1).bit_length())
        if count == 0 or height > MAX_HEIGHT:
            raise RejectedInputError("merkle.size", f"a tree has between 1 and 2^{MAX_HEIGHT} leaves, not {count}")
        levels = [leaves]
        for padding in _PADDING[:height]:
            below = levels[-1] if len(levels[-1]) % _PAIR == 0 else levels[-1] + padding
            pairs = range(0, len(below), _PAIR)
            levels.append(b"".join([keccak_256(below[at : at + _PAIR]).digest() for at in pairs]))
        return cls(tuple(levels))

    @property
    def root(self) -> bytes:
        """The 32 bytes that stand for all leaves."""
        return self.levels[-1]

    def proof(self, position: int, *, level: int = 0) -> tuple[bytes, ...]:
        """Return the siblings from a node at ``level`` up to the root.

        Raises:
            RejectedInputError: the tree has no such node.
        """
        if not 0 <= position < len(self.levels[level]) // _HASH:
            raise RejectedInputError("merkle.position", f"the tree has no node {position} on level {level}")
        return tuple(self._node(above, position >> (above - level) ^ 1) for above in range(level, len(self.levels) - 1))

    def _node(self, level: int, position: int) -> bytes:
        return self.levels[level][position * _HASH : (position + 1) * _HASH] or _PADDING[level]


def climb(node: bytes, position: int, proof: Sequence[bytes]) -> bytes:
    """Return the root that a node at a position leads to with its siblings, from the bottom up.

    Raises:
        RejectedInputError: the position lies beyond the tree that the proof spans, or a sibling is not 32 bytes.
    """
    # SECURITY: an attacker's bytes come in here. A position beyond the tree would be a second name for a leaf.
    if not 0 <= position < 1 << len(proof) or any(len(sibling) != _HASH for sibling in proof):
        raise RejectedInputError("merkle.proof", "the proof does not fit the position")
    for sibling in proof:
        node = keccak256(sibling + node if position & 1 else node + sibling)
        position >>= 1
    return node


# Payouts: (index, one-time address, amount), hashed twice


def payout_leaf(payout: Payout) -> bytes:
    """Return the leaf of one payout."""
    return _payout_leaf(payout.index, to_bytes(payout.address), wei_from_wire(payout.amount_wei))


def payout_tree(payouts: Sequence[Payout]) -> MerkleTree:
    """Build the tree whose root the receipt carries. A million payouts take some seconds.

    Raises:
        RejectedInputError: the payouts are not numbered from zero in their order, or there are none.
    """
    if any(payout.index != place for place, payout in enumerate(payouts)):
        raise RejectedInputError("merkle.order", "payouts are numbered from zero, in their order")
    return MerkleTree.over(b"".join(map(payout_leaf, payouts)), least_height=SUBTREE_HEIGHT)


def subtree_proof(tree: MerkleTree, subtree: int) -> tuple[bytes, ...]:
    """Return the proof that pays the payouts from index ``subtree * 128`` on in one claim."""
    return tree.proof(subtree, level=SUBTREE_HEIGHT)


def verify_payout(payout: Payout, proof: Sequence[Hash32], root: Hash32) -> Payout:
    """Return a payout after checking that it is in the tree with this root.

    Raises:
        IntegrityError: it is not.
        RejectedInputError: the proof does not fit the position.
    """
    if to_hex(climb(payout_leaf(payout), payout.index, [to_bytes(node) for node in proof])) != root:
        raise IntegrityError("merkle.payout", f"payout {payout.index} is not in the receipt's payout tree")
    return payout


# Uses: keccak(study ‖ record ‖ salt); without the salt, nobody can tell which record a leaf stands for


def use_leaf(study: Hash32, record: Address, salt: bytes) -> bytes:
    """Return the leaf that says a record was used in a study, hidden by a 32-byte salt."""
    if len(salt) != _SALT_BYTES:
        raise RejectedInputError("merkle.salt", f"a leaf's salt has 32 bytes, this one {len(salt)}")
    return keccak256(to_bytes(study) + to_bytes(record) + salt)


def use_tree(leaves: Sequence[bytes]) -> MerkleTree:
    """Build the tree over use leaves, in an order that says nothing about the records."""
    return MerkleTree.over(b"".join(leaves))


def verify_use(leaf: bytes, index: int, proof: Sequence[Hash32], root: Hash32) -> bytes:
    """Return a use leaf after checking that it is in the tree with this root.

    Raises:
        IntegrityError: it is not.
        RejectedInputError: the proof does not fit the position.
    """
    if to_hex(climb(leaf, index, [to_bytes(node) for node in proof])) != root:
        raise IntegrityError("merkle.use", f"leaf {index} is not in the receipt's use tree")
    return leaf


def _payout_leaf(index: int, address: bytes, amount_wei: int) -> bytes:
    inner = index.to_bytes(32, "big") + bytes(12) + address + amount_wei.to_bytes(32, "big")
    digest: bytes = keccak_256(keccak_256(inner).digest()).digest()
    return digest
