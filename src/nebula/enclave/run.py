"""One run, from the order to its output: steps 6 to 13 of the protocol, in their order.

(1) The order is checked before any keeper is asked: analysis, parameters, parts, panel, result key, records. (2) A
session is opened. (3) Records are released, (4) read and assembled, (5) analysed. (6) Every keeper that voted confirms
the records; (7) while one is refused, the result is computed anew without it, and confirmed anew. (8) The cohort
differs from the buyer's earlier ones in nobody or in enough people. (9) The receipt is signed, and only what it commits
to leaves.

A discovery goes as far as (4); then it answers questions, see ``nebula.enclave.discover``.

SECURITY: an error leaves the enclave too. None may say how many records are in a cohort, or which.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from nebula.analysis.inputs import private_spans
from nebula.analysis.parameters import Discovery, Parameters, analysed_columns, parse_parameters
from nebula.analysis.score_object import MAX_SCORE_BYTES, parse_score
from nebula.analysis.score_parameters import ScoreWeights
from nebula.analysis.scoring_file import ScoreVariant
from nebula.attestation.quoting import Quoter
from nebula.disclosure.floors import smallest_cohort
from nebula.disclosure.release import Released
from nebula.enclave.analyse import analyse, bundle_result
from nebula.enclave.assemble import Cohort, Reading, form_cohort, read_records
from nebula.enclave.confirm import confirm_records
from nebula.enclave.discover import AnsweringSession, people_of, serve
from nebula.enclave.earlier_cohorts import check_difference
from nebula.enclave.host_pipe import Host
from nebula.enclave.keepers import Keepers
from nebula.enclave.keys import LyingKeepers
from nebula.enclave.order import read_candidates
from nebula.enclave.read_record import OpenStorage, RecordReader
from nebula.enclave.receipt import seal_result, settle_owners, sign_receipt, sign_statement
from nebula.enclave.release import Dropped, Release, ReleasedRecord, release_records
from nebula.enclave.session import Block, Session, SessionKeys, open_session
from nebula.genome.panel import Panel
from nebula.protocol.errors import IntegrityError, NotPermittedError, RejectedInputError, UnavailableError
from nebula.protocol.funding import study_id
from nebula.protocol.messages import RunOrder
from nebula.protocol.receipt import RunHead, RunOutput
from nebula.protocol.sealing import require_strong_key
from nebula.protocol.study import PartKind, StudyDocument
from nebula.protocol.typed_data import Domain
from nebula.protocol.worker import Start
from nebula.storage.reading import parse_location

MAX_PANEL_BYTES = 1 << 30
MAX_CONFIRMATIONS = 20


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the worker has around it: an untrusted host, a CPU that quotes, storage, a clock that may be wrong."""

    host: Host
    quoter: Quoter
    open_storage: OpenStorage
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class AssembledRun:
    """What a session has in its hands once records are read."""

    session: Session
    keepers: Keepers
    parameters: Parameters
    panel: Panel
    score: tuple[ScoreVariant, ...] | None
    release: Release
    reading: Reading

    @property
    def read(self) -> tuple[ReleasedRecord, ...]:
        """The records that could be read."""
        usable = {record.record for record in self.reading.records}
        return tuple(record for record in self.release.records if record.record in usable)


def run_order(start: Start, order: RunOrder, around: Surroundings) -> RunOutput:
    """Carry out a run order. A discovery ends by an error alone: it answers until its session is to be renewed.

    Raises:
        NebulaError: nothing leaves; UnavailableError where a later try may succeed.
    """
    made = assemble_run(start, order, around)
    session, keepers, parameters = made.session, made.keepers, made.parameters
    if isinstance(parameters, Discovery):
        people = people_of(made.reading, made.panel)
        serve(AnsweringSession(session, keepers, parameters, made.read, people, around.clock))
    cohort = form_cohort(made.reading, order.study, parameters, made.panel, made.score)
    total = len(made.release.records)
    around.host.progress("assembled", total, total)
    confirmed = _confirmed_result(session, keepers, cohort, made.read, parameters)
    dropped = made.release.dropped + made.reading.dropped + confirmed.dropped
    return _make_output(start, session, confirmed, dropped)


def assemble_run(start: Start, order: RunOrder, around: Surroundings) -> AssembledRun:
    """Carry an order out up to (4): a session is open, and its records are read.

    Raises:
        NebulaError: as for :func:`run_order`.
    """
    study = order.study
    parameters = check_order(order)
    panel = _read_panel(start, study, around.open_storage)
    score = _read_score(parameters, around.open_storage)
    records = read_candidates(around.host, most=study.max_records)
    keys = SessionKeys.generate()
    keepers = Keepers(around.host, keys.signing, around.clock)

    around.host.progress("attesting", 0, len(records))
    session = open_session(order, keepers, keys, around.quoter, Domain(study.chain_id, start.sessions_contract))
    release = release_records(session, keepers, records)
    _require_enough(len(release.records), study)
    around.host.progress("released", len(release.records), len(records))

    reader = RecordReader(session, panel, around.open_storage, LyingKeepers(), private_spans(parameters))
    reading = read_records(release.records, reader, around.host, columns=_columns(study, parameters))
    if reading.away and len(reading.records) < study.min_records:
        raise UnavailableError("enclave.storage-away", "too many records' storage is away", hint="it is tried again")
    _require_enough(len(reading.records), study)
    return AssembledRun(session, keepers, parameters, panel, score, release, reading)


def check_order(order: RunOrder) -> Parameters:
    """Return a study's parameters after making sure that it can be run, and a receipt settle it, at all.

    Raises:
        RejectedInputError: it cannot.
    """
    study = order.study
    parameters = parse_parameters(study.analysis, study.parameters)
    require_strong_key(study.result_key)
    if PartKind.GENOTYPES not in study.parts:
        raise RejectedInputError("run.parts", f"{study.analysis} needs genotypes")
    if (study.conditions or analysed_columns(parameters)) and PartKind.PHENOTYPES not in study.parts:
        raise RejectedInputError("run.parts", "the study names phenotypes, but does not ask for that part")
    if study.conditions and study.is_discovery:
        raise RejectedInputError("run.conditions", "a discovery has no conditions: each question brings its own")
    return parameters


@dataclass(frozen=True, slots=True)
class _Confirmed:
    cohort: Cohort
    released: Released
    block: Block
    dropped: Counter[Dropped]


def _confirmed_result(
    session: Session, keepers: Keepers, cohort: Cohort, read: tuple[ReleasedRecord, ...], parameters: Parameters
) -> _Confirmed:
    """Analyse and confirm until a confirmation refuses nobody who is still in."""
    study = session.evidence.study
    asked = len(read)
    for _ in range(MAX_CONFIRMATIONS):
        _require_enough(len(cohort.records), study)
        keepers.host.progress("analysing", 0, 1)
        released = analyse(study, parameters, cohort)
        keepers.host.progress("analysed", 1, 1)
        confirmation = confirm_records(session, keepers, read)
        kept = tuple(record for record in read if record.record not in confirmation.refused)
        if len(kept) == len(read):
            # Counted over all that was read, which the host knows: were only the cohort's withdrawals counted, it
            # would learn whether somebody who withdrew had been in the cohort.
            outside = len(read) - len(cohort.records)
            check_difference(session, keepers, cohort.records)
            dropped = Counter({Dropped.WITHDRAWN: asked - len(read), Dropped.NOT_IN_COHORT: outside})
            return _Confirmed(cohort, released, confirmation.block, dropped)
        read, cohort = kept, cohort.without(confirmation.refused)
    raise UnavailableError("enclave.unsettled", "consents change faster than the result can be computed")


def _make_output(start: Start, session: Session, confirmed: _Confirmed, counts: Counter[Dropped]) -> RunOutput:
    study = session.evidence.study
    bundle = bundle_result(study_id(study), session.evidence.run, confirmed.released)
    settlement = settle_owners(session, confirmed.cohort.records, confirmed.cohort.owners)
    studies = Domain(study.chain_id, start.studies_contract)
    signed = sign_receipt(
        session,
        settlement,
        bundle,
        block=confirmed.block,
        privacy_micro_rho=confirmed.released.micro_rho,
        studies=studies,
    )
    head = RunHead(
        signed=signed,
        evidence=session.evidence,
        statement=sign_statement(session, signed, settlement, counts, studies=studies),
        sealed_result=seal_result(bundle, session),
    )
    return RunOutput(head, settlement.payouts, settlement.leaves)


def _read_panel(start: Start, study: StudyDocument, open_storage: OpenStorage) -> Panel:
    # SECURITY: wherever the host has it from, the study's digest says whether it is the panel.
    url, name = parse_location(start.panel_location)
    panel = Panel.from_bytes(open_storage(url).get(name, max_bytes=MAX_PANEL_BYTES))
    if panel.panel_id != study.panel:
        raise IntegrityError("run.panel", "the host brought another panel than the study names")
    return panel


def _read_score(parameters: Parameters, open_storage: OpenStorage) -> tuple[ScoreVariant, ...] | None:
    """Read the score's object, where the parameters name one; its hash says whether it is the one."""
    if not isinstance(parameters, ScoreWeights) or parameters.score_object is None:
        return None
    url, name = parse_location(parameters.score_object.location)
    raw = open_storage(url).get(name, max_bytes=MAX_SCORE_BYTES)
    return parse_score(raw, parameters.score_object, parameters.build)


def _columns(study: StudyDocument, parameters: Parameters) -> set[str] | None:
    """The phenotypes that a run looks at; None for a discovery, whose questions name them one by one."""
    if isinstance(parameters, Discovery):
        return None
    return {condition.column for condition in study.conditions}.union(analysed_columns(parameters))


def _require_enough(records: int, study: StudyDocument) -> None:
    # SECURITY: one answer for every cohort below the floor, before anything is looked at that its people decide.
    # Otherwise a study over one person's data would tell by its errors whether there is such a person.
    needed = max(study.min_records, smallest_cohort(study))
    if records < needed:
        raise NotPermittedError(
            "run.too-few-records",
            f"fewer records can be used than the {needed:,} that the study needs at least",
            hint="nobody is charged; the escrow goes back to the buyer",
        )
