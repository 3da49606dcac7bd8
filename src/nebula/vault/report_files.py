"""The files that an owner's report is made with besides the record: reference people, scores, tables of meanings."""

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
from nebula.protocol.errors import RejectedInputError
from nebula.vault.files import open_file
from nebula.vault.reading import read_genomes, read_panel

_GROUP_COLUMNS = ("super_pop", "group", "population", "pop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The files that a report is made with; ``score_build`` is the assembly of scores that do not say it."""

    cohort: Path | None = None
    groups: Path | None = None
    scores: Sequence[Path] = ()
    meanings: Sequence[Path] = ()
    score_build: str | None = None
    without_complex: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceCohort:
    """People whom an owner is compared with, and a label of each, empty where there is none."""

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


def check_build(file: Path, build: str | None, assembly: str) -> None:
    """Make sure that a file is on the record's assembly.

    Raises:
        RejectedInputError: ``report.assembly``.
    """
    if build != assembly:
        raise RejectedInputError(
            "report.assembly",
            f"{file.name}: it is on {build or 'an assembly that it does not say'}, the record on {assembly}",
            hint=f"take the file for {assembly}",
        )


def read_table(file: Path) -> tuple[str, tuple[Meaning, ...]]:
    """Read a table of meanings; see ``nebula.genome.meanings``."""
    with open_file(file) as opened:
        return read_meanings(Source(opened, name=file.name, kind="meanings"))


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
    """Read a cohort of reference people, on its own sites, and which group each is of."""
    panel = read_panel(file, name=file.name, assembly=assembly)
    genomes = read_genomes(file, panel)
    matrix = assemble(panel, (genomes.vector(person).codes for person in range(len(genomes))), people=len(genomes))
    labels = {} if groups is None else _read_groups(groups)
    return ReferenceCohort(file.name, panel, matrix, tuple(labels.get(sample, "") for sample in genomes.samples))


def _read_groups(file: Path) -> dict[str, str]:
    """Which group each sample is of: a tab-separated table, its first column the sample."""
    with open_file(file) as opened:
        lines = opened.read().decode("utf-8", "replace").splitlines()
    names = [name.strip().lower() for name in lines[0].split("\t")] if lines else []
    column = next((names.index(name) for name in _GROUP_COLUMNS if name in names[1:]), None)
    if column is None:
        raise RejectedInputError(
            "report.groups",
            f"{file.name}, line 1: no column is called {' or '.join(_GROUP_COLUMNS)}",
            hint="its first column names the sample, and one of these the group, separated by tabs",
        )
    cells = [line.split("\t") for line in lines[1:] if line.strip()]
    short = next((number for number, row in enumerate(cells, start=2) if len(row) <= column), None)
    if short is not None:
        raise RejectedInputError(
            "report.groups",
            f"{file.name}, line {short}: it has too few columns",
            hint="give each line the same columns",
        )
    return {row[0]: row[column].strip() for row in cells}
