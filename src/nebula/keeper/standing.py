"""What must hold of a study before any record is looked at.

In this order: (1) my node's newest block is recent enough; (2) the study is of this chain and names me as a
keeper; (3) its deadline has not passed, by my clock and by the ledger's; (4) it is funded, neither settled nor
refunded; (5) its buyer is in good standing; (6) complete statistics are asked for by an accredited buyer only; (7) its
panel stands on the ledger.

What opens must stand ``confirmations`` deep *and* in the newest block; what forbids counts in the newest block.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from nebula.keeper.context import Keeper
from nebula.keeper.ledger_view import Block
from nebula.protocol.errors import NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Hash32
from nebula.protocol.study import ResultClass, StudyDocument, StudyTerms


@dataclass(frozen=True, slots=True)
class Standing:
    """A study that may go ahead: by which block, and on which terms."""

    block: Block
    terms: StudyTerms


def newest_block(keeper: Keeper, at: datetime) -> Block:
    """Return my node's newest block.

    Raises:
        UnavailableError: the node is away, or has fallen behind.
    """
    block = keeper.ledger.newest_block()
    if keeper.max_block_age_seconds is not None and at.timestamp() - block.timestamp > keeper.max_block_age_seconds:
        raise UnavailableError("ledger.behind", f"this keeper's newest block {block.number} is too old to decide by")
    return block


def deep_blocks(keeper: Keeper, newest: Block) -> Iterator[Block]:
    """Yield the blocks in which a fact must stand to open anything: the newest, and the one that is deep enough.

    Raises:
        UnavailableError: the chain is not that long yet.
    """
    yield newest
    if keeper.confirmations:
        deep = keeper.ledger.block(newest.number - keeper.confirmations)
        if deep is None:
            raise UnavailableError("ledger.confirmations", "the ledger has too few blocks yet; try again later")
        yield deep


def check_terms(keeper: Keeper, study: StudyDocument, *, at: datetime) -> Standing:
    """Check a study that may not be funded yet: (1), (2), (3), (5), (6), (7).

    Raises:
        RejectedInputError: ``study.chain``, ``study.keepers``.
        NotPermittedError: ``study.deadline``, ``buyer.standing``, ``buyer.accreditation``, ``study.panel``.
    """
    block = newest_block(keeper, at)
    if study.chain_id != keeper.sessions.chain_id:
        raise RejectedInputError("study.chain", f"the study is of chain {study.chain_id}, not of this one")
    if keeper.address not in study.keepers:
        raise RejectedInputError("study.keepers", "the study does not name this keeper")
    if max(int(at.timestamp()), block.timestamp) > study.deadline:
        raise NotPermittedError("study.deadline", "the study's deadline has passed")
    buyer = keeper.ledger.buyer(study.buyer, block)
    if buyer is None:
        raise NotPermittedError(
            "buyer.standing", "the study's buyer is not, or no longer, a verified buyer in good standing"
        )
    if study.result_class is ResultClass.FULL and not buyer.accredited:
        raise NotPermittedError("buyer.accreditation", "only accredited buyers may ask for complete statistics")
    if not keeper.ledger.panel_is_published(study.panel, block):
        raise NotPermittedError(
            "study.panel",
            f"panel {study.panel} does not stand on the ledger",
            hint="its operator publishes it: `nebula panel publish PANEL`",
        )
    closure = keeper.diseases.closure(study.purpose.diseases)
    return Standing(block, StudyTerms(document=study, buyer=buyer, disease_closure=closure))


def check_study(keeper: Keeper, study: StudyDocument, *, at: datetime) -> Standing:
    """Check all of a study that is to run.

    Raises:
        RejectedInputError, NotPermittedError: as :func:`check_terms`, and ``study.not-open``.
        UnavailableError: the ledger is away, or what opens is not deep enough in it yet.
    """
    standing = check_terms(keeper, study, at=at)
    check_funded(keeper, study_id(study), standing.block)
    _check_panel(keeper, study.panel, standing.block)
    return standing


def _check_panel(keeper: Keeper, panel: Hash32, newest: Block) -> None:
    if not all(keeper.ledger.panel_is_published(panel, block) for block in deep_blocks(keeper, newest)):
        raise UnavailableError("study.panel-not-confirmed", "the study's panel is not confirmed yet; try again later")


def check_funded(keeper: Keeper, study: Hash32, newest: Block) -> None:
    """Check (4).

    Raises:
        NotPermittedError: ``study.not-open``.
        UnavailableError: ``study.not-confirmed``; the funding is not deep enough yet.
    """
    if not keeper.ledger.study_is_open(study, newest):
        raise NotPermittedError("study.not-open", "the study is not funded, or is already settled or refunded")
    if not all(keeper.ledger.study_is_open(study, block) for block in deep_blocks(keeper, newest)):
        raise UnavailableError("study.not-confirmed", "the study's funding is not confirmed yet; try again later")
