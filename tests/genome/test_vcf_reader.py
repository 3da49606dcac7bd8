import itertools
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.vcf_text import refused, source, vcf
from nebula.genome.inflate import Source
from nebula.genome.matrix import PackedMatrix
from nebula.genome.texts import Texts
from nebula.genome.vcf import VcfReader
from nebula.genome.vcf.reader import VariantBatch
from nebula.protocol.errors import RejectedInputError

GOOD = "1 10 rs1 A C 50 PASS AC=1;AN=2 GT:DP:GQ 0/1:20:60"


def read(raw: bytes) -> list[VariantBatch]:
    return list(VcfReader(source(raw)))


def refusal(raw: bytes) -> RejectedInputError:
    with pytest.raises(RejectedInputError) as caught:
        read(raw)
    return caught.value


def test_a_row_says_place_alleles_call_depth_and_quality() -> None:
    (batch,) = read(vcf(GOOD))
    assert (batch.pos.tolist(), batch.reference[0], batch.alternate[0]) == ([10], "A", "C")
    assert (batch.codes.dosage().tolist(), batch.depth.tolist(), batch.quality.tolist()) == ([[1]], [20], [60])


def test_alleles_of_one_record_become_rows_that_are_trimmed() -> None:
    (batch,) = read(vcf("1 127 . TTTAT TTTGT,T . . . GT 1/2 0|2 2|0", samples="XYZ"))
    assert batch.pos.tolist() == [127, 130]
    assert [(batch.reference[row], batch.alternate[row]) for row in range(2)] == [("TTTAT", "T"), ("A", "G")]
    assert batch.codes.dosage().tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch.forms.dosage()[0].tolist() == [0, -1, 2]  # unphased, phased with the allele second, first


def test_a_file_as_a_whole_is_its_batches_end_to_end(tmp_path: Path) -> None:
    places = [(1 + number // 20_000, number % 20_000 + 1) for number in range(40_000)]
    calls = ["0/1:7:9", "1|1:.:8", "./1:7:.", "0/0:7:50"]
    alternates, filters = ["<NON_REF>", "C", "CG"], ["low", "PASS", "."]
    records = [
        f"{contig} {pos} . A {alternates[pos % 3]} . {filters[pos % 7 % 3]} . GT:DP:GQ {calls[pos % 4]}"
        for contig, pos in places
    ]
    meta = [f'##FORMAT=<ID={key},Number=1,Type=Integer,Description="{key}">' for key in ("DP", "GQ")]
    raw = vcf(*records, meta=meta)
    batches = read(raw)
    assert len(batches) > 1
    (path := tmp_path / "small.vcf").write_bytes(raw)
    # Of a file on disk it is known how long it is, and room is made for all of it.
    with path.open("rb") as file:
        for whole in (VcfReader(source(raw)).whole(), VcfReader(Source(file, "small.vcf", "vcf")).whole()):
            for column in fields(VariantBatch):
                of_all = getattr(whole, column.name)
                parts = [getattr(batch, column.name) for batch in batches]
                if isinstance(of_all, int):
                    assert of_all == sum(parts)
                elif isinstance(of_all, Texts):
                    assert [part[row] for part in parts for row in range(len(part))] == [
                        of_all[row] for row in range(len(of_all))
                    ]
                else:
                    arrays = [part.packed if isinstance(part, PackedMatrix) else part for part in (*parts, of_all)]
                    assert np.array_equal(np.concatenate(arrays[:-1]), arrays[-1])
            assert len(whole.blocks) > 1000
            assert whole.half_calls > 1000


def test_alleles_longer_than_memory_are_refused_before_they_are_rows() -> None:
    alternates = ",".join("".join(bases) for bases in itertools.product("ACGT", repeat=6))
    bomb = vcf(f"1 5 . {'A' * (1 << 20)} {alternates} . . . GT 0/1")
    for lenient in (False, True):
        error = refused(VcfReader(source(bomb), lenient=lenient).whole)
        assert error is not None
        assert (error.code, "512 MiB" in error.message) == ("vcf.too-large", True)


@pytest.mark.parametrize("lenient", [False, True])
def test_contigs_beyond_what_a_number_tells_are_refused(lenient: bool) -> None:
    records = [f"c{number} 5 . A C . . . GT 0/1" for number in range(65_537)]
    assert len(VcfReader(source(vcf(*records[:-1], samples="A")), lenient=lenient).whole().contig) == 1 << 16
    error = refused(VcfReader(source(vcf(*records, samples="A")), lenient=lenient).whole)
    assert error is not None
    assert (error.code, "CHROM" in error.message) == ("vcf.too-large", True)


def test_what_is_no_sequence_becomes_no_row() -> None:
    (batch,) = read(vcf("1 5 . A <DEL>,*,C . . . GT 1/3"))
    assert (batch.alternate[0], batch.codes.dosage().tolist(), batch.other_alleles) == ("C", [[1]], 2)


def test_half_and_polyploid_calls_are_missing_and_counted() -> None:
    (batch,) = read(vcf("1 5 . A C . . . GT ./1 0/0/1 . 1", samples="WXYZ"))
    assert batch.codes.dosage().tolist() == [[-1, -1, -1, 1]]
    assert (batch.half_calls, batch.polyploid_calls) == (1, 1)


def test_blocks_are_hom_ref_stretches_with_data() -> None:
    rows = (
        "1 5 . A <NON_REF> . . END=20 GT:GQ 0/0:30",
        "1 21 . A <NON_REF> . . END=30 GT:GQ 0/0:0",
        "1 31 . CC . . . . GT 0/0",
    )
    (batch,) = read(vcf(*rows))
    assert batch.blocks.tolist() == [[0, 5, 20, -1, 30], [0, 31, 32, -1, -1]]


def test_a_variant_that_nobody_carries_may_stand_twice() -> None:
    (batch,) = read(vcf("1 5 . A C . . . GT 0/0", "1 5 . A C . . . GT 0/0"))
    assert (len(batch.pos), batch.repetitions) == (1, 1)
    assert refusal(vcf("1 5 . A C . . . GT 0/0", "1 5 . A C . . . GT 0/1")).code == "vcf.duplicate-variant"


@pytest.mark.parametrize(
    ("record", "code", "field"),
    [
        ("1 x . A C . . . GT 0/1", "vcf.pos", "POS"),
        ("1 5 . B C . . . GT 0/1", "vcf.ref", "REF"),
        ("1 5 . A A . . . GT 0/1", "vcf.alt", "ALT"),
        ("1 5 . A C -1 . . GT 0/1", "vcf.qual", "QUAL"),
        ("1 5 . A C . q;0 . GT 0/1", "vcf.filter", "FILTER"),
        ("1 5 . A C . . AC=x GT 0/1", "vcf.info", "INFO, 'AC'"),
        ("1 5 . A C . . . DP:GT 1:0/1", "vcf.format", "FORMAT"),
        ("1 5 . A C . . . GT 0/2", "vcf.genotype", "sample A, GT"),
        ("1 5 . A C . . . GT:DP 0/1:-3", "vcf.sample", "sample A, 'DP'"),
        ("1 5 . A C . . . GT 0/1 0/1", "vcf.columns", "line"),
        ("1 5 . A C . . .", "vcf.columns", "line"),
        ("1 9 . A C . . . GT 0/1", "vcf.unsorted", "POS"),
        ("2 5 . A C . . . GT 0/1", "vcf.not-contiguous", "CHROM"),
    ],
)
def test_a_refusal_names_file_line_field_and_rule(record: str, code: str, field: str) -> None:
    before = ("1 1 . A C . . . GT 0/1",)
    if code == "vcf.unsorted":
        before = ("1 10 . A C . . . GT 0/1",)
    if code == "vcf.not-contiguous":
        before = ("2 1 . A C . . . GT 0/1", "1 1 . A C . . . GT 0/1")
    error = refusal(vcf(*before, record))
    assert error.code == code
    assert error.message.startswith(f"small.vcf, line {3 + len(before)}, {field}: ")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "vcf.empty"),
        (b"hello\n", "vcf.no-fileformat"),
        (b"##fileformat=VCFv4.2\n", "vcf.header"),
        (b"##fileformat=VCFv3.3\n#CHROM\n", "vcf.version"),
        (b"BCF\x02\x02\x00\x00", "vcf.truncated"),
        (b"BCF\x02\x01\x00\x00\x00\x00", "vcf.bcf"),
        (b"\x7fELF\x00\x00", "vcf.binary"),
        (vcf(samples=["A", "B", "A"]), "vcf.duplicate-samples"),
        (vcf(meta=['##INFO=<ID=X,Number=one,Type=Integer,Description="d">']), "vcf.header"),
        (vcf(GOOD, version="4.3")[:-1], "vcf.truncated"),
        (vcf(GOOD, "", GOOD), "vcf.empty-line"),
    ],
)
def test_what_is_no_vcf_is_refused(raw: bytes, code: str) -> None:
    assert refusal(raw).code == code


def test_columns_between_blanks_instead_of_tabs_are_refused() -> None:
    assert refusal(vcf(GOOD).replace(b"\t", b" ")).code == "vcf.columns"


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    error = refused(lambda: read(raw))
    assert error is None or error.code.startswith("vcf.")


FIELD = st.sampled_from(
    [
        *("1", "chr2", "X", "5", "0", ".", "A", "C", "AC", "<DEL>", "*", "PASS", "GT", "GT:DP", "0/1", "1|1", "./."),
        *("0", "9/9", "-1", "1e9", "AC=1;AN=2", "END=7", "DB", "A,C", "", "[1:5[A", "\x01", "é", "9" * 20, "0/1:3:4"),
    ]
)


@given(st.lists(st.lists(FIELD, min_size=8, max_size=12), max_size=4))
def test_any_fields_are_read_or_refused_with_a_line(records: list[list[str]]) -> None:
    raw = vcf(samples=["A", "B"]) + "".join("\t".join(record) + "\n" for record in records).encode()
    error = refused(lambda: read(raw))
    if error is not None:
        assert re.match(r"small\.vcf, line \d+, ", error.message)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans()), min_size=1, max_size=20))
def test_codes_count_each_allele(calls: list[tuple[int, int, bool]]) -> None:
    texts = [f"{first}{'|' if phased else '/'}{second}" for first, second, phased in calls]
    (batch,) = read(
        vcf(f"1 5 . A C,G,T . . . GT {' '.join(texts)}", samples=[f"S{index}" for index in range(len(calls))])
    )
    for row, allele in enumerate((1, 2, 3)):
        assert batch.codes.dosage()[row].tolist() == [(a == allele) + (b == allele) for a, b, _ in calls]


@given(st.lists(st.integers(1, 400), max_size=60), st.booleans())
def test_pieces_may_end_anywhere(sizes: list[int], ended: bool) -> None:
    raw = vcf(*(f"1 {pos} . A {'C' * (pos % 90 + 1)} . . . GT 0/1" for pos in range(1, 20)), samples="A")
    raw = raw if ended else raw.rstrip(b"\n")
    places = [0, *itertools.accumulate(sizes), len(raw)]
    pieces = [raw[first:last] for first, last in itertools.pairwise(places) if raw[first:last]]
    whole = VcfReader(source(raw), iter(pieces)).whole()
    assert whole.pos.tolist() == list(range(1, 20))
    assert whole.alternate.lengths().tolist() == [pos % 90 + 1 for pos in range(1, 20)]
