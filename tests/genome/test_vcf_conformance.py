"""The VCF specification's own vectors, and htslib beside our reader."""

import io
from pathlib import Path

import numpy as np
import pytest

from genome.vcf_text import refused
from nebula.genome.inflate import Source
from nebula.genome.vcf import VcfReader

pysam = pytest.importorskip("pysam")


def read_all(path: Path) -> VcfReader:
    with path.open("rb") as file:
        reader = VcfReader(Source(file, path.name, "vcf"))
        for _ in reader:
            pass
    return reader


def test_every_valid_vector_is_accepted(shared_data: Path) -> None:
    vectors = sorted((shared_data / "vcf/4.2/passed").glob("*.vcf"))
    assert len(vectors) >= 25
    for path in vectors:
        read_all(path)


def test_every_invalid_vector_is_refused_with_its_name(shared_data: Path) -> None:
    vectors = sorted((shared_data / "vcf/4.2/failed").glob("*.vcf"))
    assert len(vectors) >= 190
    accepted = []
    for path in vectors:
        error = refused(lambda path=path: read_all(path))
        if error is None:
            accepted.append(path.name)
            continue
        assert path.name in error.message
        assert error.code.startswith("vcf.")
    assert accepted == []


@pytest.mark.parametrize("version", ["4.1", "4.2", "4.3", "4.4", "4.5"])
def test_the_same_body_reads_the_same_in_every_version(version: str) -> None:
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tA"
    text = f"##fileformat=VCFv{version}\n{columns}\n1\t5\t.\tA\tC\t.\t.\t.\tGT\t0/1\n"
    (batch,) = VcfReader(Source(io.BytesIO(text.encode()), kind="vcf"))
    assert batch.codes.dosage().tolist() == [[1]]


@pytest.mark.parametrize("name", ["1kg_26s_chrX_b37.vcf.gz", "1kg_p3_exome23k_b38.vcf.gz"])
def test_calls_are_those_that_htslib_reads(shared_data: Path, name: str) -> None:
    path = shared_data / "cohort" / name
    with path.open("rb") as file:
        batches = list(VcfReader(Source(file, name, "vcf")))
    ours = np.concatenate([batch.codes.dosage() for batch in batches])
    haploid = np.concatenate([batch.forms.dosage() for batch in batches]) == 1
    step = max(1, len(ours) // 700)
    row = 0
    seen = set()
    with pysam.VariantFile(str(path)) as peer:
        for record in peer:
            place = (record.chrom, record.pos, record.ref, record.alts)
            if place in seen:
                continue
            seen.add(place)
            if row % step == 0:
                calls = [sample.allele_indices for sample in record.samples.values()]
                assert ours[row].tolist() == [sum(allele == 1 for allele in call) for call in calls]
                assert haploid[row].tolist() == [len(call) == 1 for call in calls]
            row += 1
    assert row == len(ours)
