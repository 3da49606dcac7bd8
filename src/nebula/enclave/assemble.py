"""Step 9: read every record, choose the cohort, and lay the genotypes side by side."""

from __future__ import annotations

import os
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.parameters import analysed_columns
from nebula.enclave.cohort import choose_cohort
from nebula.enclave.columns import PhenotypeColumns
from nebula.enclave.release import Dropped
from nebula.genome.assembly import Assembly
from nebula.genome.private import assemble_private
from nebula.protocol.errors import NebulaError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nebula.analysis.parameters import Parameters
    from nebula.analysis.scoring_file import ScoreVariant
    from nebula.enclave.host_pipe import Host
    from nebula.enclave.read_record import Content, Owner, ReadRecord, RecordReader
    from nebula.enclave.release import ReleasedRecord
    from nebula.genome.panel import Panel
    from nebula.genome.private import PrivateVariants
    from nebula.protocol.ids import Address
    from nebula.protocol.study import StudyDocument

MAX_THREADS = 16
PROGRESS_EVERY = 100


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The people that a result is about: column i of everything in ``input`` is ``records[i]``."""

    records: tuple[Address, ...]
    owners: tuple[Owner, ...]
    input: CohortInput

    def without(self, refused: frozenset[Address]) -> Cohort:
        """Leave records out."""
        kept = np.array([i for i, record in enumerate(self.records) if record not in refused], dtype=np.int64)
        return Cohort(
            tuple(self.records[i] for i in kept),
            tuple(self.owners[i] for i in kept),
            self.input.select_people(kept),
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What could be read, and what not. ``away``: some of it may be readable later.

    ``genotypes`` and ``phenotypes``: of ``records``, in their order.
    """

    records: tuple[ReadRecord, ...]
    genotypes: Assembly
    phenotypes: PhenotypeColumns
    dropped: Counter[Dropped]
    away: bool


def read_records(
    released: Sequence[ReleasedRecord], reader: RecordReader, host: Host, *, columns: Iterable[str] | None
) -> Reading:
    """Read all records that were released, many at a time; one that cannot be used drops out.

    Genotypes and phenotypes are laid side by side as they come: beside the matrix and the columns asked for, only a
    few hundred people's are held.

    Args:
        released: the records and their shares.
        reader: of the run.
        host: who hears of progress.
        columns: the phenotypes to keep; None for all.
    """
    read: list[ReadRecord] = []
    genotypes, phenotypes = Assembly(reader.panel, len(released)), PhenotypeColumns(columns)
    away = 0
    with ThreadPoolExecutor(min(MAX_THREADS, 2 * (os.cpu_count() or 1))) as pool:
        outcomes = pool.map(lambda one: _read(reader, one), released)
        for done, outcome in enumerate(outcomes, start=1):
            if isinstance(outcome, BaseException):
                away += isinstance(outcome, UnavailableError)
            else:
                record, content = outcome
                genotypes.add(content.codes)
                phenotypes.add(content.phenotypes)
                read.append(record)
            if done % PROGRESS_EVERY == 0 or done == len(released):
                host.progress("assembling", done, len(released))
    dropped = Counter({Dropped.UNREADABLE: len(released) - len(read)})
    return Reading(tuple(read), genotypes, phenotypes, dropped, away > 0)


def _read(reader: RecordReader, released: ReleasedRecord) -> tuple[ReadRecord, Content] | Exception:
    try:
        return reader.read(released)
    except NebulaError as error:
        return error
    except Exception as error:  # noqa: BLE001
        # SECURITY: a record is a stranger's bytes, and this is its edge: a parser that trips over them must not
        # take the run down. The type is all that is told; a message could hold what the record says.
        sys.stderr.write(f"a record was dropped by {type(error).__name__}\n")
        return error


def form_cohort(
    reading: Reading,
    study: StudyDocument,
    parameters: Parameters,
    panel: Panel,
    score: tuple[ScoreVariant, ...] | None = None,
) -> Cohort:
    """Choose who belongs to the cohort and keep their genotypes. The reading cannot be used again.

    Args:
        reading: of the run.
        study: whose conditions hold.
        parameters: of the study, parsed.
        panel: of the study.
        score: the variants of the score's object, where the parameters name one.

    Raises:
        RejectedInputError: a column cannot be analysed.
    """
    members, columns = choose_cohort(reading.phenotypes, study.conditions, analysed_columns(parameters))
    chosen = [reading.records[i] for i in members]
    matrix = reading.genotypes.finish(members)
    return Cohort(
        tuple(record.record for record in chosen),
        tuple(record.owner for record in chosen),
        CohortInput(matrix, Sites.of_panel(panel), columns, panel.assembly, _private(chosen), score),
    )


def _private(chosen: Sequence[ReadRecord]) -> PrivateVariants | None:
    """Everybody's variants off the panel; None where the analysis needs none."""
    vectors = [record.private for record in chosen if record.private is not None]
    return assemble_private(vectors) if vectors else None
