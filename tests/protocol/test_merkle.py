"""A proof holds for one leaf at one place of one tree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.ids import to_bytes, to_hex
from nebula.protocol.merkle import (
    SUBTREE,
    SUBTREE_HEIGHT,
    MerkleTree,
    climb,
    payout_leaf,
    payout_tree,
    subtree_proof,
    use_leaf,
    use_tree,
    verify_payout,
    verify_use,
)
from nebula.protocol.receipt import Payout
from nebula.protocol.signing import keccak256

SIZES = st.integers(1, 600)
FEW = settings(max_examples=25, deadline=None)


def payouts_of(people: int) -> list[Payout]:
    return [
        Payout(index=index, address=to_hex(keccak256(b"%d" % index)[:20]), amount_wei="7") for index in range(people)
    ]


def obvious_root(leaves: list[bytes], least: int = 1) -> bytes:
    """The definition, slowly: pad with zeros to a power of two, hash pairs until one is left."""
    width = max(least, 1 << (len(leaves) - 1).bit_length())
    level = leaves + [bytes(32)] * (width - len(leaves))
    while len(level) > 1:
        level = [keccak256(level[at] + level[at + 1]) for at in range(0, len(level), 2)]
    return level[0]


def proof_of(tree: MerkleTree, position: int) -> list[str]:
    return [to_hex(node) for node in tree.proof(position)]


@FEW
@given(people=SIZES)
def test_the_payout_root_is_that_of_the_definition(people: int) -> None:
    payouts = payouts_of(people)
    assert payout_tree(payouts).root == obvious_root([payout_leaf(payout) for payout in payouts], least=SUBTREE)


@FEW
@given(count=SIZES)
def test_the_use_root_is_that_of_the_definition(count: int) -> None:
    leaves = [keccak256(b"use %d" % index) for index in range(count)]
    assert use_tree(leaves).root == obvious_root(leaves)


@FEW
@given(people=SIZES, data=st.data())
def test_every_payout_has_a_proof_that_holds_for_it_alone(people: int, data: st.DataObject) -> None:
    payouts = payouts_of(people)
    tree = payout_tree(payouts)
    index = data.draw(st.integers(0, people - 1))
    proof, root = proof_of(tree, index), to_hex(tree.root)

    assert verify_payout(payouts[index], proof, root) is payouts[index]
    for other in (
        Payout(index=index, address=payouts[index].address, amount_wei="8"),
        Payout(index=index, address="0x" + "22" * 20, amount_wei="7"),
        Payout(index=(index + 1) % SUBTREE, address=payouts[index].address, amount_wei="7"),
    ):
        with pytest.raises(IntegrityError):
            verify_payout(other, proof, root)


@FEW
@given(people=SIZES, data=st.data())
def test_a_subtree_and_its_siblings_lead_to_the_root(people: int, data: st.DataObject) -> None:
    payouts = payouts_of(people)
    tree = payout_tree(payouts)
    subtree = data.draw(st.integers(0, (people - 1) // SUBTREE))
    within = [payout_leaf(payout) for payout in payouts[subtree * SUBTREE : (subtree + 1) * SUBTREE]]
    assert climb(obvious_root(within, least=SUBTREE), subtree, subtree_proof(tree, subtree)) == tree.root


@FEW
@given(people=st.integers(2, 600), data=st.data())
def test_a_proof_altered_in_any_bit_fails(people: int, data: st.DataObject) -> None:
    payouts = payouts_of(people)
    tree = payout_tree(payouts)
    index = data.draw(st.integers(0, people - 1))
    proof = list(tree.proof(index))
    level, bit = data.draw(st.integers(0, len(proof) - 1)), data.draw(st.integers(0, 255))
    proof[level] = (int.from_bytes(proof[level], "big") ^ 1 << bit).to_bytes(32, "big")
    with pytest.raises(IntegrityError):
        verify_payout(payouts[index], [to_hex(node) for node in proof], to_hex(tree.root))


@given(position=st.integers(-5, 2**40), proof=st.lists(st.binary(min_size=30, max_size=33), max_size=10))
def test_a_position_beyond_the_proof_or_a_misshapen_sibling_is_refused(position: int, proof: list[bytes]) -> None:
    fits = 0 <= position < 2 ** len(proof) and all(len(sibling) == 32 for sibling in proof)
    if fits:
        assert len(climb(bytes(32), position, proof)) == 32
    else:
        with pytest.raises(RejectedInputError, match="does not fit"):
            climb(bytes(32), position, proof)


def test_an_inner_node_never_passes_for_a_leaf() -> None:
    payouts = payouts_of(256)
    tree = payout_tree(payouts)
    for level in range(1, SUBTREE_HEIGHT):
        with pytest.raises(IntegrityError):
            verify_payout(payouts[0], [to_hex(node) for node in tree.proof(0, level=level)], to_hex(tree.root))


def test_an_owner_proves_their_use_and_nobody_without_the_salt_can() -> None:
    study, record, salt = "0x" + "aa" * 32, "0x" + "bb" * 20, keccak256(b"salt")
    leaves = [keccak256(b"other %d" % index) for index in range(9)]
    leaves[4] = use_leaf(study, record, salt)
    tree = use_tree(leaves)
    proof, root = proof_of(tree, 4), to_hex(tree.root)

    assert leaves[4] == keccak256(to_bytes(study) + to_bytes(record) + salt)
    assert verify_use(use_leaf(study, record, salt), 4, proof, root) == leaves[4]
    for guess in (
        use_leaf(study, record, keccak256(b"guess")),
        use_leaf("0x" + "ac" * 32, record, salt),
        use_leaf(study, "0x" + "bc" * 20, salt),
    ):
        with pytest.raises(IntegrityError):
            verify_use(guess, 4, proof, root)
    with pytest.raises(RejectedInputError, match="32 bytes"):
        use_leaf(study, record, salt[:31])


def test_payouts_are_numbered_in_order() -> None:
    with pytest.raises(RejectedInputError, match="numbered from zero"):
        payout_tree(payouts_of(3)[::-1])


def test_a_tree_over_nothing_and_a_node_that_is_not_there_are_refused() -> None:
    with pytest.raises(RejectedInputError, match="leaves"):
        payout_tree([])
    tree = payout_tree(payouts_of(3))
    for position in (-1, 3):
        with pytest.raises(RejectedInputError, match="no node"):
            tree.proof(position)
