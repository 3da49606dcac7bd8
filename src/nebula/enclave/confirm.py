"""Step 10: before anything leaves, which records are still permitted, at the newest block?

Each keeper is asked about the records that it released. One keeper's no drops a record, and each record needs the
answers of as many keepers as it needed shares: at most t - 1 lie, so one honest keeper at least names every withdrawal.

SECURITY: keepers are asked about every record that was read, not about the cohort. The host sees the question, and who
is in the cohort is something that only the records' phenotypes say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nebula.enclave.keepers import Answers, Keepers
from nebula.enclave.release import ReleasedRecord
from nebula.enclave.session import Block, Session, agreed_block
from nebula.protocol.errors import UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address
from nebula.protocol.messages import CONFIRM, RELEASE_PAGE, ConfirmAnswer, ConfirmRequest


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The records that are no longer permitted, and the block that it was decided at."""

    refused: frozenset[Address]
    block: Block


def confirm_records(session: Session, keepers: Keepers, records: Sequence[ReleasedRecord]) -> Confirmation:
    """Ask every keeper that released anything.

    Raises:
        UnavailableError: too few keepers answer.
        NebulaError: too few keepers say anything but no to the whole study.
    """
    study = session.evidence.study
    refused: set[Address] = set()
    blocks: list[Block] = []
    for start in range(0, len(records), RELEASE_PAGE):
        page = records[start : start + RELEASE_PAGE]
        questions = {keeper: _question(session, keeper, page) for keeper in session.voters}
        asked = {keeper: question for keeper, question in questions.items() if question.records}
        answers = keepers.ask_each(CONFIRM, asked, ConfirmAnswer).require(study.keeper_threshold)
        _require_confirmed(page, answers, study.keeper_threshold)
        refused.update(*(answer.refused for answer in answers.given.values()))
        blocks.append(agreed_block(answers.given.values(), study.keeper_threshold))
        keepers.host.progress("confirming", start + len(page), len(records))
    # Pages are asked one after the other: what holds for all of them holds at the oldest block.
    return Confirmation(frozenset(refused), min(blocks, key=lambda block: block.number))


def _question(session: Session, keeper: Address, page: Iterable[ReleasedRecord]) -> ConfirmRequest:
    released = tuple(record.record for record in page if keeper in record.sealed)
    return ConfirmRequest(study=study_id(session.evidence.study), run=session.evidence.run, records=released)


def _require_confirmed(page: Iterable[ReleasedRecord], answers: Answers[ConfirmAnswer], threshold: int) -> None:
    if any(len(answers.given.keys() & record.sealed.keys()) < threshold for record in page):
        raise UnavailableError(
            "enclave.keepers-away", "a record's keepers are away, and cannot confirm it", hint="it is tried again"
        )
