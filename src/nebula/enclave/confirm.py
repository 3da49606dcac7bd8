"""Step 10: before anything leaves, which records are still permitted, at the newest block?

Each keeper is asked about the records that it released. One keeper's no drops a record, and each record needs the
answers of as many keepers as it needed shares: at most t - 1 lie, so one honest keeper at least names every withdrawal.

SECURITY: keepers are asked about every record that was read, not about the cohort. The host sees the question, and who
is in the cohort is something that only the records' phenotypes say.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from nebula.enclave.keepers import Answers, Keepers
from nebula.enclave.release import ReleasedRecord
from nebula.enclave.session import Block, Session, agreed_block
from nebula.protocol.errors import UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address
from nebula.protocol.messages import (
    CONFIRM,
    DISCOVER,
    RELEASE_PAGE,
    ConfirmAnswer,
    ConfirmRequest,
    DiscoverRequest,
    Kind,
)

Records = tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The records that are no longer permitted, and the block that it was decided at."""

    refused: frozenset[Address]
    block: Block


def confirm_records(session: Session, keepers: Keepers, records: Sequence[ReleasedRecord]) -> Confirmation:
    """Ask every keeper that released anything whether its records may still be used.

    Raises:
        UnavailableError: too few keepers answer.
        NebulaError: too few keepers say anything but no to the whole study.
    """
    study, run = study_id(session.evidence.study), session.evidence.run

    def question(page: Records) -> ConfirmRequest:
        return ConfirmRequest(study=study, run=run, records=page)

    pages = []
    for done, page in enumerate(_ask(session, keepers, records, CONFIRM, question), start=1):
        pages.append(page)
        keepers.host.progress("confirming", min(done * RELEASE_PAGE, len(records)), len(records))
    return _together(pages)


def confirm_for_buyer(
    session: Session, keepers: Keepers, records: Sequence[ReleasedRecord], buyer: Address
) -> Confirmation:
    """Ask every keeper that released anything whether its records may be counted for a buyer, who may be any.

    Raises:
        UnavailableError: too few keepers answer.
        NebulaError: too few keepers say anything but no to this buyer, or to the whole study.
    """
    study, run = study_id(session.evidence.study), session.evidence.run

    def question(page: Records) -> DiscoverRequest:
        return DiscoverRequest(study=study, run=run, buyer=buyer, records=page)

    return _together(list(_ask(session, keepers, records, DISCOVER, question)))


def _ask(
    session: Session,
    keepers: Keepers,
    records: Sequence[ReleasedRecord],
    kind: Kind,
    question: Callable[[Records], ConfirmRequest | DiscoverRequest],
) -> Iterator[Confirmation]:
    threshold = session.evidence.study.keeper_threshold
    for start in range(0, len(records), RELEASE_PAGE):
        page = records[start : start + RELEASE_PAGE]
        released = {keeper: _released_by(keeper, page) for keeper in session.voters}
        asked = {keeper: question(found) for keeper, found in released.items() if found}
        answers = keepers.ask_each(kind, asked, ConfirmAnswer).require(threshold)
        _require_confirmed(page, answers, threshold)
        refused = frozenset(record for answer in answers.given.values() for record in answer.refused)
        yield Confirmation(refused, agreed_block(answers.given.values(), threshold))


def _together(pages: Sequence[Confirmation]) -> Confirmation:
    # Pages are asked one after the other: what holds for all of them holds at the oldest block.
    oldest = min((page.block for page in pages), key=lambda block: block.number)
    return Confirmation(frozenset().union(*(page.refused for page in pages)), oldest)


def _released_by(keeper: Address, page: Iterable[ReleasedRecord]) -> Records:
    return tuple(record.record for record in page if keeper in record.sealed)


def _require_confirmed(page: Iterable[ReleasedRecord], answers: Answers[ConfirmAnswer], threshold: int) -> None:
    if any(len(answers.given.keys() & record.sealed.keys()) < threshold for record in page):
        raise UnavailableError(
            "enclave.keepers-away", "a record's keepers are away, and cannot confirm it", hint="it is tried again"
        )
