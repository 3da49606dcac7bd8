"""Step 10, for exact results: no cohort may differ from an earlier one of the same buyer in a few people only.

Who is in a cohort, only the enclave knows; what was there before it came, it must be told. So every session leaves its
cohort with the keepers, encrypted under a key that it deals to them, and reads what earlier ones left:
(1) read all earlier cohorts and compare; (2) leave this one, with as many keepers as a key needs; (3) read what others
left in the meantime and compare again; only then may a result leave.

SECURITY: at most t - 1 keepers lie, and the host loses what it likes. An earlier cohort counts when t keepers voted
for its session or hold it: so one is honest. It may be passed over when so few can hold it that its session never came
to (3). Where that cannot be told, because keepers are silent, the run waits.

Noised results are the budget's business; but how many people they are about is exact, so where conditions choose the
people, their cohorts count like all others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from numpy.typing import NDArray

from nebula.disclosure.differencing import check_differencing, cohort_members
from nebula.enclave.keepers import Keepers
from nebula.enclave.session import Session
from nebula.protocol.errors import IntegrityError, NebulaError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.ids import Address, Hash32, to_bytes, to_hex
from nebula.protocol.messages import (
    COHORT_PIECE,
    COHORTS,
    KEEP_COHORT,
    Accepted,
    CohortNote,
    CohortsAnswer,
    CohortsRequest,
    KeepCohortRequest,
    KeptCohort,
)
from nebula.protocol.receipt import Evidence
from nebula.protocol.record import COHORT_INFO, cohort_context
from nebula.protocol.sealing import open_sealed, seal
from nebula.protocol.secrets import SecretBytes
from nebula.protocol.session_vote import check_vote, evidence_digest
from nebula.protocol.sharing import Share, combine_checked, deal, key_digest
from nebula.protocol.signed_by_control_key import UNSIGNED, check_document, sign_document
from nebula.protocol.signing import keccak256
from nebula.protocol.study import ResultClass

Members = NDArray[np.uint64]

MAX_PAGES = 10_000
"""How long one keeper is listened to: 80,000 pieces, each of a quarter of a million people."""


def check_difference(session: Session, keepers: Keepers, records: tuple[Address, ...]) -> None:
    """Compare a cohort with all earlier ones of its buyer, and leave it for later ones.

    Raises:
        NotPermittedError: ``disclosure.differencing``.
        UnavailableError: too few keepers answer, or an earlier cohort cannot be read without those that are silent.
    """
    study = session.evidence.study
    if study.result_class is ResultClass.NOISED and not study.conditions:
        return
    key = keccak256(b"nebula/cohort-member/1\x00" + study.buyer.encode())
    members = cohort_members(map(to_bytes, records), key)
    earlier = EarlierCohorts(session, keepers)
    check_differencing(members, earlier.read())
    leave_cohort(session, keepers, members)
    check_differencing(members, earlier.read())


def leave_cohort(session: Session, keepers: Keepers, members: Members) -> None:
    """Leave a cohort with the keepers.

    Raises:
        UnavailableError: too few of them take it.
    """
    evidence = session.evidence
    places = {keeper: place for place, keeper in enumerate(evidence.study.keepers)}
    key, shares = deal(evidence.study.keeper_threshold, len(places))
    pieces = [members[start : start + COHORT_PIECE] for start in range(0, len(members), COHORT_PIECE)]
    for piece, content in enumerate(pieces):
        note = CohortNote(
            session=evidence.session,
            votes=session.votes,
            piece=piece,
            pieces=len(pieces),
            key_digest=to_hex(key_digest(key)),
            ciphertext=_cipher(key).encrypt(_nonce(piece), content.astype("<u8").tobytes(), None),
            signature=UNSIGNED,
        )
        signed = sign_document(note, session.keys.signing)
        questions = {
            keeper: KeepCohortRequest(
                study=study_id(evidence.study),
                run=evidence.run,
                note=signed,
                sealed_share=seal(
                    session.keeper_keys[keeper],
                    shares[places[keeper]].value,
                    info=COHORT_INFO,
                    aad=cohort_context(evidence.session, keeper=keeper, reader=keeper),
                ),
            )
            for keeper in session.voters
        }
        keepers.ask_each(KEEP_COHORT, questions, Accepted).require(evidence.study.keeper_threshold)


@dataclass(slots=True)
class _Left:
    """One piece of an earlier cohort. ``sealed``: shares of its key, by the keeper that holds it."""

    evidence: Evidence
    note: CohortNote
    vouching: set[Address]
    sealed: dict[Address, bytes] = field(default_factory=dict)


_Pieces = dict[int, _Left]


@dataclass(slots=True)
class EarlierCohorts:
    """What earlier sessions of the buyer left, as far as it was read. Keepers are asked for what is new only."""

    session: Session
    keepers: Keepers
    _after: dict[Address, int] = field(default_factory=dict)
    _found: dict[Hash32, _Pieces] = field(default_factory=dict)
    _silent: set[Address] = field(default_factory=set)

    def read(self) -> Iterator[Members]:
        """Yield every cohort from which a result may have left.

        Raises:
            UnavailableError: too few keepers answer, or one such cohort cannot be read now.
        """
        self._ask()
        for pieces in self._found.values():
            cohort = self._open(pieces)
            if cohort is not None:
                yield cohort

    def _ask(self) -> None:
        study = self.session.evidence.study
        asking = set(self.session.voters)
        finished: set[Address] = set()
        for _ in range(MAX_PAGES):
            questions = {keeper: self._question(keeper) for keeper in sorted(asking)}
            answers = self.keepers.ask_each(COHORTS, questions, CohortsAnswer)
            if len(answers.given.keys() | finished) < study.keeper_threshold:
                answers.require(study.keeper_threshold)
            asking = set()
            for keeper, answer in answers.given.items():
                for kept in answer.kept:
                    self._note_down(keeper, kept)
                gets_on = answer.last > self._after.get(keeper, 0)
                self._after[keeper] = max(answer.last, self._after.get(keeper, 0))
                if not answer.more:
                    finished.add(keeper)
                elif gets_on:
                    asking.add(keeper)
            if not asking:
                break
        self._silent = set(study.keepers) - finished

    def _question(self, keeper: Address) -> CohortsRequest:
        evidence = self.session.evidence
        return CohortsRequest(study=study_id(evidence.study), run=evidence.run, after=self._after.get(keeper, 0))

    def _note_down(self, keeper: Address, kept: KeptCohort) -> None:
        """Believe of one keeper's word what others signed: the session its note, keepers their votes."""
        evidence, note = kept.evidence, kept.note
        try:
            check_document(note, evidence.session)
        except NebulaError:
            return
        if note.session != evidence.session or evidence.study.buyer != self.session.evidence.study.buyer:
            return
        pieces = self._found.setdefault(evidence_digest(evidence), {})
        left = pieces.setdefault(note.piece, _Left(evidence, note, self._voters(evidence, note)))
        left.vouching.add(keeper)
        left.sealed[keeper] = kept.sealed_share

    def _voters(self, evidence: Evidence, note: CohortNote) -> set[Address]:
        voters = set()
        for vote in note.votes:
            try:
                voters.add(check_vote(vote, evidence, self.session.sessions))
            except NebulaError:
                continue
        return voters & set(self.session.evidence.study.keepers)

    def _open(self, pieces: _Pieces) -> Members | None:
        """Return a cohort; None where no result can have left, or nobody honest knows of it."""
        genuine = {
            place: left
            for place, left in pieces.items()
            if len(left.vouching) >= self.session.evidence.study.keeper_threshold
        }
        if not genuine:
            return None
        some = next(iter(genuine.values()))
        found = [genuine.get(place) for place in range(some.note.pieces)]
        if any(len(self._possible_holders(some.evidence, left)) < _needed(some.evidence) for left in found):
            return None
        return np.concatenate([self._decrypt(left) for left in found])

    def _possible_holders(self, evidence: Evidence, left: _Left | None) -> set[Address]:
        holders = set(left.sealed) if left is not None else set()
        # Keepers of that study which this one does not name cannot be asked.
        unasked = set(evidence.study.keepers) - set(self.session.evidence.study.keepers)
        return (holders | self._silent | unasked) & set(evidence.study.keepers)

    def _decrypt(self, left: _Left | None) -> Members:
        if left is None:
            raise _unreadable()
        places = {keeper: place for place, keeper in enumerate(left.evidence.study.keepers)}
        shares = list(self._shares(left, places))
        try:
            key = combine_checked(shares, _needed(left.evidence), to_bytes(left.note.key_digest)).key
        except NebulaError as error:
            raise _unreadable() from error
        try:
            raw = _cipher(key).decrypt(_nonce(left.note.piece), left.note.ciphertext, None)
        except InvalidTag as error:
            raise IntegrityError("enclave.earlier-cohort", "an earlier session left a cohort that is none") from error
        return np.frombuffer(raw[: len(raw) // 8 * 8], dtype="<u8").astype(np.uint64)

    def _shares(self, left: _Left, places: Mapping[Address, int]) -> Iterator[Share]:
        me = self.session.evidence.session
        for keeper in sorted(left.sealed.keys() & places.keys()):
            context = cohort_context(left.note.session, keeper=keeper, reader=me)
            try:
                value = open_sealed(self.session.keys.sealing, left.sealed[keeper], info=COHORT_INFO, aad=context)
                yield Share(places[keeper] + 1, value)
            except NebulaError:
                continue


def _needed(evidence: Evidence) -> int:
    return evidence.study.keeper_threshold


def _cipher(key: SecretBytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(key.reveal())


def _nonce(piece: int) -> bytes:
    """A key is dealt for one cohort, so its pieces' numbers are nonces enough."""
    return piece.to_bytes(12, "big")


def _unreadable() -> UnavailableError:
    return UnavailableError(
        "enclave.earlier-cohort",
        "an earlier cohort of this buyer cannot be read, because keepers that know of it are away",
        hint="the run goes on when they are back",
    )
