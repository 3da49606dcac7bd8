"""Which records would take part? Each keeper answers for itself; the hub only counts the answers.

The hub never needs a policy. A record is a candidate when at least as many keepers as the study's
threshold would release it: with fewer its key cannot be put together.
"""

import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from nebula.protocol.errors import UnavailableError
from nebula.protocol.ids import Address
from nebula.protocol.messages import MATCH, MATCH_PAGE, MatchAnswer, MatchRequest
from nebula.protocol.study import StudyDocument
from nebula.transport.client import Peer

COUNT_FLOOR = 100
COUNT_STEP = 50


@dataclass(frozen=True, slots=True)
class Matching:
    """Who would take part, and of the others only counts by reason (of the keeper that refused most)."""

    records: tuple[Address, ...]
    refused: dict[str, int]


def match(study: StudyDocument, keepers: Sequence[Peer], *, threshold: int) -> Matching:
    """Ask every keeper and return the records that enough of them would release.

    Raises:
        UnavailableError: fewer keepers answer than the threshold.
    """
    votes: Counter[Address] = Counter()
    refused: dict[str, int] = {}
    away: list[str] = []
    for keeper in keepers:
        try:
            records, reasons = _ask(study, keeper)
        except UnavailableError:
            away.append(keeper.address)
            continue
        votes.update(records)
        for reason, count in reasons.items():
            refused[reason] = max(count, refused.get(reason, 0))
    if len(keepers) - len(away) < threshold:
        raise UnavailableError(
            "hub.keepers",
            f"only {len(keepers) - len(away)} of {len(keepers)} keepers answer, and {threshold} are needed",
            hint="nothing is lost; the run goes on when they are back",
        )
    return Matching(tuple(sorted(record for record, count in votes.items() if count >= threshold)), refused)


def choose(
    records: Sequence[Address], study: StudyDocument, *, before: Collection[Address] = ()
) -> tuple[Address, ...]:
    """Return at most as many records as the buyer paid for, ascending.

    Those chosen ``before`` stay: each that takes part pays for it with its privacy budget. The others are drawn by
    chance: nobody is favoured by their id.
    """
    if len(records) <= study.max_records:
        return tuple(records)
    chance = random.SystemRandom()
    staying, others = set(before).intersection(records), set(records).difference(before)
    kept = chance.sample(sorted(staying), min(len(staying), study.max_records))
    return tuple(sorted((*kept, *chance.sample(sorted(others), study.max_records - len(kept)))))


def thresholded(count: int) -> str:
    """Return a count as a buyer may see it before paying: rounded down, and never a small number."""
    if count < COUNT_FLOOR:
        return f"fewer than {COUNT_FLOOR}"
    return f"{count // COUNT_STEP * COUNT_STEP:,} or more"


def highest_told_alike(count: int) -> int:
    """Return the highest count of which :func:`thresholded` says the same."""
    return COUNT_FLOOR - 1 if count < COUNT_FLOOR else count - count % COUNT_STEP + COUNT_STEP - 1


def _ask(study: StudyDocument, keeper: Peer) -> tuple[list[Address], Counter[str]]:
    records: list[Address] = []
    reasons: Counter[str] = Counter()
    after: Address | None = None
    while True:
        answer = keeper.ask(MATCH, MatchRequest(study=study, after=after, limit=MATCH_PAGE), MatchAnswer)
        records.extend(answer.records)
        reasons.update(answer.refused)
        if answer.next_after is None:
            return records, reasons
        if after is not None and answer.next_after <= after:
            raise UnavailableError("hub.keeper-pages", f"keeper {keeper.address} does not get on with its pages")
        after = answer.next_after
