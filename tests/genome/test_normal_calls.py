"""Keys, GT, DP and GQ of a record are those of `bcftools norm -f REFERENCE -m-any`."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from genome.vcf_text import refused, vcf
from nebula.genome.building import build_panel
from nebula.genome.imported import ImportedGenome
from nebula.genome.importing import import_genomes
from nebula.genome.inflate import Source
from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel
from nebula.genome.record.parquet import read_record
from nebula.vault.reading import read_genomes

bcftools = pytest.importorskip("pysam.bcftools")

Row = tuple[int, int, tuple[str, ...] | str, int | None, int | None]


def any_panel(assembly: str) -> Panel:
    return Panel("p", "1", assembly, np.array([variant_key("1", 1, "A", "C")], np.uint64))


def as_counted(genotype: str) -> tuple[str, ...] | str:
    """A phased genotype as it is; the alleles of another in their order."""
    return genotype if "|" in genotype else tuple(sorted(genotype.split("/")))


def key_of(row: dict[str, Any]) -> int:
    return variant_key(row["chrom"], row["pos"], row["ref"], row["alt"])


def ours(genome: ImportedGenome) -> list[Row]:
    rows = [row for row in read_record(genome.parquet).to_pylist() if row["alt"] is not None]
    return sorted((row["pos"], key_of(row), as_counted(row["gt"]), row["dp"], row["gq"]) for row in rows)


def theirs(text: str) -> list[Row]:
    rows = []
    for line in text.splitlines():
        if not line.startswith("#"):
            chrom, pos, _, reference, alternate, _, _, _, keys, sample = line.split("\t")
            values = dict(zip(keys.split(":"), sample.split(":"), strict=False))
            depth, quality = (int(found) if (found := values.get(key, ".")) != "." else None for key in ("DP", "GQ"))
            key = variant_key(chrom, int(pos), reference.upper(), alternate.upper())
            rows.append((int(pos), key, as_counted(values["GT"]), depth, quality))
    return sorted(rows)


def test_a_real_genomes_calls_are_those_of_bcftools(shared_data: Path, tmp_path: Path) -> None:
    fasta = tmp_path / "chr20.fa"
    fasta.write_bytes(gzip.decompress((shared_data / "reads/ucsc.hg19.chr20.unittest.fasta.gz").read_bytes()))
    for name in ("sim_NA12878_truth_phased.vcf.gz",):
        path = shared_data / "reads" / name
        (genome,) = read_genomes(path, any_panel("GRCh37"), reference=fasta)
        found = ours(genome)
        assert len(found) == 222
        assert found == theirs(bcftools.norm("-f", str(fasta), "-m", "-any", str(path)))


def test_a_cohorts_split_calls_are_those_of_bcftools(shared_data: Path) -> None:
    path = shared_data / "cohort/1kg_26s_chrX_b37.vcf.gz"
    with path.open("rb") as file:
        panel = build_panel(Source(file, kind="vcf"), name="x", version="1")
    with path.open("rb") as file:
        cohort = import_genomes(Source(file), panel)
    person = 7
    rows = {key_of(row): row["gt"] for row in read_record(cohort.genome(person).parquet).to_pylist()}
    checked = 0
    for line in bcftools.norm("-m", "-any", str(path)).splitlines():
        if line.startswith("#"):
            continue
        columns = line.split("\t")
        key = variant_key(columns[0], int(columns[1]), columns[3], columns[4])
        if key in rows:  # without a reference, bcftools leaves alleles as long as they are
            assert as_counted(rows[key]) == as_counted(columns[9 + person].split(":")[0])
            checked += 1
    assert checked > 0.99 * len(rows)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A reference full of repeats, and records with insertions and deletions of one or several alleles."""
    units = draw(st.lists(st.tuples(st.sampled_from(["A", "CA", "GGT", "T", "ACGT"]), st.integers(1, 6)), min_size=3))
    sequence = "".join(unit * times for unit, times in units) + "ACGTACGT"
    starts = draw(st.lists(st.integers(1, len(sequence) - 6), unique=True, min_size=1, max_size=6))
    records = []
    for start in sorted(starts):
        reference = sequence[start - 1 : start - 1 + draw(st.integers(1, 5))]
        bases = st.text("ACGT", max_size=4).map(lambda rest, first=reference[0]: first + rest)
        mutated = st.sampled_from("ACGT").map(lambda base, rest=reference[1:]: base + rest)
        longer = st.integers(1, 2).map(lambda times, whole=reference: whole + whole[1:] * times)
        alternates = draw(
            st.lists(
                st.one_of(bases, mutated, longer).filter(lambda allele, same=reference: allele != same),
                unique=True,
                min_size=1,
                max_size=3,
            )
        )
        allele = st.integers(0, len(alternates)).map(str)
        genotype = draw(st.sampled_from("/|")).join(draw(st.tuples(allele, allele)))
        call = f"{genotype}:{draw(st.integers(0, 99))}:{draw(st.integers(0, 99))}"
        records.append(f"1 {start} . {reference} {','.join(alternates)} . . . GT:DP:GQ {call}")
    return sequence, records


@given(files())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_made_up_calls_in_repeats_are_those_of_bcftools(tmp_path: Path, made_up: tuple[str, list[str]]) -> None:
    sequence, records = made_up
    fasta, path = tmp_path / "small.fa", tmp_path / "small.vcf"
    fasta.write_text(f">1\n{sequence}\n")
    (tmp_path / "small.fa.fai").unlink(missing_ok=True)
    formats = [
        f'##FORMAT=<ID={key},Number=1,Type={kind},Description="d">'
        for key, kind in (("GT", "String"), ("DP", "Integer"), ("GQ", "Integer"))
    ]
    path.write_bytes(vcf(*records, meta=["##contig=<ID=1>", *formats]))
    genomes: list[ImportedGenome] = []
    error = refused(lambda: genomes.extend(read_genomes(path, any_panel("GRCh38"), reference=fasta)))
    # One variant written in two ways would count twice.
    assume(error is None or error.code != "vcf.duplicate-variant")
    assert error is None
    assert ours(genomes[0]) == theirs(bcftools.norm("-f", str(fasta), "-m", "-any", str(path)))
