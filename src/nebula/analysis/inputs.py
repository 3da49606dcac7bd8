"""What an analysis is given: sites, genotypes, phenotypes. All in the same order of people and of sites."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from nebula.analysis.region_parameters import RareVariants
from nebula.genome.chromosomes import MT, NAMES, Y, chromosome_code
from nebula.genome.keys import between
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from nebula.analysis.parameters import Parameters
    from nebula.analysis.scoring_file import ScoreVariant
    from nebula.genome.matrix import PackedMatrix
    from nebula.genome.panel import Panel
    from nebula.genome.private import PrivateVariants

# Columns of a table, all of one length: text columns are object arrays of str.
Table = dict[str, "NDArray[Any]"]


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """The sites of a matrix, one row per variant.

    Attributes:
        chromosome: text, ``1`` or ``chr1``.
        position: int64, 1-based, as in VCF.
        reference: text, the reference allele; code 0 is two of it.
        alternate: text, the alternate allele; it is the effect allele everywhere.
    """

    chromosome: NDArray[Any]
    position: NDArray[np.int64]
    reference: NDArray[Any]
    alternate: NDArray[Any]

    @classmethod
    def of_panel(cls, panel: Panel) -> Sites:
        """All sites of a panel, in its order."""
        reference, alternate = panel.alleles()
        names: NDArray[np.object_] = np.array(NAMES, dtype=object)[panel.chromosomes()]
        return cls(
            names,
            panel.positions().astype(np.int64),
            np.array(reference, dtype=object),
            np.array(alternate, dtype=object),
        )

    def __len__(self) -> int:
        return len(self.position)

    def select(self, rows: NDArray[Any] | slice) -> Sites:
        """Some of the sites, by index, mask or slice."""
        return Sites(self.chromosome[rows], self.position[rows], self.reference[rows], self.alternate[rows])

    def find(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Rows of variants by name, ``chromosome:position:reference:alternate``.

        Raises:
            RejectedInputError: ``analysis.unknown-variant``.
        """
        if not names:
            return np.zeros(0, dtype=np.int64)
        parts = zip(*(name.split(":") for name in names), strict=True)
        chromosomes, positions, *alleles = (np.array(part, object) for part in parts)
        asked = Sites(chromosomes, positions.astype(np.int64), *alleles).names()
        sought = set(asked)
        known = {key: row for row, key in enumerate(self.names()) if key in sought}
        for name, key in zip(names, asked, strict=True):
            if key not in known:
                raise RejectedInputError(
                    "analysis.unknown-variant",
                    f"the panel has no variant {name}",
                    hint="chromosome:position:reference:alternate, on the panel's build",
                )
        return np.array([known[key] for key in asked], dtype=np.int64)

    def names(self) -> list[tuple[int, int, str, str]]:
        """What tells variants apart: chromosome number, position, reference and alternate allele."""
        numbers = self.chromosome_numbers().tolist()
        parts = (numbers, self.position.tolist(), map(str, self.reference), map(str, self.alternate))
        return list(zip(*parts, strict=True))

    def chromosome_numbers(self) -> NDArray[np.int64]:
        """Chromosomes as GWAS-SSF and VariantKeys number them: X is 23, Y 24, mitochondrial 25; 0 is none of these."""
        names = self.chromosome.tolist()
        numbers = {name: chromosome_code(str(name)) for name in set(names)}
        return np.fromiter((numbers[name] for name in names), np.int64, len(names))

    def copies(self) -> NDArray[np.int64]:
        """How many copies of each site a person has, shape (sites,): 1 on Y and MT; 2 elsewhere, men's X aside."""
        return np.where(np.isin(self.chromosome_numbers(), (Y, MT)), 1, 2)

    def columns(self) -> Table:
        """The first columns of every table that is keyed on variants."""
        numbers = self.chromosome_numbers()
        # Python's own numbers are spelt several times as fast as numpy's.
        parts = (numbers, self.position, self.reference, self.alternate)
        rows = zip(*(part.tolist() for part in parts), strict=True)
        return {
            "chromosome": numbers,
            "base_pair_location": self.position,
            "effect_allele": np.asarray(self.alternate, dtype=object),
            "other_allele": np.asarray(self.reference, dtype=object),
            "variant_id": np.array([f"{number}_{at}_{ref}_{alt}" for number, at, ref, alt in rows], dtype=object),
        }


@dataclass(frozen=True, slots=True, eq=False)
class CohortInput:
    """A cohort, ready to be analysed.

    Attributes:
        matrix: genotypes, variants in genome order.
        sites: one per variant of ``matrix``.
        phenotypes: column name to float64 of shape (samples,); NaN is missing.
        assembly: of the positions; None where nobody says, and then nothing can be matched by position.
        private: variants off the panel, of the same people, where the analysis asks for them.
        score: the variants of the score's object, where the parameters name one.
    """

    matrix: PackedMatrix
    sites: Sites
    phenotypes: Mapping[str, NDArray[np.float64]]
    assembly: str | None = None
    private: PrivateVariants | None = None
    score: tuple[ScoreVariant, ...] | None = None

    def __post_init__(self) -> None:
        if len(self.sites) != self.matrix.variants:
            raise ValueError(f"{len(self.sites)} sites do not describe {self.matrix.variants} variants")
        if self.private is not None and self.private.samples != self.matrix.samples:
            raise ValueError(f"private variants of {self.private.samples} people, not {self.matrix.samples}")
        for name, column in self.phenotypes.items():
            if column.shape != (self.matrix.samples,):
                raise ValueError(f"phenotype {name} has shape {column.shape}, not ({self.matrix.samples},)")

    def select_people(self, kept: NDArray[np.int64] | NDArray[np.bool_]) -> CohortInput:
        """Some of the people, by index or mask, in the order asked for."""
        columns = {name: column[kept] for name, column in self.phenotypes.items()}
        private = None if self.private is None else self.private.select_samples(kept)
        matrix = self.matrix.select_samples(kept)
        return replace(self, matrix=matrix, phenotypes=columns, private=private)

    def phenotype_matrix(self, names: Sequence[str]) -> NDArray[np.float64]:
        """The named columns, shape (samples, names)."""
        for name in names:
            if name not in self.phenotypes:
                raise RejectedInputError("analysis.unknown-column", f"there is no phenotype column {name!r}")
        columns = [np.asarray(self.phenotypes[name], dtype=np.float64) for name in names]
        return np.column_stack(columns) if columns else np.zeros((self.matrix.samples, 0))


def private_spans(parameters: Parameters) -> tuple[tuple[int, int], ...]:
    """Ranges of VariantKeys off the panel that an analysis looks at, ascending; none where it keeps to the panel."""
    if not isinstance(parameters, RareVariants) or not parameters.private:
        return ()
    return tuple(sorted(between(*span) for spans in parameters.spans.values() for span in spans))
