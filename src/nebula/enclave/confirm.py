"""Step 10: before anything leaves, which records are still permitted, at the newest block?

SECURITY: keepers are asked about every record that was read, not about the cohort. The host sees the question, and who
is in the cohort is something that only the records' phenotypes say.
At most t - 1 keepers lie, and t answer: so at least one honest keeper names every withdrawal. One keeper's no is
enough to drop a record.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from nebula.enclave.keepers import Keepers
from nebula.enclave.session import Block, Session, agreed_block
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address
from nebula.protocol.messages import CONFIRM, RELEASE_PAGE, ConfirmAnswer, ConfirmRequest


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The records that are no longer permitted, and the block that it was decided at."""

    refused: frozenset[Address]
    block: Block


def confirm_records(session: Session, keepers: Keepers, records: Sequence[Address]) -> Confirmation:
    """Ask every keeper that voted.

    Raises:
        UnavailableError: fewer keepers than the threshold answer.
    """
    study = session.evidence.study
    refused: set[Address] = set()
    blocks: list[Block] = []
    for start in range(0, len(records), RELEASE_PAGE):
        page = tuple(records[start : start + RELEASE_PAGE])
        question = ConfirmRequest(study=study_id(study), run=session.evidence.run, records=page)
        answers = keepers.ask(CONFIRM, question, ConfirmAnswer, keepers=session.voters)
        given = answers.require(study.keeper_threshold).given
        refused.update(*(answer.refused for answer in given.values()))
        blocks.append(agreed_block(given.values(), study.keeper_threshold))
        keepers.host.progress("confirming", start + len(page), len(records))
    # Pages are asked one after the other: what holds for all of them holds at the oldest block.
    return Confirmation(frozenset(refused), min(blocks, key=lambda block: block.number))
