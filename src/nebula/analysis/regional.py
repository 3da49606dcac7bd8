"""What the catalogue's analyses do in one region, once what needs all regions is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nebula.analysis.frequency import GenotypeCounts, allele_frequency
from nebula.analysis.sharding import Piece, Shard, combine, plan
from nebula.genome.chromosomes import X_NOT_PSEUDOAUTOSOMAL, chromosome_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from nebula.analysis.inputs import CohortInput, Sites, Table
    from nebula.analysis.parameters import Association
    from nebula.genome.matrix import PackedMatrix

# Within one process a shard is as many genotypes as may be copied, to leave people or variants out.
SHARD_BYTES = 32 * 1024 * 1024
AUTOSOMES, X = 22, 23


def run_shard(analysis: Callable[[PackedMatrix, Sites], Table], shard: Shard, cohort: CohortInput) -> Piece:
    """Run one region's part of an analysis, on a cohort of which the panel is whole."""
    region = cohort.matrix.select_variants(shard.rows)
    return Piece(shard, analysis(region, cohort.sites.select(shard.rows)))


def run_all(analysis: Callable[[PackedMatrix, Sites], Table], cohort: CohortInput, shards: int | None = None) -> Table:
    """Run every region here, one after the other."""
    sites = len(cohort.sites)
    planned = plan(sites, shards or -(-max(1, cohort.matrix.packed.nbytes) // SHARD_BYTES))
    return combine([run_shard(analysis, shard, cohort) for shard in planned], sites)


def select_analysed(
    parameters: Association, people: NDArray[np.bool_], matrix: PackedMatrix, sites: Sites
) -> tuple[PackedMatrix, GenotypeCounts, NDArray[np.bool_]]:
    """Return a region's genotypes of who is analysed, their counts, and which of its variants are tested."""
    chosen = matrix if people.all() else matrix.select_samples(people)
    counts = GenotypeCounts.of(chosen, sites.copies())
    return chosen, counts, counts.common(parameters.minimum_maf, parameters.maximum_missing)


def estimates_table(sites: Sites, estimated: NDArray[np.bool_], columns: dict[str, NDArray[Any]]) -> Table:
    """Lay columns out by variant, those without an estimate left out."""
    named = sites.select(estimated).columns()
    return named | {name: column[estimated] for name, column in columns.items()}


@dataclass(frozen=True, slots=True, eq=False)
class FrequencyModel:
    """Counts and frequencies, ready for any region.

    Attributes:
        mid_p: of Hardy-Weinberg proportions.
        women: who they are tested in on X, shape (samples,), and who has two copies of it outside the pseudo-autosomal
            regions; None where nobody knows: then X is not tested, and everybody is taken to have two copies.
        assembly: that the regions' places are of; None where it is not known, and X is taken to have none.
    """

    mid_p: bool = False
    women: NDArray[np.bool_] | None = None
    assembly: str | None = None

    def __call__(self, matrix: PackedMatrix, sites: Sites) -> Table:
        """Count a region's genotypes and alleles."""
        counts = GenotypeCounts.of(matrix, sites.copies())
        table = counts_table(sites, counts, mid_p=self.mid_p)
        if self.women is None:
            return table
        on_x = np.flatnonzero(sites.chromosome_numbers() == X)
        part = matrix.select_variants(on_x)
        women = GenotypeCounts.of(part.select_samples(self.women))
        first, last = X_NOT_PSEUDOAUTOSOMAL.get(self.assembly or "", (0, np.inf))
        single = (sites.position[on_x] >= first) & (sites.position[on_x] <= last)
        men = GenotypeCounts.of(part.select_samples(~self.women), np.where(single, 1, 2))
        alternate, alleles = women.alternate + men.alternate, women.alleles + men.alleles
        table["effect_allele_count"][on_x] = alternate
        table["effect_allele_frequency"][on_x] = allele_frequency(alternate, alleles)
        table["fewest"][on_x] = np.minimum(counts.fewest[on_x], alleles - alternate)
        table["hwe_p_value"][on_x] = women.hardy_weinberg(mid=self.mid_p)
        # The test tells of women's cells, and those of men follow: the smallest of either decides what is shown.
        smallest = np.full(matrix.variants, np.iinfo(np.int64).max)
        smallest[on_x] = smallest_cells(np.stack([women.counts[:, :3], men.counts[:, :3]]))
        return table | {"smallest_cell": smallest}


def smallest_cells(cells: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each variant's smallest cell that is not zero, shape (variants,), of cells of shape (groups, variants, 3)."""
    return np.asarray(np.where(cells > 0, cells, np.iinfo(np.int64).max).min(axis=(0, 2)))


def counts_table(sites: Sites, counts: GenotypeCounts, *, mid_p: bool = False) -> Table:
    """Lay counts out by variant. Proportions are tested on autosomes only: males have one X."""
    numbers = sites.chromosome_numbers()
    autosomal = (numbers >= 1) & (numbers <= AUTOSOMES)
    columns: dict[str, NDArray[Any]] = {
        "effect_allele_frequency": counts.frequency,
        "effect_allele_count": counts.alternate,
        "n": counts.observed,
        "homozygous_other": counts.counts[:, 0],
        "heterozygous": counts.counts[:, 1],
        "homozygous_effect": counts.counts[:, 2],
        "hwe_p_value": np.where(autosomal, counts.hardy_weinberg(mid=mid_p), np.nan),
        "fewest": counts.fewest,
    }
    return sites.columns() | columns


def within_regions(sites: Sites, regions: tuple[str, ...]) -> NDArray[np.bool_]:
    """Sites in any of the regions (1-based, both ends included); all of them where none is named."""
    if not regions:
        return np.ones(len(sites), dtype=np.bool_)
    numbers = sites.chromosome_numbers()
    inside = np.zeros(len(sites), dtype=np.bool_)
    for region in regions:
        name, _, span = region.partition(":")
        first, _, last = span.partition("-")
        inside |= (numbers == chromosome_code(name)) & (sites.position >= int(first)) & (sites.position <= int(last))
    return inside
