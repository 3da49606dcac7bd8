"""BCF says what its VCF says, htslib being the writer; and no bytes do harm."""

import gzip
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.vcf_text import refused, source, vcf
from nebula.genome.inflate import Limits, Source
from nebula.genome.vcf import VcfReader
from nebula.genome.vcf.reader import VariantBatch

bcftools = pytest.importorskip("pysam.bcftools")

META = (
    "##contig=<ID=1>",
    "##contig=<ID=X>",
    '##FILTER=<ID=q10,Description="d">',
    '##FILTER=<ID=s50,Description="d">',
    '##INFO=<ID=DB,Number=0,Type=Flag,Description="d">',
    '##INFO=<ID=AF,Number=A,Type=Float,Description="d">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="d">',
    '##INFO=<ID=NOTE,Number=.,Type=String,Description="d">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="d">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="d">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="d">',
    '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="d">',
    '##FORMAT=<ID=FT,Number=1,Type=String,Description="d">',
)
RECORDS = (
    "1 0 . N <DEL> . . . GT ./.",
    "1 10 rs1;rs2 A C 50.5 PASS DB;AF=0.5 GT:DP:GQ:PL 0/1:20:60:9,0,9",
    "1 20 . AT A,ATT . q10;s50 AF=0.1,.;NOTE=a,b GT:DP 1|2:70000",
    "1 30 . A <NON_REF> . . END=40 GT:DP:GQ 0/0:.:99",
    "1 50 . C G . . . DP 3",
    "X 5 . G T . . . GT:FT 1:q10",
    "X 6 . G T . . . GT 0/0/1",
    "X 7 . G T . . . GT ./1",
    "X 8 . G . . . . GT 0",
)


def bcf(raw: bytes, folder: Path) -> bytes:
    """The same as BCF, by htslib."""
    (folder / "in.vcf").write_bytes(raw)
    bcftools.view("--no-version", "-Ob", "-o", str(folder / "out.bcf"), str(folder / "in.vcf"), catch_stdout=False)
    return (folder / "out.bcf").read_bytes()


def read(raw: bytes) -> list[VariantBatch]:
    return list(VcfReader(source(raw)))


def same(ours: VariantBatch, theirs: VariantBatch) -> None:
    for name in ("contig", "pos", "key", "filter", "depth", "quality", "blocks"):
        assert getattr(ours, name).tolist() == getattr(theirs, name).tolist(), name
    for name in ("codes", "forms"):
        assert getattr(ours, name).packed.tolist() == getattr(theirs, name).packed.tolist(), name
    for name in ("reference", "alternate"):
        pair = getattr(ours, name), getattr(theirs, name)
        assert pair[0].content.tolist() == pair[1].content.tolist()
        assert pair[0].numbers.tolist() == pair[1].numbers.tolist()
    assert ours.line.tolist() != []


@pytest.mark.parametrize("samples", ["A", "ABCDE"])
def test_a_bcf_says_what_its_vcf_says(samples: str, tmp_path: Path) -> None:
    records = [f"{record} {' '.join([record.split(' ')[-1]] * (len(samples) - 1))}".strip() for record in RECORDS]
    raw = vcf(*records, samples=samples, meta=META)
    written = bcf(raw, tmp_path)
    reader = VcfReader(source(written))
    (ours,) = reader
    (theirs,) = read(raw)
    assert reader.binary
    assert reader.filters == [".", "PASS", "q10;s50"]
    same(ours, theirs)


@pytest.mark.parametrize("name", ["1kg_26s_chrX_b37.vcf.gz"])
def test_a_cohorts_bcf_says_what_its_vcf_says(name: str, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "cohort" / name
    bcftools.view("-Ob", "-o", str(tmp_path / "out.bcf"), str(path), catch_stdout=False)
    with path.open("rb") as text, (tmp_path / "out.bcf").open("rb") as binary:
        theirs, ours = (list(VcfReader(Source(file, name, "vcf"))) for file in (text, binary))
    for column in ("pos", "key"):
        assert np.array_equal(*(np.concatenate([getattr(one, column) for one in side]) for side in (ours, theirs)))
    codes = [np.concatenate([one.codes.packed for one in side]) for side in (ours, theirs)]
    assert np.array_equal(*codes)


def inflated(raw: bytes) -> bytes:
    return gzip.decompress(raw)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A BCF without compression."""
    return inflated(bcf(vcf(*RECORDS, meta=META), tmp_path_factory.mktemp("bcf")))


@given(st.data())
def test_a_bcf_with_other_bytes_is_read_or_refused(plain: bytes, data: st.DataObject) -> None:
    start = 9 + int.from_bytes(plain[5:9], "little") if data.draw(st.booleans()) else 0
    changed = bytearray(plain)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(start, len(plain) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(plain)))
    error = refused(lambda: read(bytes(changed[:cut])))
    assert error is None or error.code.startswith("vcf.")


def small_bcf(shared: bytes, individual: bytes, samples: int = 1) -> bytes:
    names = "".join(f"\tS{number}" for number in range(samples))
    header = (
        "\n".join(
            ("##fileformat=VCFv4.2", *META, f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT{names}\n")
        ).encode()
        + b"\x00"
    )
    lengths = struct.pack("<II", len(shared), len(individual))
    return b"BCF\x02\x02" + struct.pack("<I", len(header)) + header + lengths + shared + individual


def site(*, contig: int = 0, infos: int = 0, keys: int = 0, samples: int = 1, tail: bytes = b"\x00") -> bytes:
    """The shared half of a record `A > C`: contig, position, length, quality, counts, ID, alleles, FILTER, INFO."""
    fixed = struct.pack("<iiiIII", contig, 9, 1, 0x7F800001, 2 << 16 | infos, keys << 24 | samples)
    return fixed + b"\x07" + b"\x17A\x17C" + tail


def test_the_smallest_record_is_read() -> None:
    (batch,) = read(small_bcf(site(keys=1), b"\x11\x07\x21\x02\x04"))
    assert (batch.pos.tolist(), batch.codes.dosage().tolist()) == ([10], [[1]])


@pytest.mark.parametrize(
    ("shared", "individual"),
    [
        pytest.param(site(contig=7), b"", id="a contig that is not there"),
        pytest.param(site(samples=2), b"", id="another number of samples"),
        pytest.param(site() + b"\x00", b"", id="bytes behind INFO"),
        pytest.param(site(), b"\x00", id="bytes behind the samples"),
        pytest.param(site(infos=1, tail=b"\x00\x11\x63\x11\x05"), b"", id="a key that is not there"),
        pytest.param(site(tail=b"\x04"), b"", id="no type"),
        pytest.param(site(tail=b"\xf1\x13\xff\xff\xff\x7f"), b"", id="a length without its bytes"),
        pytest.param(site(infos=1, tail=b"\x00\x11\x05\x11\x82"), b"", id="a number that is set apart"),
        pytest.param(site(infos=1, tail=b"\x00\x11\x06\x37a\tb"), b"", id="a tab in a text"),
        pytest.param(site(infos=1, tail=b"\x00\x11\x06\x37a;b"), b"", id="a semicolon in a text"),
        pytest.param(site(keys=1), b"\x11\x07\x21\x81\x04", id="an allele behind the end"),
        pytest.param(site(keys=1), b"\x11\x07\x21\xf0\x04", id="a negative allele"),
    ],
)
def test_a_record_that_breaks_the_format_is_refused_with_its_line(shared: bytes, individual: bytes) -> None:
    error = refused(lambda: read(small_bcf(shared, individual)))
    assert error is not None
    assert error.code == "vcf.bcf"
    assert f"line {len(META) + 3}, " in error.message


def test_a_small_record_may_not_become_a_long_line() -> None:
    raw = small_bcf(site(keys=1, samples=5000), b"\x11\x07\x01", samples=5000)
    error = refused(lambda: list(VcfReader(Source(io.BytesIO(raw), kind="vcf", limits=Limits(line_bytes=5000)))))
    assert error is not None
    assert error.code == "vcf.bcf"


def test_a_bcf_that_is_cut_off_is_refused(plain: bytes) -> None:
    for cut in (6, 40, len(plain) - 3):
        error = refused(lambda cut=cut: read(plain[:cut]))
        assert error is not None
        assert error.code == "vcf.truncated"
