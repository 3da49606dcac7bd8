"""Read what somebody brings in: genomes, panels, tables of phenotypes. Nothing is kept of a file that is refused."""

from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from nebula.clinical.tsv import PhenotypeSheet, read_phenotypes
from nebula.genome.building import build_panel
from nebula.genome.imported import ImportedCohort
from nebula.genome.importing import import_genomes
from nebula.genome.inflate import Source
from nebula.genome.lift.chain import read_chain
from nebula.genome.panel import Panel
from nebula.genome.plink.building import build_plink_panel
from nebula.genome.plink.importing import import_plink
from nebula.genome.site_list import KIND as SITES
from nebula.genome.site_list import build_listed_panel, looks_like_site_list
from nebula.protocol.errors import RejectedInputError
from nebula.vault.files import open_file, open_reference
from nebula.vault.plink import is_plink, open_plink

T = TypeVar("T")

Progress = Callable[[int], None]


def read_genomes(
    file: Path,
    panel: Panel,
    *,
    reference: Path | None = None,
    chain: Path | None = None,
    lenient: bool = False,
    progress: Progress | None = None,
) -> ImportedCohort:
    """Read and check a whole genome file.

    Args:
        file: a VCF or BCF of one or many people, a consumer file of one, or the ``.bed`` or ``.pgen`` of a PLINK
            file set.
        panel: whose sites the analysis vectors are of.
        reference: the reference genome as FASTA, to check REF and left-align with; by its index, where one stands
            beside it.
        chain: a UCSC chain file, for files on another assembly; not for PLINK file sets.
        lenient: whether a file that breaks rules is read as far as it leaves no doubt, and the rest reported.
        progress: called with the bytes read so far.

    Raises:
        RejectedInputError: it is not there, or not valid; file, line, field and rule are named.
    """
    if chain is not None and is_plink(file):
        raise RejectedInputError(
            "plink.chain", f"{file.name}: a PLINK file set is not carried to another assembly", hint="give it as a VCF"
        )
    if not is_plink(file):
        with open_file(file) as opened:
            source = Source(opened, name=file.name, progress=progress)
            return read_source(source, panel, reference=reference, chain=chain, lenient=lenient)
    with ExitStack() as files:
        genome = None if reference is None else files.enter_context(open_reference(reference))
        opened_set = files.enter_context(open_plink(file, progress=progress))
        return import_plink(opened_set, panel, reference=genome, lenient=lenient)


def read_source(
    source: Source, panel: Panel, *, reference: Path | None = None, chain: Path | None = None, lenient: bool = False
) -> ImportedCohort:
    """Read and check an open VCF, BCF or consumer file; see :func:`read_genomes`.

    Raises:
        RejectedInputError: it is not valid; or ``genome.nothing-left``, which says what became of its variants.
    """
    carrying = None if chain is None else _read_with(chain, read_chain, kind="chain")
    with ExitStack() as files:
        genome = None if reference is None else files.enter_context(open_reference(reference))
        genomes = import_genomes(source, panel, reference=genome, chain=carrying, lenient=lenient)
    if genomes.says_nothing():
        source.refuse(
            "nothing-left",
            "; ".join(("nothing of it can be used on this panel", *genomes.notes)),
            hint="give --reference GENOME.fa.gz, the reference genome of the panel, or choose another panel",
        )
    return genomes


def read_panel(
    file: Path,
    *,
    name: str,
    version: str = "1",
    assembly: str | None = None,
    reference: Path | None = None,
    lenient: bool = False,
    progress: Progress | None = None,
) -> Panel:
    """Build a panel from a list of sites, from those of a VCF, or of a PLINK file set.

    The reference genome is what REF alleles are held against; of a PLINK file set nothing else tells them.

    Raises:
        RejectedInputError: the file is not there, or not valid.
    """
    with ExitStack() as files:
        genome = None if reference is None else files.enter_context(open_reference(reference))
        if is_plink(file):
            opened_set = files.enter_context(open_plink(file, progress=progress))
            return build_plink_panel(opened_set, name=name, version=version, assembly=assembly, reference=genome)
        opened = files.enter_context(open_file(file))
        is_list = looks_like_site_list(next(Source(opened, name=file.name).pieces()))
        opened.seek(0)
        source = Source(opened, name=file.name, kind=SITES if is_list else "vcf", progress=progress)
        if is_list:
            return build_listed_panel(source, name=name, version=version, assembly=assembly, reference=genome)
        return build_panel(source, name=name, version=version, assembly=assembly, reference=genome, lenient=lenient)


def read_phenotype_table(file: Path, samples: list[str], *, wanted: Collection[str] | None = None) -> PhenotypeSheet:
    """Read the phenotypes of the people of a genome file: the wanted columns, or all that can be phenotypes."""
    with open_file(file) as opened:
        return read_phenotypes(opened, samples=samples, name=file.name, wanted=wanted)


def _read_with(file: Path, read: Callable[[Source], T], *, kind: str) -> T:
    with open_file(file) as opened:
        return read(Source(opened, name=file.name, kind=kind))
