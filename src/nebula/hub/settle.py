"""What happens on the ledger after a run: settle on the receipt, then pay sub-tree by sub-tree.

The hub checks what it hands on only to save gas; the ledger checks everything again.
"""

from collections.abc import Iterable, Sequence

from nebula.hub.effects import Effects, Mined
from nebula.protocol.errors import IntegrityError
from nebula.protocol.funding import funding_of, study_id
from nebula.protocol.ids import Hash32, to_hex
from nebula.protocol.merkle import SUBTREE, MerkleTree, payout_tree, subtree_proof
from nebula.protocol.receipt import Payout, PublicRun, RunHead, SealedLeaf
from nebula.protocol.run_statement import check_statement, leaves_digest
from nebula.protocol.study import StudyDocument
from nebula.protocol.typed_data import Domain

GOES_BACK = "the escrow goes back to the buyer after the deadline"
WENT_BACK = "the escrow went back to the buyer"
OVER = f"the discovery is over; {GOES_BACK}"
TOO_LATE = f"no result came by the study's deadline; {GOES_BACK}"


def check_head(head: RunHead, *, study: StudyDocument, run: Hash32) -> RunHead:
    """Return a head that is about this study and run.

    Raises:
        IntegrityError: it is another run's.
    """
    receipt = head.signed.receipt
    if receipt.run != run or receipt.study != study_id(study):
        raise IntegrityError("hub.output", "this output is another run's")
    return head


def check_owners(head: RunHead, payouts: Sequence[Payout], leaves: Iterable[SealedLeaf], *, studies: Domain) -> None:
    """Check that the pages that were handed in are whole, and what the session signed about this receipt.

    Raises:
        IntegrityError: they are not, or the session's statement is about another receipt.
        RejectedInputError: no key could have signed the statement.
    """
    receipt, statement = head.signed.receipt, check_statement(head.statement, head.signed, studies)
    if len(payouts) != receipt.record_count:
        raise IntegrityError("hub.output", "the receipt counts other records than the output has")
    if to_hex(payout_tree(payouts).root) != receipt.payout_root:
        raise IntegrityError("hub.output", "the payouts are not those of the receipt")
    if leaves_digest(leaves) != statement.leaves_digest:
        raise IntegrityError("hub.output", "the sealed leaves are not those that the session signed")


def settle(effects: Effects, public: PublicRun) -> Mined | None:
    """Split the escrow; None when it was split already."""
    return effects.settle(funding_of(public.evidence.study), public.signed)


def subtrees(public: PublicRun) -> range:
    """Return the numbers of the run's sub-trees of payouts."""
    return range((public.signed.receipt.record_count + SUBTREE - 1) // SUBTREE)


def pay_subtree(
    effects: Effects, public: PublicRun, tree: MerkleTree, members: Sequence[Payout], subtree: int
) -> Mined | None:
    """Pay one sub-tree, ``members``, to its one-time addresses, the gas on the hub."""
    return effects.claim_subtree(public.signed.receipt.study, members, subtree_proof(tree, subtree))
