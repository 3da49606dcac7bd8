"""Step 8: the keepers' shares, a page of records at a time.

A record needs shares from ``threshold`` keepers that mean the same manifest. Bundles stay sealed until the record is
read; only then is each opened, as many as are needed, so that a record's keys exist for the time of its reading.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from nebula.enclave.keepers import Answers, Keepers
from nebula.enclave.session import Session
from nebula.protocol.errors import IntegrityError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, Hash32
from nebula.protocol.messages import RELEASE, RELEASE_PAGE, ReleaseAnswer, ReleasedShares, ReleaseRequest
from nebula.protocol.record import SHARES_INFO, ShareBundle, parse_bundle, release_context
from nebula.protocol.sealing import open_sealed


class Dropped(StrEnum):
    """Why a record left a run. Published as counts, never with a record."""

    REFUSED = "refused"  # by its owner's consent, or too few keepers hold it
    UNREADABLE = "unreadable"  # missing, altered, malformed
    NOT_IN_COHORT = "not-in-cohort"  # conditions not met, or the trait or a covariate missing
    WITHDRAWN = "withdrawn"  # while the run was on


@dataclass(frozen=True, slots=True)
class ReleasedRecord:
    """A record that enough keepers released, its shares still sealed to the session, by keeper."""

    record: Address
    commitment: Hash32
    locations: tuple[str, ...]
    sealed: dict[Address, bytes]

    def open_bundle(self, keeper: Address, session: Session) -> ShareBundle:
        """Open one keeper's shares.

        Raises:
            IntegrityError: they do not open, or belong to another record.
            RejectedInputError: they are malformed.
        """
        context = release_context(
            self.record, self.commitment, keeper=keeper, session=session.keys.address, run=session.evidence.run
        )
        raw = open_sealed(session.keys.sealing, self.sealed[keeper], info=SHARES_INFO, aad=context)
        bundle = parse_bundle(raw.reveal())
        if (bundle.record, bundle.manifest_commitment) != (self.record, self.commitment):
            raise IntegrityError("enclave.bundle", "a keeper released the shares of another record")
        return bundle


@dataclass(frozen=True, slots=True)
class Release:
    """All that was released, in the order of the records' ids, and how many records were not."""

    records: tuple[ReleasedRecord, ...]
    dropped: Counter[Dropped]


def release_records(session: Session, keepers: Keepers, records: Sequence[Address]) -> Release:
    """Ask the keepers that voted for the shares of all records, which ascend.

    Raises:
        NebulaError: too few keepers answer.
    """
    study = session.evidence.study
    released: list[ReleasedRecord] = []
    for start in range(0, len(records), RELEASE_PAGE):
        page = tuple(records[start : start + RELEASE_PAGE])
        question = ReleaseRequest(study=study_id(study), run=session.evidence.run, records=page)
        answers = keepers.ask(RELEASE, question, ReleaseAnswer, keepers=session.voters)
        released += _agreed(page, answers.require(study.keeper_threshold), study.keeper_threshold)
        keepers.host.progress("releasing", start + len(page), len(records))
    return Release(tuple(released), Counter({Dropped.REFUSED: len(records) - len(released)}))


def _agreed(page: Sequence[Address], answers: Answers[ReleaseAnswer], threshold: int) -> Iterator[ReleasedRecord]:
    """Yield the records that enough keepers released with the same manifest."""
    offers: dict[Address, dict[Hash32, dict[Address, ReleasedShares]]] = defaultdict(lambda: defaultdict(dict))
    for keeper, answer in answers.given.items():
        for shares in answer.released:
            offers[shares.record][shares.manifest_commitment].setdefault(keeper, shares)
    for record in page:
        for commitment, by_keeper in offers[record].items():
            if len(by_keeper) >= threshold:
                locations = tuple(dict.fromkeys(shares.manifest_location for shares in by_keeper.values()))
                sealed = {keeper: shares.sealed for keeper, shares in by_keeper.items()}
                yield ReleasedRecord(record, commitment, locations, sealed)
                break
