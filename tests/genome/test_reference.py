"""Normalising against a reference genome, beside a slow twin and beside bcftools."""

import gzip
import io
import random
import struct
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pysam
import pysam.bcftools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.repeats import repetitive, simulated
from genome.vcf_text import refused, source, vcf
from nebula.genome.inflate import Source
from nebula.genome.reference import IndexedReference, Reference, WholeReference, read_fasta
from nebula.genome.vcf import VcfReader

SEQUENCE = b"GGGCACacACAGGG"
REFERENCE = WholeReference({"1": SEQUENCE})

Variant = tuple[int, str, str]


class Row(NamedTuple):
    contig: str
    pos: int
    reference: str
    alternate: str
    carried: int
    depth: int
    quality: int


def read(raw: bytes | Path, reference: Reference) -> list[Row]:
    file = io.BytesIO(raw) if isinstance(raw, bytes) else io.BytesIO(raw.read_bytes())
    reader = VcfReader(Source(file, "small.vcf", "vcf"), reference=reference)
    return [
        Row(
            reader.contigs[batch.contig[row]],
            int(batch.pos[row]),
            batch.reference[row],
            batch.alternate[row],
            int(batch.codes.dosage()[row, 0]),
            int(batch.depth[row]),
            int(batch.quality[row]),
        )
        for batch in reader
        for row in range(len(batch.pos))
    ]


def standard(*records: str, reference: Reference = REFERENCE) -> Variant:
    (row,) = read(vcf(*records), reference)
    return row.pos, row.reference, row.alternate


def test_a_deletion_in_a_repeat_moves_to_its_left_end() -> None:
    assert standard("1 8 . CAC C . . . GT 0/1") == (3, "GCA", "G")


@pytest.mark.parametrize("change", ["CAC C", "C CAC", "CACA C", "CAC CTC", "C T", "CAC TTT", "CA C"])
def test_a_record_behind_others_is_read_as_one_that_comes_first(change: str) -> None:
    """Behind a record of its contig, FORMAT and FILTER, a usual one goes a shorter way."""
    reference, alternate = change.split()
    record = f"1 8 . {reference} {alternate} . . . GT 0/1"
    *_, row = read(vcf("1 1 . G T . . . GT 0/1", record), REFERENCE)
    assert (row.pos, row.reference, row.alternate) == standard(record)
    error = refused(lambda: read(vcf("1 1 . G T . . . GT 0/1", record.replace("8", "9")), REFERENCE))
    assert error is not None
    assert (error.code, "line 4, REF" in error.message) == ("vcf.reference", True)


def test_a_contig_is_found_by_either_name_and_what_the_reference_lacks_is_counted() -> None:
    assert standard("chr1 8 . CAC C . . . GT 0/1") == (3, "GCA", "G")
    reader = VcfReader(source(vcf("un1 8 . CAC C . . . GT 0/1", "1 4 . C G . . . GT 0/1")), reference=REFERENCE)
    assert [batch.unreferenced for batch in reader] == [1]


@pytest.mark.parametrize(
    "record",
    [
        "1 4 . A G . . . GT 0/1",
        "1 4 . CAG C . . . GT 0/1",
        "1 4 . A <DEL> . . . GT 0/1",
        "1 14 . GA G . . . GT 0/1",
        "1 99 . A G . . . GT 0/1",
        "1 0 . N G . . . GT 0/1",
        "1 1 . N G . . . GT 0/1",
    ],
)
def test_a_reference_allele_that_is_not_there_is_refused(record: str) -> None:
    error = refused(lambda: standard(record))
    assert error is not None
    assert error.code == "vcf.reference"
    assert "line 3, REF" in error.message
    assert error.hint is not None


def test_a_lenient_reading_does_not_go_on_from_another_reference() -> None:
    reader = VcfReader(source(vcf("1 4 . A G . . . GT 0/1")), reference=REFERENCE, lenient=True)
    error = refused(lambda: list(reader))
    assert error is not None
    assert error.code == "vcf.reference"


def test_a_breakend_may_stand_at_a_telomere() -> None:
    assert read(vcf("1 0 . N .[2:5[ . . . GT 0/1", "1 15 . N ]2:5]N . . . GT 0/1"), REFERENCE) == []


def test_an_iupac_code_is_written_as_n_or_as_its_first_base() -> None:
    reference = WholeReference({"1": b"RRYN"})
    assert standard("1 1 . N G . . . GT 0/1", reference=reference) == (1, "N", "G")
    assert standard("1 3 . C G . . . GT 0/1", reference=reference) == (3, "C", "G")
    assert refused(lambda: standard("1 3 . T G . . . GT 0/1", reference=reference)) is not None


def slow_left_align(sequence: str, pos: int, reference: str, alternate: str) -> Variant:
    while reference[-1] == alternate[-1]:
        if min(len(reference), len(alternate)) == 1:
            if pos == 1:
                break
            pos -= 1
            reference, alternate = sequence[pos - 1] + reference, sequence[pos - 1] + alternate
        reference, alternate = reference[:-1], alternate[:-1]
    while min(len(reference), len(alternate)) > 1 and reference[0] == alternate[0]:
        pos, reference, alternate = pos + 1, reference[1:], alternate[1:]
    return pos, reference, alternate


def apply(sequence: str, pos: int, reference: str, alternate: str) -> str:
    assert sequence[pos - 1 :].startswith(reference)
    return sequence[: pos - 1] + alternate + sequence[pos - 1 + len(reference) :]


@given(st.text("AC", min_size=4, max_size=30), st.data())
def test_left_aligning_keeps_the_change_and_is_the_leftmost_way_to_write_it(sequence: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(1, len(sequence) - 2))
    length = data.draw(st.integers(1, min(3, len(sequence) - start - 1)))
    anchor = sequence[start - 1]
    long = sequence[start - 1 : start + length]
    inserted = (start, anchor, anchor + data.draw(st.text("AC", min_size=1, max_size=3)))
    variant = inserted if data.draw(st.booleans()) else (start, long, anchor)
    record = "1 {} . {} {} . . . GT 0/1".format(*variant)
    moved = standard(record, reference=WholeReference({"1": sequence.encode()}))
    assert moved == slow_left_align(sequence, *variant)
    changed = apply(sequence, *variant)
    assert apply(sequence, *moved) == changed
    # The slowest twin: the leftmost place at which the same length of change gives the same sequence.
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


def by_bcftools(path: Path, fasta: Path) -> list[Row]:
    rows = []
    for line in pysam.bcftools.norm("-f", str(fasta), "-m", "-any", str(path)).splitlines():
        if line.startswith("#"):
            continue
        contig, pos, _, reference, alternate, _, _, _, keys, sample = line.split("\t")
        values = dict(zip(keys.split(":"), sample.split(":"), strict=False))
        carried = -1 if "." in values["GT"] else values["GT"].count("1")
        depth, quality = (int(values[key]) if values.get(key, ".") != "." else -1 for key in ("DP", "GQ"))
        rows.append(Row(contig, int(pos), reference.upper(), alternate.upper(), carried, depth, quality))
    return rows


@pytest.mark.parametrize("name", ["sim_NA12878_truth_phased.vcf.gz", "test_nist.b37_chr20_100kbp_at_10mb.vcf.gz"])
def test_normalising_is_what_bcftools_does(shared_data: Path, tmp_path: Path, name: str) -> None:
    packed = shared_data / "reads/ucsc.hg19.chr20.unittest.fasta.gz"
    path = tmp_path / "named.vcf"
    path.write_bytes(gzip.decompress((shared_data / "reads" / name).read_bytes()).replace(b"\n20\t", b"\nchr20\t"))
    fasta = tmp_path / "chr20.fa"
    fasta.write_bytes(gzip.decompress(packed.read_bytes()))
    pysam.faidx(str(fasta))
    peer = sorted(by_bcftools(path, fasta))
    with fasta.open("rb") as plain, packed.open("rb") as bgzipped:
        beside = [packed.with_name(packed.name + suffix).read_bytes() for suffix in (".fai", ".gzi")]
        for reference in (
            IndexedReference(Source(plain, kind="fasta"), Path(f"{fasta}.fai").read_bytes()),
            IndexedReference(source(fasta.read_bytes(), "fasta"), Path(f"{fasta}.fai").read_bytes()),
            IndexedReference(Source(bgzipped, kind="fasta"), *beside),
            read_fasta(source(fasta.read_bytes(), "fasta")),
        ):
            assert sorted(read(path, reference)) == peer


@pytest.mark.parametrize("seed", range(4))
def test_simulated_changes_in_repeats_are_normalised_as_bcftools_does(tmp_path: Path, seed: int) -> None:
    chooser = random.Random(seed)
    sequences = {contig: repetitive(chooser, 6000) for contig in ("chr1", "chr2")}
    fasta, path = tmp_path / "made-up.fa", tmp_path / "made-up.vcf"
    wrapped = {
        name: "\n".join(letters[at : at + 61] for at in range(0, len(letters), 61))
        for name, letters in sequences.items()
    }
    fasta.write_text("".join(f">{name}\n{lines}\n" for name, lines in wrapped.items()))
    pysam.faidx(str(fasta))
    meta = [f"##contig=<ID={name},length={len(letters)}>" for name, letters in sequences.items()]
    meta += [f'##FORMAT=<ID={key},Number=1,Type={kind},Description="{key}">' for key, kind in FORMATS]
    meta.append('##FILTER=<ID=PASS,Description="All filters passed">')
    body = [record for name, letters in sequences.items() for record in simulated(chooser, name, letters)]
    path.write_bytes(vcf(meta=meta) + ("\n".join(body) + "\n").encode())
    with fasta.open("rb") as file:
        reference = IndexedReference(Source(file, kind="fasta"), Path(f"{fasta}.fai").read_bytes())
        ours = read(path, reference)
    assert len(ours) > 1000
    assert sorted(ours) == sorted(by_bcftools(path, fasta))


FORMATS = (("GT", "String"), ("DP", "Integer"), ("GQ", "Integer"))


@pytest.mark.parametrize("raw", [b"ACGT\n", b">1\nAC>GT\n", b">1\nA\n>1\nC\n", b">1\nAC1\n"])
def test_a_malformed_fasta_is_refused(raw: bytes) -> None:
    error = refused(lambda: read_fasta(source(raw, "fasta")))
    assert error is not None
    assert error.code == "fasta.malformed"


INDEX = b"1\t14\t3\t7\t8\n"
FASTA = b">1\nGGGCACa\ncACAGGG\n"


def indexed(raw: bytes = FASTA, index: bytes = INDEX, blocks: bytes | None = None) -> Callable[[], Variant]:
    def normalise() -> Variant:
        reference = IndexedReference(source(raw, "fasta", "small.fa"), index, blocks)
        return standard("1 8 . CAC C . . . GT 0/1", reference=reference)

    return normalise


def test_an_index_finds_the_lines() -> None:
    assert indexed()() == (3, "GCA", "G")


@given(
    sequence=st.text("ACacN", min_size=4, max_size=40),
    width=st.integers(1, 7),
    window_bytes=st.sampled_from([1, 5, 20, 1 << 18]),
    start=st.integers(1, 40),
    size=st.integers(1, 3),
)
def test_wherever_lines_and_windows_end_alignment_is_that_along_the_whole_sequence(
    sequence: str, width: int, window_bytes: int, start: int, size: int
) -> None:
    lines = [sequence[at : at + width] for at in range(0, len(sequence), width)]
    index = f"1\t{len(sequence)}\t3\t{width}\t{width + 1}\n".encode()
    by_lines = IndexedReference(source(">1\n{}\n".format("\n".join(lines)).encode(), "fasta"), index)
    by_lines.window_bytes = window_bytes
    start = min(start, len(sequence) - size)
    long = sequence[start - 1 : start + size].upper()
    for change in (f"{long} {long[0]}", f"{long[0]} {long[0]}{long[-1] * size}"):
        found, expected = (
            standard(f"1 {start} . {change} . . . GT 0/1", reference=reference)
            for reference in (by_lines, WholeReference({"1": sequence.encode()}))
        )
        assert found == expected


def fits_behind_another(reference: Reference, pos: int, allele: str) -> bool:
    """Whether REF is accepted behind a record for which its lines were fetched."""
    record = f"1 {pos} . {allele} {'C' if allele == 'A' else 'A'} . . . GT 0/1"
    error = refused(lambda: read(vcf("1 1 . G T . . . GT 0/1", record), reference))
    assert error is None or error.code == "vcf.reference"
    return error is None


@pytest.mark.parametrize("window_bytes", [1, 20, 1 << 48])
def test_with_its_lines_at_hand_a_reference_allele_is_refused_wherever_it_differs(window_bytes: int) -> None:
    bases = "GATNCAACTGAC"
    reference = IndexedReference(source(b">1\nGATNCAa\ncTGAC\n>2\nACGT", "fasta"), b"1\t12\t3\t7\t8\n")
    reference.window_bytes = window_bytes
    for pos, length in product(range(2, 13), range(1, 5)):
        right = bases[pos - 1 : pos - 1 + length]
        assert fits_behind_another(reference, pos, right)
        for place, base in enumerate(right):
            for other in {"T" if base == "C" else "C", "N"} - {base}:
                assert not fits_behind_another(reference, pos, right[:place] + other + right[place + 1 :])
        assert len(right) == length or not fits_behind_another(reference, pos, right + "A")


@pytest.mark.parametrize(
    ("index", "pos", "allele"),
    [(b"1\t9\t3\t7\t8\n", 9, "TG"), (b"1\t6\t3\t3\t8\n", 3, "TN"), (b"1\t14\t3\t7\t8\n", 13, "GC")],
)
def test_what_stands_behind_a_line_a_contig_or_the_file_is_no_base_of_it(index: bytes, pos: int, allele: str) -> None:
    assert not fits_behind_another(IndexedReference(source(b">1\nGATNCAa\ncTGACG", "fasta"), index), pos, allele)


def test_there_is_no_base_at_place_0_though_the_first_is_at_hand() -> None:
    raw = vcf("1 1 . G T . . . GT 0/1", "1 0 . G A . . . GT 0/1")
    error = refused(lambda: list(VcfReader(source(raw), reference=WholeReference({"1": b"GAT"}), lenient=True)))
    assert error is not None
    assert error.code == "vcf.reference"


def test_aligning_goes_on_from_a_reference_allele_that_ends_in_another_window() -> None:
    lines = IndexedReference(source(b">1\nGTCA\nCGGG\n", "fasta"), b"1\t8\t3\t4\t5\n")
    lines.window_bytes = 1
    assert standard("1 3 . CAC C . . . GT 0/1", reference=lines) == (2, "TCA", "T")


def test_a_mapped_file_that_is_shorter_than_its_index_says_is_refused(tmp_path: Path) -> None:
    fasta = tmp_path / "small.fa"
    fasta.write_bytes(FASTA)
    with fasta.open("r+b") as file:
        file.truncate(len(FASTA) - 9)
        reference = IndexedReference(Source(file, kind="fasta"), INDEX)
        error = refused(lambda: standard("1 8 . CAC C . . . GT 0/1", reference=reference))
    assert error is not None
    assert error.code == "vcf.reference"


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (indexed(index=b"1\t14\n"), "fasta.index"),
        (indexed(index=b"1\t14\t3\t9\t8\n"), "fasta.index"),
        (indexed(index=b"1\t14\t3\t0\t0\n"), "fasta.index"),
        (indexed(index=b"1\t14\t3\t-7\t8\n"), "fasta.index"),
        (indexed(index=INDEX * 2), "fasta.index"),
        (indexed(index=b"1\t14\t9223372036854775800\t7\t8\n"), "fasta.index"),
        (indexed(raw=FASTA[:12]), "vcf.reference"),
        (indexed(raw=gzip.compress(FASTA)), "fasta.index"),
        (indexed(raw=gzip.compress(FASTA), blocks=bytes(8)), "fasta.index"),
        (indexed(raw=gzip.compress(FASTA), blocks=bytes(7)), "fasta.index"),
        (indexed(raw=gzip.compress(FASTA), blocks=b"\x01" + bytes(7)), "fasta.index"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(made: Callable[[], object], code: str) -> None:
    error = refused(made)
    assert error is not None
    assert error.code == code


@pytest.mark.parametrize(
    "pairs",
    [[(2**40, 2**40)], [(2**63 - 1, 1)], [(2**63, 1)], [(0, 2)], [(30, 2), (20, 4)], [(20, 2), (20, 4)], [(10_000, 2)]],
)
def test_an_index_of_blocks_stays_inside_its_file(tmp_path: Path, pairs: list[tuple[int, int]]) -> None:
    """What it says is asked of the file, and so of memory."""
    fasta, packed = tmp_path / "small.fa", tmp_path / "small.fa.gz"
    fasta.write_bytes(FASTA)
    pysam.tabix_compress(str(fasta), str(packed))
    blocks = struct.pack(f"<{1 + 2 * len(pairs)}Q", len(pairs), *(number for pair in pairs for number in pair))
    with packed.open("rb") as file:
        error = refused(lambda: IndexedReference(Source(file, kind="fasta"), INDEX, blocks).lines("1", 0, 2))
    assert error is not None
    assert error.code == "fasta.index"


def test_behind_the_end_of_a_compressed_contig_there_are_no_lines(tmp_path: Path) -> None:
    fasta, packed = tmp_path / "long.fa", tmp_path / "long.fa.gz"
    fasta.write_text(">1\n" + "ACGT\n" * 100_000)
    pysam.tabix_compress(str(fasta), str(packed))
    pysam.faidx(str(packed))
    with packed.open("rb") as file:
        beside = (Path(f"{packed}{suffix}").read_bytes() for suffix in (".fai", ".gzi"))
        reference = IndexedReference(Source(file, kind="fasta"), *beside)
        assert reference.lines("1", 99_999, 5) == b"ACGT\n"
        assert reference.lines("1", 200_000, 5) == b""


@given(st.binary(max_size=60), st.binary(max_size=40), st.none() | st.binary(max_size=40))
def test_any_bytes_are_a_reference_or_refused(raw: bytes, index: bytes, blocks: bytes | None) -> None:
    error = refused(indexed(raw, index, blocks))
    assert error is None or error.code.split(".")[0] in {"fasta", "vcf"}
