"""From a PLINK file set to one record for each of its people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from nebula.genome.calls import Calls
from nebula.genome.chromosomes import NAMES
from nebula.genome.imported import ImportedCohort
from nebula.genome.matrix import PackedMatrix
from nebula.genome.plink.alleles import find_reference_alleles
from nebula.genome.plink.files import KIND
from nebula.genome.plink.genotypes import open_genotypes
from nebula.genome.plink.notes import notes_of
from nebula.genome.plink.people import read_people
from nebula.genome.plink.single_copies import with_single_copies
from nebula.genome.plink.sites import read_sites
from nebula.genome.plink.verdicts import Verdict
from nebula.genome.texts import Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.panel import Panel
    from nebula.genome.plink.files import PlinkFiles
    from nebula.genome.plink.genotypes import Genotypes
    from nebula.genome.plink.people import People
    from nebula.genome.plink.sites import Sites
    from nebula.genome.plink.verdicts import Alleles
    from nebula.genome.reference import Reference
    from nebula.genome.vcf.overlooked import Overlooked

_DUPLICATE = "duplicate-variant"


def import_plink(
    files: PlinkFiles, panel: Panel, *, reference: Reference | None = None, lenient: bool = False
) -> ImportedCohort:
    """Read a PLINK file set of one or many people onto a panel.

    Args:
        files: the three open files.
        panel: whose sites the analysis vectors are of; it tells which allele is REF.
        reference: tells REF beyond the panel too, and holds what the panel says against it.
        lenient: whether a variant that stands twice is kept once if both say the same, and else left out.

    Raises:
        RejectedInputError: ``plink.*`` with file, line or offset, and what is expected.
    """
    people, sites = read_people(files.people), read_sites(files.sites)
    genotypes = open_genotypes(files.genotypes, sites, people)
    found = find_reference_alleles(files.sites, sites, panel=panel, assembly=panel.assembly, reference=reference)
    rows = found.kept()
    if not len(rows):
        files.sites.refuse("no-sites", "of no site it is known which allele is REF", hint="give --reference GENOME.fa")
    calls = _calls(files, people, sites, found, genotypes)
    repeated: tuple[Overlooked, ...] = ()
    empty = 0
    if lenient:
        calls, repeated = calls.without_repetitions()
        repeated = tuple(msgspec.structs.replace(one, code=f"{KIND}.{_DUPLICATE}") for one in repeated)
    else:
        calls, empty = _without_empty_repetitions(files, calls)
    calls, contradicted = with_single_copies(calls, people, panel.assembly)
    notes = notes_of(people, found, calls, contradicted=contradicted, empty=empty)
    proof = f"the files do not say it; at {len(rows):,} of {len(sites):,} sites the panel or the reference tells REF"
    return ImportedCohort(
        calls, panel, format_name=genotypes.format_name, assembly_by=proof, notes=notes, overlooked=repeated
    )


def _calls(files: PlinkFiles, people: People, sites: Sites, found: Alleles, genotypes: Genotypes) -> Calls:
    rows = found.kept()
    first_is_reference = found.verdicts[rows] == Verdict.FIRST
    codes = genotypes.read(rows, a1_is_reference=first_is_reference)
    _check_named(files, sites, rows, first_is_reference, codes)
    pos, reference, alternate, key = zip(*(found.oriented(row) for row in rows.tolist()), strict=True)
    nothing = np.zeros(0, np.int32)
    return Calls(
        samples=people.names,
        contigs=list(NAMES[1:]),
        filters=sites.filters,
        contig=sites.chromosome[rows].astype(np.uint16) - 1,
        pos=np.array(pos, np.int32),
        key=np.array(key, np.uint64),
        reference=Texts.of(list(reference)),
        alternate=Texts.of(list(alternate)),
        filter=sites.filter[rows],
        codes=codes,
        forms=PackedMatrix(np.zeros_like(codes.packed), len(people)),
        depth=nothing,
        quality=nothing,
        blocks=np.zeros((0, 5), np.int64),
        line=(rows + sites.first_line).astype(np.uint32),
    )


def _check_named(
    files: PlinkFiles,
    sites: Sites,
    rows: NDArray[np.int64],
    first_is_reference: NDArray[np.bool_],
    codes: PackedMatrix,
) -> None:
    """Where an allele is not named, nobody may carry it."""
    unnamed_first = np.array([not sites.first[row] for row in rows.tolist()], np.bool_)
    unnamed_second = np.array([not sites.second[row] for row in rows.tolist()], np.bool_)
    asked = np.flatnonzero(unnamed_first | unnamed_second)
    counts = codes.select_variants(asked).counts()
    reference_unnamed = np.where(first_is_reference, unnamed_first, unnamed_second)[asked]
    carriers = counts[:, 1] + np.where(reference_unnamed, counts[:, 0], counts[:, 2])
    if carriers.any():
        row = int(rows[asked[np.flatnonzero(carriers)[0]]])
        files.sites.refuse(
            "allele",
            f"line {sites.line(row)} does not name an allele that people in {files.genotypes.name} carry",
            hint="the file is another set's, or damaged",
        )


def _without_empty_repetitions(files: PlinkFiles, calls: Calls) -> tuple[Calls, int]:
    """Keep one row of a variant that stands several times if nobody carries it; return how many went.

    Raises:
        RejectedInputError: ``plink.duplicate-variant``; somebody carries it, and the rows may contradict each other.
    """
    rows: dict[tuple[int, str, str], int] = {}
    again: list[int] = []
    repeated = np.isin(calls.key, _twice(calls.key))
    for row in np.flatnonzero(repeated).tolist():
        variant = int(calls.key[row]), calls.reference[row], calls.alternate[row]
        first = rows.setdefault(variant, row)
        if first == row:
            continue
        if calls.codes.select_variants([first, row]).counts()[:, 1:3].any():
            files.sites.refuse(
                _DUPLICATE,
                f"lines {calls.line[first]} and {calls.line[row]} are one variant",
                hint="`plink2 --bfile NAME --rm-dup force-first --make-bed --out NEW` keeps the first; --lenient keeps"
                " one where both say the same of everyone",
            )
        again.append(row)
    return (calls.take(np.setdiff1d(np.arange(calls.rows), again)) if again else calls), len(again)


def _twice(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    ordered = np.sort(keys)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
