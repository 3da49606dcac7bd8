"""From a cohort's file to a matrix: reading, records, assembly, with htslib and bcftools beside us.

    python benchmarks/assembly.py COHORT.vcf.gz [--merge 60]

One thread each. Every figure is the best of several rounds, with the slowest beside it: how far they lie apart
says how noisy the machine is. htslib reads the genotypes of the same file into dosages. `bcftools merge` joins
as many one-person files as ``--merge`` says, from disk to memory; so do we, from their packed vectors.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pysam
import pysam.bcftools

from nebula.genome.assembly import assemble
from nebula.genome.building import build_panel
from nebula.genome.importing import ImportedCohort, import_genomes
from nebula.genome.inflate import Source
from nebula.genome.panel import Panel

ROUNDS = 3
RECORDS = 100


def timed(name: str, work: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    """Print and return the best of some rounds."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    print(f"{name:<44}{min(seconds):9.3f} s   (slowest of {rounds}: {max(seconds):.3f} s)")
    return min(seconds)


def ours(path: Path, panel: Panel) -> ImportedCohort:
    """Validate, split, trim, pack and place."""
    with path.open("rb") as file:
        return import_genomes(Source(file, path.name), panel)


def inflate(path: Path) -> None:
    """The part of reading that is zlib's."""
    with path.open("rb") as file:
        for _ in Source(file).pieces():
            pass


def htslib(path: Path) -> None:
    """Read every genotype by htslib into a dosage."""
    with pysam.VariantFile(str(path)) as file:
        for record in file:
            # The text of the record is htslib's fastest way out through pysam.
            fields = str(record).split("\t")[9:]
            np.array([field.count("1") for field in fields], np.int8)


def merge(path: Path, cohort: ImportedCohort, panel: Panel, people: int) -> None:
    """Join one-person files by bcftools, and one-person vectors by us."""
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for sample in cohort.samples[:people]:
            name = str(Path(folder) / f"{sample}.vcf.gz")
            pysam.bcftools.view("-s", sample, "-Oz", "-o", name, str(path), catch_stdout=False)
            pysam.tabix_index(name, preset="vcf", force=True)
            names.append(name)
        merged = str(Path(folder) / "merged.bcf")
        peer = timed(
            f"bcftools merge, {people} people",
            lambda: pysam.bcftools.merge("-Ob", "-o", merged, *names, catch_stdout=False),
            rounds=1,
        )
    vectors = [cohort.vector(person).codes for person in range(people)]
    mine = timed(f"assemble, {people} people", lambda: assemble(panel, vectors))
    print(f"  {peer / mine:.0f} times as fast")


def main() -> None:
    """Print every figure, one a line."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("cohort", type=Path)
    arguments.add_argument("--merge", type=int, default=60)
    chosen = arguments.parse_args()
    with chosen.cohort.open("rb") as file:
        panel = build_panel(Source(file, chosen.cohort.name, "vcf"), name="benchmark", version="1")
    cohort = ours(chosen.cohort, panel)
    print(f"{len(cohort)} people, {panel.sites} sites")
    timed("inflate alone", lambda: inflate(chosen.cohort))
    timed("read, validate, pack", lambda: ours(chosen.cohort, panel))
    timed("  htslib to dosages, by pysam", lambda: htslib(chosen.cohort), rounds=1)
    vectors = [cohort.vector(person).codes for person in range(len(cohort))]
    seconds = timed("assemble everyone's vectors", lambda: assemble(panel, vectors))
    print(f"  {len(vectors) * panel.vector_bytes / seconds / 1e9:.2f} GB/s")
    matrix = assemble(panel, vectors)
    timed("count genotypes", matrix.counts)
    timed("leave one person out", lambda: matrix.select_samples(np.arange(1, matrix.samples)))
    records = timed(f"{RECORDS} Parquet records", lambda: [cohort.genome(person) for person in range(RECORDS)])
    print(f"  {1000 * records / RECORDS:.1f} ms each")
    merge(chosen.cohort, cohort, panel, chosen.merge)


if __name__ == "__main__":
    main()
