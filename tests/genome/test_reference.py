import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.vcf_text import refused, source, vcf
from nebula.genome.inflate import Source
from nebula.genome.reference import Reference, left_align, read_fasta
from nebula.genome.vcf import VcfReader

SEQUENCE = b"GGGCACACACAGGG"
REFERENCE = Reference({1: SEQUENCE})


def standard(*records: str) -> tuple[int, str, str]:
    reader = VcfReader(source(vcf(*records)))
    (batch,) = reader
    moved = REFERENCE.standardise(batch, reader.contigs, name="small.vcf")
    return int(moved.pos[0]), moved.reference[0], moved.alternate[0]


def test_a_deletion_in_a_repeat_moves_to_its_left_end() -> None:
    assert standard("1 8 . CAC C . . . GT 0/1") == (3, "GCA", "G")


@pytest.mark.parametrize("record", ["1 4 . A G . . . GT 0/1", "1 4 . CAG C . . . GT 0/1", "1 99 . A G . . . GT 0/1"])
def test_a_reference_allele_that_is_not_there_is_refused(record: str) -> None:
    error = refused(lambda: standard(record))
    assert error is not None
    assert error.code == "vcf.reference"
    assert "line 3, REF" in error.message


def apply(sequence: str, pos: int, reference: str, alternate: str) -> str:
    assert sequence[pos - 1 :].startswith(reference)
    return sequence[: pos - 1] + alternate + sequence[pos - 1 + len(reference) :]


@given(st.text("AC", min_size=4, max_size=30), st.data())
def test_left_aligning_keeps_the_change_and_is_the_leftmost_way_to_write_it(sequence: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(1, len(sequence) - 2))
    length = data.draw(st.integers(1, min(3, len(sequence) - start - 1)))
    inserted = data.draw(st.booleans())
    anchor = sequence[start - 1]
    long = sequence[start - 1 : start + length]
    variant = (
        (start, anchor, anchor + data.draw(st.text("AC", min_size=1, max_size=3)))
        if inserted
        else (start, long, anchor)
    )
    moved = left_align(sequence.encode(), *variant)
    changed = apply(sequence, *variant)
    assert apply(sequence, *moved) == changed
    # The slow twin: the leftmost place at which the same length of change gives the same sequence.
    size = len(changed) - len(sequence)
    places = [pos for pos in range(1, len(sequence) + 1) if same_change(sequence, changed, pos, size)]
    assert moved[0] == max(1, places[0])


def same_change(sequence: str, changed: str, pos: int, size: int) -> bool:
    """Whether inserting or deleting ``size`` bases behind the anchor at ``pos`` gives ``changed``."""
    behind = sequence[pos:] if size > 0 else sequence[pos - size :]
    return (
        len(sequence) - pos >= max(0, -size)
        and changed[:pos] == sequence[:pos]
        and changed[pos + max(0, size) :] == behind
    )


def test_normalising_is_what_bcftools_does(shared_data: Path, tmp_path: Path) -> None:
    bcftools = pytest.importorskip("pysam.bcftools")
    fasta = tmp_path / "chr20.fa"
    fasta.write_bytes(gzip.decompress((shared_data / "reads/ucsc.hg19.chr20.unittest.fasta.gz").read_bytes()))
    path = shared_data / "reads/sim_NA12878_truth_phased.vcf.gz"
    with fasta.open("rb") as file:
        reference = read_fasta(Source(file, kind="fasta"))
    with path.open("rb") as file:
        reader = VcfReader(Source(file, path.name, "vcf"))
        batches = [reference.standardise(batch, reader.contigs, name=path.name) for batch in reader]
    ours = sorted(
        (int(batch.pos[row]), batch.reference[row], batch.alternate[row])
        for batch in batches
        for row in range(len(batch.pos))
    )
    normalised = bcftools.norm("-f", str(fasta), "-m", "-any", str(path)).splitlines()
    records = [line.split("\t") for line in normalised if not line.startswith("#")]
    assert ours == sorted((int(record[1]), record[3].upper(), record[4].upper()) for record in records)


@pytest.mark.parametrize("raw", [b"ACGT\n", b">1\nAC>GT\n", b">1\nA\n>chr1\nC\n", b">1\nAC1\n"])
def test_a_malformed_fasta_is_refused(raw: bytes) -> None:
    error = refused(lambda: read_fasta(source(raw, "fasta")))
    assert error is not None
    assert error.code == "fasta.malformed"
