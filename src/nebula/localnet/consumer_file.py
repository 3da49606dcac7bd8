"""Write one made-up person as raw data of a consumer test, in the layout of 23andMe."""

from collections.abc import Sequence

import numpy as np

from nebula.localnet.population import Population


def to_23andme(population: Population, person: int) -> bytes:
    """Return one person's genotypes as text: rsid, chromosome, position and two letters on the plus strand."""
    lines = [
        "# Made up by a program, in the layout of 23andMe, on GRCh38.",
        "# rsid\tchromosome\tposition\tgenotype",
    ]
    dosage = population.dosage[:, person]
    sites = zip(population.chromosome, population.position, population.alleles, dosage, strict=True)
    for number, (chromosome, position, (reference, alternate), copies) in enumerate(sites, start=1):
        letters = "".join(sorted(reference * (2 - int(copies)) + alternate * int(copies)))
        lines.append(f"i{number}\t{chromosome}\t{position}\t{letters}")
    return ("\n".join(lines) + "\n").encode()


def among(population: Population, people: Sequence[int]) -> Population:
    """Return some of the people, in the order given."""
    chosen = np.asarray(people, np.int64)
    return Population(
        names=tuple(population.names[person] for person in chosen),
        chromosome=population.chromosome,
        position=population.position,
        alleles=population.alleles,
        dosage=population.dosage[:, chosen],
        trait=population.trait[chosen],
        causal=population.causal,
        ancestry=population.ancestry[chosen],
    )
