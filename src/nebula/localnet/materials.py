"""What a story is made of: the people's genome and phenotype files, given or made up.

``check_files`` finds out in a moment what would stop the story later, before any process is started.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nebula.clinical.phenotypes import PhenotypeTable
from nebula.clinical.tsv import ColumnReport, PhenotypeSheet
from nebula.genome.building import build_panel
from nebula.genome.imported import ImportedCohort
from nebula.genome.inflate import Source
from nebula.genome.panel import Panel
from nebula.genome.vcf.reader import VcfReader
from nebula.localnet.bgzf import compress
from nebula.localnet.plot import MINIMUM_PEOPLE, Plot
from nebula.localnet.population import make_population, to_phenotypes, to_vcf
from nebula.protocol.errors import RejectedInputError
from nebula.vault.reading import read_genomes, read_phenotype_table


@dataclass(frozen=True, slots=True)
class Materials:
    """Genomes on a panel of their own sites, and phenotypes by sample name."""

    panel: Panel
    genomes: ImportedCohort
    phenotypes: Mapping[str, PhenotypeTable]


def check_files(plot: Plot, cohort: Path) -> None:
    """Look at the head of a plot's cohort and at its phenotypes.

    Raises:
        RejectedInputError: the story could not be told; what is wrong, and what to do.
    """
    samples = _samples(cohort)
    plot.check_people(len(samples))
    if plot.phenotypes is not None and plot.kept:
        _check_trait(plot, read_phenotype_table(plot.phenotypes, samples, wanted=plot.kept))


def read_materials(plot: Plot, *, say: Callable[[str], None]) -> Materials:
    """Read (or make up, then read) the files of a story.

    Raises:
        RejectedInputError: a file is not valid; file, line, field and rule are named.
    """
    cohort, phenotypes = _files(plot, say)
    say(f"reading {cohort.name}")
    with cohort.open("rb") as opened:
        panel = build_panel(Source(opened, name=cohort.name), name="demo", version="1", assembly="GRCh38")
    genomes = read_genomes(cohort, panel)
    say(f"{len(genomes):,} people, {len(panel.keys):,} sites on {panel.assembly}")
    if phenotypes is None or not plot.kept:
        return Materials(panel, genomes, {})
    sheet = read_phenotype_table(phenotypes, list(genomes.samples), wanted=plot.kept)
    for column in sheet.columns:
        say(_how_read(column, people=len(genomes)))
    if sheet.left_out:
        say(f"no other column of {phenotypes.name} is taken: the study needs none")
    return Materials(panel, genomes, sheet.tables)


def _samples(cohort: Path) -> list[str]:
    try:
        with cohort.open("rb") as opened:
            return list(VcfReader(Source(opened, name=cohort.name)).header.samples)
    except OSError as error:
        raise RejectedInputError("import.file", f"{cohort} cannot be read: {error.strerror}") from error


def _check_trait(plot: Plot, sheet: PhenotypeSheet) -> None:
    (found,) = sheet.columns
    if found.kind != "number":
        raise RejectedInputError(
            "demo.trait", f"the column {plot.trait!r} is not numeric", hint="linear association wants a number a person"
        )
    values = [value for table in sheet.tables.values() if (value := table.number(plot.trait)) is not None]
    if len(values) < MINIMUM_PEOPLE:
        raise RejectedInputError(
            "demo.trait",
            f"only {len(values)} people of the cohort have a value of {plot.trait!r}",
            hint=f"{MINIMUM_PEOPLE} are needed",
        )
    if np.ptp(values) == 0:
        raise RejectedInputError(
            "demo.trait", f"everybody has the same value of {plot.trait!r}", hint="choose a column that varies"
        )


def _how_read(column: ColumnReport, *, people: int) -> str:
    sentence = f"{column.name}: {column.values:,} of {people:,} people have a value"
    if column.unreadable:
        sentence += f"; text where a number belongs in {column.unreadable:,} lines, from line "
        sentence += f"{column.first_unreadable_line} on, counts as missing"
    return sentence


def _files(plot: Plot, say: Callable[[str], None]) -> tuple[Path, Path | None]:
    if plot.cohort is not None:
        return plot.cohort, plot.phenotypes
    cohort, phenotypes = plot.folder / "made-up.vcf.gz", plot.folder / "made-up.tsv"
    if not phenotypes.exists():
        say(f"making {plot.people} people up: frequencies, structure, linkage, planted effects")
        population = make_population(plot.people, seed=plot.seed)
        cohort.write_bytes(compress(to_vcf(population)))
        phenotypes.write_bytes(to_phenotypes(population, trait=plot.trait))
    return cohort, phenotypes
