import gzip
import itertools

import numpy as np

from nebula.localnet.bgzf import compress
from nebula.localnet.population import make_population, to_phenotypes, to_vcf


def test_the_same_seed_makes_the_same_people() -> None:
    one, other = make_population(40, variants=300, seed=7), make_population(40, variants=300, seed=7)

    assert np.array_equal(one.dosage, other.dosage)
    assert to_vcf(one) == to_vcf(other)


def test_neighbouring_sites_are_linked_and_distant_ones_are_not() -> None:
    people = make_population(400, variants=2000, seed=3)
    varying = people.dosage.std(axis=1) > 0.3
    dosage, chromosome, position = people.dosage[varying], people.chromosome[varying], people.position[varying]
    near = (np.diff(position) < 5_000) & (np.diff(chromosome) == 0)
    far = np.diff(chromosome) != 0
    correlation = np.array([abs(np.corrcoef(a, b)[0, 1]) for a, b in itertools.pairwise(dosage)])

    assert correlation[near].mean() > 3 * correlation[far].mean()


def test_planted_effects_explain_what_they_should() -> None:
    people = make_population(800, variants=1500, seed=5)

    for row in people.causal:
        assert 0.03 < np.corrcoef(people.dosage[row], people.trait)[0, 1] ** 2 < 0.4


def test_positions_are_sorted_within_chromosomes() -> None:
    people = make_population(20, variants=3000, seed=2)
    same = np.diff(people.chromosome) == 0

    assert (np.diff(people.position)[same] > 0).all()
    assert (np.diff(people.chromosome) >= 0).all()


def test_the_compressed_file_is_the_file() -> None:
    people = make_population(20, variants=400, seed=2)

    assert gzip.decompress(compress(to_vcf(people))) == to_vcf(people)
    assert to_phenotypes(people, trait="trait").count(b"\n") == 21
