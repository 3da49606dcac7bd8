"""Make a population up: frequencies, structure, linkage and planted effects as a real cohort has them.

Haplotypes are threshold crossings of a Gaussian process along each chromosome, so that neighbouring sites
are in linkage disequilibrium that decays with distance; each ancestral population has its own allele
frequencies around common ones (Balding and Nichols 1995). The trait has a few planted effects, a shift
between populations that only principal components explain, and noise.
"""

from dataclasses import dataclass
from io import StringIO

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

POPULATIONS = 3
FST = 0.08
LINKAGE_BP = 40_000.0
EFFECTS = 3
EFFECT_VARIANCE = 0.16
SHIFT = 0.5
AUTOSOME_MB = (
    *(248, 242, 198, 190, 181, 170, 159, 145, 138, 133, 135),
    *(133, 114, 107, 101, 90, 83, 80, 58, 64, 46, 50),
)
_BASES = np.array(["A", "C", "G", "T"])


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Made-up people.

    Attributes:
        names: one per person, ``P00001``…
        chromosome, position: shape (variants,); autosomes 1 to 22, GRCh38-like lengths; sorted.
        alleles: shape (variants, 2), reference and alternate base.
        dosage: alternate-allele counts, int8, shape (variants, people).
        trait: shape (people,).
        causal: rows of the variants that act on the trait.
        ancestry: shape (people,), 0 to POPULATIONS - 1.
    """

    names: tuple[str, ...]
    chromosome: NDArray[np.int64]
    position: NDArray[np.int64]
    alleles: NDArray[np.str_]
    dosage: NDArray[np.int8]
    trait: NDArray[np.float64]
    causal: NDArray[np.int64]
    ancestry: NDArray[np.int64]


def make_population(people: int, *, variants: int = 6000, seed: int = 1) -> Population:
    """Make a population; the same seed makes the same people.

    Args:
        people: at least 10.
        variants: sites, spread over the autosomes by length, in clumps as on a genotyping array.
        seed: of everything random.
    """
    random = np.random.default_rng(seed)
    chromosome, position = _sites(variants, random)
    ancestry = random.integers(0, POPULATIONS, people)
    dosage = _dosage(chromosome, position, ancestry, random)
    causal = _choose_causal(dosage, chromosome, random)
    trait = _trait(dosage[causal], ancestry, random)
    reference = random.integers(0, 4, variants)
    alternate = (reference + random.integers(1, 4, variants)) % 4
    return Population(
        names=tuple(f"P{number:05d}" for number in range(1, people + 1)),
        chromosome=chromosome,
        position=position,
        alleles=np.column_stack([_BASES[reference], _BASES[alternate]]),
        dosage=dosage,
        trait=trait,
        causal=causal,
        ancestry=ancestry,
    )


def to_vcf(population: Population) -> bytes:
    """Return the population as VCF 4.3 text, one column per person."""
    header = ["##fileformat=VCFv4.3", "##source=nebula demo: people made up by a program"]
    header += [
        f"##contig=<ID={number},length={megabases}000000>" for number, megabases in enumerate(AUTOSOME_MB, start=1)
    ]
    header.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">')
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    header.append("\t".join([*columns, *population.names]))
    genotypes = np.array(["0/0", "0/1", "1/1"], dtype=object)
    lines = [
        f"{chromosome}\t{position}\t.\t{reference}\t{alternate}\t.\tPASS\t.\tGT\t" + "\t".join(genotypes[row])
        for chromosome, position, (reference, alternate), row in zip(
            population.chromosome, population.position, population.alleles, population.dosage, strict=True
        )
    ]
    return ("\n".join([*header, *lines]) + "\n").encode()


def to_phenotypes(population: Population, *, trait: str) -> bytes:
    """Return the people's trait as a TSV keyed on ``sample``."""
    table = StringIO()
    table.write(f"sample\t{trait}\n")
    for name, value in zip(population.names, population.trait, strict=True):
        table.write(f"{name}\t{value:.6f}\n")
    return table.getvalue().encode()


def _sites(variants: int, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    share = np.array(AUTOSOME_MB, float) / sum(AUTOSOME_MB)
    chromosome = np.sort(random.choice(len(AUTOSOME_MB), variants, p=share)) + 1
    position = np.empty(variants, np.int64)
    for number, megabases in enumerate(AUTOSOME_MB, start=1):
        rows = np.flatnonzero(chromosome == number)
        clumps = random.integers(1_000_000, megabases * 1_000_000 - 1_000_000, max(1, len(rows) // 12))
        spots = random.choice(clumps, len(rows)) + random.integers(0, 150_000, len(rows))
        position[rows] = _strictly_increasing(np.sort(spots))
    return chromosome, position


def _strictly_increasing(spots: NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.arange(len(spots))
    return np.maximum.accumulate(spots - order) + order


def _dosage(
    chromosome: NDArray[np.int64],
    position: NDArray[np.int64],
    ancestry: NDArray[np.int64],
    random: np.random.Generator,
) -> NDArray[np.int8]:
    variants, people = len(chromosome), len(ancestry)
    common = np.exp(random.uniform(np.log(0.01), np.log(0.5), variants))
    common = np.where(random.random(variants) < 0.5, common, 1 - common)  # noqa: PLR2004 - half of them flipped
    spread = (1 - FST) / FST
    frequency = random.beta(common[:, None] * spread, (1 - common[:, None]) * spread, (variants, POPULATIONS))
    threshold = ndtri(np.clip(frequency, 1e-4, 1 - 1e-4))[:, ancestry]
    gap = np.diff(position, prepend=position[:1] - 1)
    correlation = np.where(np.diff(chromosome, prepend=0) != 0, 0.0, np.exp(-np.abs(gap) / LINKAGE_BP))
    dosage = np.empty((variants, people), np.int8)
    latent = np.zeros((2, people))
    for row in range(variants):
        fresh = random.standard_normal((2, people))
        latent = correlation[row] * latent + np.sqrt(1 - correlation[row] ** 2) * fresh
        dosage[row] = (latent < threshold[row]).sum(axis=0)
    return dosage


def _choose_causal(
    dosage: NDArray[np.int8], chromosome: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.int64]:
    frequency = dosage.mean(axis=1) / 2
    candidates = random.permutation(np.flatnonzero((frequency > 0.25) & (frequency < 0.75)))  # noqa: PLR2004
    _, first = np.unique(chromosome[candidates], return_index=True)
    return np.sort(candidates[np.sort(first)[:EFFECTS]])


def _trait(causal: NDArray[np.int8], ancestry: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.float64]:
    spread = causal.std(axis=1, keepdims=True)
    standard = (causal - causal.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)
    genetic: NDArray[np.float64] = np.sqrt(EFFECT_VARIANCE) * standard.sum(axis=0)
    shift = SHIFT * (ancestry - ancestry.mean())
    rest = np.sqrt(max(0.05, 1 - EFFECT_VARIANCE * len(causal)))
    result: NDArray[np.float64] = genetic + shift + rest * random.standard_normal(len(ancestry))
    return result
