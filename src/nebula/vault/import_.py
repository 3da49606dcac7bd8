"""Bring a genome file in: read, standardise, encrypt, put on storage, note in the vault.

The whole file is read and checked before the first object is put, so a bad file leaves nothing behind. A
cohort's people are put in pages; a page is noted in one transaction after its objects are on storage, and
people who are in the vault already, by their sample name and with the same data, are left alone: an interrupted
import is gone on with by doing it again.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import Engine

from nebula.clinical.phenotypes import PhenotypeTable
from nebula.database import reading, writing
from nebula.genome.imported import ImportedCohort, ImportedGenome, ImportReport
from nebula.protocol.consent import ConsentPolicy
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.ids import Address
from nebula.protocol.keys import OwnerKeys
from nebula.protocol.study import PartKind
from nebula.storage import Storage
from nebula.vault import state
from nebula.vault.files import open_file
from nebula.vault.known import check_same
from nebula.vault.parts import PlainPart, StoredRecord, store_record
from nebula.vault.reading import Progress
from nebula.vault.state import Record, Stage

PAGE = 100
WRITERS = 8
"""People whose objects are put at the same time: a disk that has to sync for one syncs for all."""

_OTHER_DONOR = "if it is about another person, give that sample another name: `bcftools reheader --samples`"
_OTHER_PERSON = "if it is about another person, --label NAME makes a record of its own"

PolicyOf = Callable[[Address, str], ConsentPolicy]
"""The first policy of a record, given its id and the sample's name."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of an import: how many are new, how many were there already, and how the first one was understood."""

    new: int
    known: int
    report: ImportReport


@dataclass(frozen=True, slots=True)
class Vault:
    """One opened vault: its tables, its owner's keys, its storage."""

    engine: Engine
    owner: OwnerKeys
    storage: Storage


def import_donors(
    vault: Vault,
    genomes: ImportedCohort,
    phenotypes: Mapping[str, PhenotypeTable],
    *,
    policy_of: PolicyOf,
    progress: Progress = lambda _done: None,
) -> Imported:
    """Make one record per person of a cohort, each with keys and consent of its own.

    Args:
        vault: the custodian's.
        genomes: read and checked.
        phenotypes: by sample name; who has none gets a record of genotypes alone.
        policy_of: each donor's first policy.
        progress: called with how many people are done.

    Raises:
        RejectedInputError: somebody of that name is in the vault already, with other data; nothing is stored.
    """
    with reading(vault.engine) as connection:
        there = {record.label: record for record in state.every_record(connection)}
        donor = state.next_donor(connection)
    _check_known(vault, genomes, phenotypes, there)
    people = [person for person, sample in enumerate(genomes.samples) if sample not in there]
    with ThreadPoolExecutor(WRITERS) as pool:
        for start in range(0, len(people), PAGE):
            storing = []
            for place, person in enumerate(people[start : start + PAGE], start=donor + start):
                genome = genomes.genome(person)
                table = phenotypes.get(genome.sample)
                storing.append(pool.submit(_record, vault, genome, table, (place, 0), policy_of))
            page = [stored.result() for stored in storing]
            with writing(vault.engine) as connection:
                state.add_records(connection, page)
            progress(start + len(page))
    return Imported(len(people), len(genomes) - len(people), genomes.report(0))


def _check_known(
    vault: Vault, genomes: ImportedCohort, phenotypes: Mapping[str, PhenotypeTable], there: Mapping[str, Record]
) -> None:
    def check(person: int) -> None:
        genome = genomes.genome(person)
        parts = list(_parts(genome, phenotypes.get(genome.sample)))
        check_same(vault.owner, there[genome.sample], parts, hint=_OTHER_DONOR)

    known = [person for person, sample in enumerate(genomes.samples) if sample in there]
    with ThreadPoolExecutor(WRITERS) as pool:
        for _ in pool.map(check, known):
            pass


def check_one_person(genomes: ImportedCohort, *, name: str = "the file") -> None:
    """Make sure that a file, called by its name, can become one record.

    Raises:
        RejectedInputError: ``import.several``.
    """
    if len(genomes) != 1:
        raise RejectedInputError(
            "import.several",
            f"{name} has {len(genomes):,} people, and a record is about one",
            hint="`nebula custodian import FILE` makes a record for each",
        )


def import_own(
    vault: Vault,
    genomes: ImportedCohort,
    phenotypes: Mapping[str, PhenotypeTable],
    *,
    policy_of: PolicyOf,
    label: str | None = None,
    original: Path | None = None,
) -> Record:
    """Make the owner's own record of a file of one person; the one of that label, if there is one already.

    The ``original`` file, if it is named, is kept as it is, too.

    Raises:
        RejectedInputError: the file is about several people, or that label's record has other data.
    """
    check_one_person(genomes)
    genome = genomes.genome(0)
    if label is not None:
        genome = replace(genome, sample=label)
    with reading(vault.engine) as connection:
        known = state.records_called(connection, genome.sample)
        index = state.next_key_index(connection)
    if known:
        check_same(vault.owner, known[0], list(_parts(genome, phenotypes.get(genome.sample))), hint=_OTHER_PERSON)
        return known[0]
    with ExitStack() as files:
        kept = None if original is None else files.enter_context(open_file(original))
        record = _record(vault, genome, phenotypes.get(genome.sample), (None, index), policy_of, original=kept)
    with writing(vault.engine) as connection:
        state.add_records(connection, [record])
    return record


def _record(
    vault: Vault,
    genome: ImportedGenome,
    phenotypes: PhenotypeTable | None,
    place: tuple[int | None, int],
    policy_of: PolicyOf,
    *,
    original: BinaryIO | None = None,
) -> Record:
    donor, key_index = place
    keys = vault.owner if donor is None else vault.owner.donor(donor)
    control_key = keys.control_key(key_index)
    stored: StoredRecord = store_record(
        list(_parts(genome, phenotypes)),
        keys=keys,
        control_key=control_key,
        storage=vault.storage,
        label=genome.sample,
        original=original,
    )
    return Record(
        record=control_key.address,
        donor=donor,
        key_index=key_index,
        label=genome.sample,
        stage=Stage.STORED,
        version=1,
        manifest_location=stored.manifest_location,
        manifest_commitment=stored.commitment,
        mailbox=stored.manifest.mailbox,
        policy=policy_of(control_key.address, genome.sample),
    )


def _parts(genome: ImportedGenome, phenotypes: PhenotypeTable | None) -> Iterator[PlainPart]:
    panel, assembly = genome.report.panel, genome.report.assembly
    yield PlainPart(kind=PartKind.GENOTYPES, plaintext=genome.vector, assembly=assembly, panel=panel)
    yield PlainPart(kind=PartKind.VARIANTS, plaintext=genome.parquet, assembly=assembly)
    if phenotypes is not None:
        yield PlainPart(kind=PartKind.PHENOTYPES, plaintext=phenotypes.to_bytes())
