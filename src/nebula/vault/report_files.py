"""The files that an owner's report is made with besides the record: reference people, scores, tables of alleles."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nebula.analysis.inputs import Sites
from nebula.analysis.scoring_file import ScoringFile, parse_scoring_file
from nebula.genome.assembly import assemble
from nebula.genome.inflate import Source
from nebula.genome.matrix import PackedMatrix
from nebula.genome.meanings import Meaning, read_meanings
from nebula.genome.panel import Panel
from nebula.genome.star_alleles import StarAllele, read_star_alleles
from nebula.protocol.errors import RejectedInputError
from nebula.vault.files import open_file
from nebula.vault.reading import read_genomes, read_panel

NO_LABEL = "without a label"
_GROUP_COLUMNS = ("super_pop", "group", "population", "pop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a report is made with.

    ``panel``: that of the record's panels on which its calls are counted, by name, ``NAME@VERSION`` or id; without it
    the one that it was put on last. ``score_build``: the assembly of scores that do not say it. The others are files.
    """

    panel: str | None = None
    cohort: Path | None = None
    groups: Path | None = None
    scores: Sequence[Path] = ()
    meanings: Sequence[Path] = ()
    star_alleles: Sequence[Path] = ()
    score_build: str | None = None
    without_complex: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceCohort:
    """People whom an owner is compared with, and the label of each, ``NO_LABEL`` where there is none."""

    name: str
    panel: Panel
    matrix: PackedMatrix
    groups: tuple[str, ...]

    @property
    def sites(self) -> Sites:
        """The cohort's own sites, in the order of the matrix."""
        reference, alternate = (np.array(alleles, object) for alleles in self.panel.alleles())
        names = np.array([str(code) for code in self.panel.chromosomes().tolist()], object)
        return Sites(names, self.panel.positions().astype(np.int64), reference, alternate)


def check_build(file: Path, build: str | None, assembly: str, *, say_it: str) -> None:
    """Make sure that a file is on the record's assembly.

    Args:
        file: to call by its name.
        build: that it says, or that is said of it.
        assembly: of the record.
        say_it: how to say the assembly of a file that does not.

    Raises:
        RejectedInputError: ``report.assembly``.
    """
    if build != assembly:
        raise RejectedInputError(
            "report.assembly",
            f"{file.name}: it is on {build or 'an assembly that it does not say'}, the record on {assembly}",
            hint=f"take the file for {assembly}" if build else f"if it is on {assembly}, {say_it}",
        )


def read_table(file: Path) -> tuple[str, tuple[Meaning, ...]]:
    """Read a table of meanings; see ``nebula.genome.meanings``."""
    with open_file(file) as opened:
        return read_meanings(Source(opened, name=file.name, kind="meanings"))


def read_star_tables(files: Sequence[Path]) -> tuple[StarAllele, ...]:
    """Read tables of star alleles, each gene once; see ``nebula.genome.star_alleles``."""
    found: dict[str, Path] = {}
    alleles: list[StarAllele] = []
    for file in files:
        with open_file(file) as opened:
            source = Source(opened, name=file.name, kind="star-alleles")
            read = read_star_alleles(source)
            for gene in {allele.gene for allele in read}:
                if (other := found.setdefault(gene, file)) is not file:
                    source.refuse("twice", f"{other.name} has the gene {gene}, too", hint="give one table of each gene")
        alleles += read
    return tuple(alleles)


def read_score(file: Path, *, without_complex: bool) -> ScoringFile:
    """Read a scoring file of the PGS Catalog; errors name it."""
    with open_file(file) as opened:
        text = b"".join(Source(opened, name=file.name, kind="score").pieces())
    try:
        return parse_scoring_file(text.decode("utf-8"), leave_out_complex=without_complex)
    except UnicodeDecodeError as error:
        raise RejectedInputError("score.encoding", f"{file.name}: the text is not UTF-8") from error
    except RejectedInputError as error:
        raise RejectedInputError(error.code, f"{file.name}: {error.message}", hint=error.hint) from error


def read_cohort(file: Path, groups: Path | None, assembly: str) -> ReferenceCohort:
    """Read a cohort of reference people, on its own sites, and which group each is of.

    Raises:
        RejectedInputError: a file is not valid, or the table of groups names nobody of the cohort: ``report.groups``.
    """
    labels = {} if groups is None else _read_groups(groups)
    panel = read_panel(file, name=file.name, assembly=assembly)
    genomes = read_genomes(file, panel)
    if groups is not None and labels.keys().isdisjoint(genomes.samples):
        raise RejectedInputError(
            "report.groups",
            f"{groups.name}: it names nobody of {file.name}, whose people are called {genomes.samples[0]!r} and so on",
            hint="its first column names the sample as the cohort's file does",
        )
    matrix = assemble(panel, (genomes.vector(person).codes for person in range(len(genomes))), people=len(genomes))
    return ReferenceCohort(file.name, panel, matrix, tuple(labels.get(sample, NO_LABEL) for sample in genomes.samples))


def _read_groups(file: Path) -> dict[str, str]:
    """Which group each sample is of: a tab-separated table, its first column the sample."""
    with open_file(file) as opened:
        # SECURITY: the table is a stranger's.
        source = Source(opened, name=file.name, kind="report")
        lines = enumerate(source.lines(), start=1)
        column = _group_column(source, next(lines)[1])
        labels: dict[str, str] = {}
        for number, line in lines:
            cells = [cell.strip() for cell in line.split("\t")]
            if not any(cells):
                continue
            if len(cells) <= column:
                source.refuse(
                    "groups", f"line {number}: it has too few columns", hint="give each line the same columns"
                )
            if cells[0] in labels:
                source.refuse(
                    "groups", f"line {number}: {cells[0][:40]!r} stands in a line above", hint="name each once"
                )
            labels[cells[0]] = cells[column] or NO_LABEL
    return labels


def _group_column(source: Source, line: str) -> int:
    names = [name.strip().lower() for name in line.split("\t")]
    column = next((names.index(name, 1) for name in _GROUP_COLUMNS if name in names[1:]), None)
    if column is None:
        what = f"line 1: no column is called {' or '.join(_GROUP_COLUMNS)}"
        hint = "its first column names the sample, and one of these the group, separated by tabs"
        source.refuse("groups", what, hint=hint)
    return column
