"""What happens on the ledger after a run: settle on the receipt, then pay sub-tree by sub-tree.

The hub checks what it hands on only to save gas; the ledger checks everything again.
"""

from nebula.hub.effects import Effects, Mined
from nebula.protocol.errors import IntegrityError
from nebula.protocol.funding import funding_of, study_id
from nebula.protocol.ids import Hash32, to_hex
from nebula.protocol.merkle import SUBTREE, payout_tree, subtree_proof
from nebula.protocol.receipt import PublicRun, RunOutput
from nebula.protocol.study import StudyDocument

GOES_BACK = "the escrow goes back to the buyer after the deadline"
WENT_BACK = "the escrow went back to the buyer"
TOO_LATE = f"no result came by the study's deadline; {GOES_BACK}"


def check_output(output: RunOutput, *, study: StudyDocument, run: Hash32) -> RunOutput:
    """Return an output that is about this study and run, and whose payouts its receipt commits to.

    Raises:
        IntegrityError: it is another run's, or its parts do not belong together.
    """
    receipt = output.signed.receipt
    if receipt.run != run or receipt.study != study_id(study):
        raise IntegrityError("hub.output", "this output is another run's")
    if to_hex(payout_tree(output.payouts).root) != receipt.payout_root:
        raise IntegrityError("hub.output", "the payouts are not those of the receipt")
    if len(output.payouts) != receipt.record_count or len(output.leaves) != receipt.record_count:
        raise IntegrityError("hub.output", "the receipt counts other records than the output has")
    return output


def settle(effects: Effects, public: PublicRun) -> Mined | None:
    """Split the escrow; None when it was split already."""
    return effects.settle(funding_of(public.evidence.study), public.signed)


def subtrees(public: PublicRun) -> range:
    """Return the numbers of the run's sub-trees of payouts."""
    return range((len(public.payouts) + SUBTREE - 1) // SUBTREE)


def pay_subtree(effects: Effects, public: PublicRun, subtree: int) -> Mined | None:
    """Pay one sub-tree to its one-time addresses, the gas on the hub."""
    tree = payout_tree(public.payouts)
    members = public.payouts[subtree * SUBTREE : (subtree + 1) * SUBTREE]
    return effects.claim_subtree(public.signed.receipt.study, members, subtree_proof(tree, subtree))
