"""Every vendor's layout is read, or refused with the line, the column and the rule."""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.vcf_text import refused, source
from nebula.genome.assembly_proof import ENOUGH_MARKERS
from nebula.genome.consumer.layout import vendor_names
from nebula.genome.consumer.reading import ConsumerFile, looks_like_consumer_file, read_consumer
from nebula.genome.importing import import_genomes
from nebula.genome.inflate import Limits, Source
from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel
from nebula.genome.zipped import unzipped

LETTERS = ("AA", "CC", "GG", "TT", "--", "GC", "TC", "AT")
EIGHT = [(1, 100 + number, letters) for number, letters in enumerate(LETTERS, start=1)]

WELL_FORMED = {
    "23andme.txt": "23andMe",
    "23andme_win.txt": "23andMe",
    "23mofang.txt": "23Mofang",
    "DNALand.txt": "DNA.Land",
    "ancestry.txt": "AncestryDNA",
    "ancestry_multi_sep.txt": "AncestryDNA",
    "ftdna.csv": "FamilyTreeDNA",
    "ftdna_famfinder.csv": "FamilyTreeDNA",
    "generic.csv": "a table of genotypes",
    "generic.tsv": "a table of genotypes",
    "generic_extra_column.tsv": "a table of genotypes",
    "generic_header_comment.tsv": "a table of genotypes",
    "generic_multi_rsid.tsv": "a table of genotypes",
    "genesforgood.txt": "Genes for Good",
    "livingdna.csv": "Living DNA",
    "mapmygenome.txt": "Mapmygenome",
    "mapmygenome_alt_header.txt": "Mapmygenome",
    "mapmygenome_new_format.txt": "Mapmygenome",
    "myheritage.csv": "MyHeritage",
    "myheritage_extra_quotes.csv": "MyHeritage",
    "plink.txt": "a table of genotypes",
    "sano_dtc.txt": "Sano Genetics",
    "sano_dtc_no_comments.txt": "Sano Genetics",
    "selfdecode.txt": "SelfDecode",
    "tellmeGen.txt": "tellmeGen",
}

REFUSED = {
    "codigo46.txt": "columns",
    "discrepant_snps.csv": "columns",
    "generic_no_header.tsv": "columns",
    "generic_non_standard_columns.tsv": "columns",
    "empty.txt": "empty",
}


def test_every_vendor_whose_layout_is_known_stands_in_the_documentation() -> None:
    guide = (Path(__file__).parents[3] / "docs/how-to/bring-a-genome.md").read_text(encoding="utf-8")
    assert [name for name in vendor_names() if name not in guide] == []
    assert f"At least {ENOUGH_MARKERS} markers" in guide


def markers(file: ConsumerFile) -> list[tuple[int, int, str]]:
    pairs = zip(file.first.tolist(), file.second.tolist(), strict=True)
    letters = [chr(one) + (chr(two) if two else "") for one, two in pairs]
    return list(zip(file.chromosome.tolist(), file.pos.tolist(), letters, strict=True))


def read(raw: bytes, name: str = "raw.txt") -> ConsumerFile:
    return read_consumer(source(raw, "consumer", name))


@pytest.mark.parametrize("name", WELL_FORMED)
def test_a_vendors_layout_is_known_and_its_letters_are_read(shared_data: Path, name: str) -> None:
    raw = (shared_data / "consumer/vendors" / name).read_bytes()
    assert looks_like_consumer_file(raw)
    file = read(raw)
    assert file.layout.vendor == WELL_FORMED[name]
    assert file.layout.plus_strand
    # Two of 23andMe's old files have markers of no place behind these.
    assert [marker for marker in markers(file) if marker[0]] == EIGHT


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_layout_is_refused_by_its_rule(shared_data: Path, name: str) -> None:
    raw = (shared_data / "consumer/vendors" / name).read_bytes()
    error = refused(lambda: read(raw, name))
    assert error is not None
    assert error.code == f"consumer.{REFUSED[name]}"
    assert name in error.message


def test_every_file_of_the_vendors_is_a_layout_a_refusal_or_a_vcf(shared_data: Path) -> None:
    panel = Panel("one", "1", "GRCh38", np.array([variant_key("1", 101, "A", "C")], np.uint64))
    for path in sorted((shared_data / "consumer/vendors").iterdir()):
        with path.open("rb") as opened:
            error = refused(lambda opened=opened, path=path: import_genomes(Source(opened, path.name), panel))
        # Eight markers prove no assembly, so the well-formed go as far as that.
        if path.name in WELL_FORMED:
            assert error is not None
            assert error.code == "consumer.few-markers"
        elif path.name in REFUSED and path.name != "empty.txt":
            assert error is not None
            assert error.code == f"consumer.{REFUSED[path.name]}"


def test_numbered_chromosomes_are_x_y_the_pseudoautosomal_part_and_mt() -> None:
    lines = ["rsid\tchromosome\tposition\tallele1\tallele2"]
    lines += [f"rs{code}\t{code}\t5\tA\tA" for code in (23, 24, 25, 26)] + ["rs0\t0\t0\t0\t0"]
    assert read("\n".join(lines).encode()).chromosome.tolist() == [23, 24, 23, 25, 0]


def test_alleles_longer_than_a_base_are_insertions(shared_data: Path) -> None:
    file = read((shared_data / "consumer/vendors/circledna.txt").read_bytes())
    assert (1, 106, "GC") in markers(file)
    assert read(b"#Circle\n# MARKERNAME\tCHROM\tPOS\tGT\nrs1\tchr1\t7\tA/ACG\n").second.tolist() == [ord("I")]


def test_letters_of_the_forward_strand_are_not_taken_for_the_plus_strand(shared_data: Path) -> None:
    assert not read((shared_data / "consumer/vendors/sano.txt").read_bytes()).layout.plus_strand


def test_a_byte_order_mark_and_a_heading_said_twice_are_read_over() -> None:
    heading = b"RSID,CHROMOSOME,POSITION,RESULT\r\n"
    raw = b"\xef\xbb\xbf" + heading + b'"rs1","1","5","AG"\r\n' + heading + b'"rs2","X","7","C"\r\n'
    assert markers(read(raw)) == [(1, 5, "AG"), (23, 7, "C")]


@pytest.mark.parametrize(
    ("line", "code", "place"),
    [
        ("a,1,5,AA,extra", "columns", "line 3"),
        ("a,1,5,AB", "genotype", "line 3, genotype"),
        ("a,1,,AA", "position", "line 3, position"),
        ("a,1,268435456,AA", "position", "line 3, position"),
        ("a,GL1,5,AA", "chromosome", "line 3, chromosome"),
        ("a" * 70_000, "line-too-long", "line"),
    ],
)
def test_a_malformed_line_is_refused_with_its_line_column_and_rule(line: str, code: str, place: str) -> None:
    raw = f"rsid,chromosome,position,genotype\nrs1,1,5,AA\n{line}\n".encode()
    error = refused(lambda: read(raw))
    assert error is not None
    assert error.code == f"consumer.{code}"
    assert place in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("above", "sentence", "known"),
    [
        (
            "rsid\tchromosome\tposition\tgenotype_other",
            "line 1 names the columns rsid, chromosome, position, ",
            "result",
        ),
        ("# made today\n# rsid,chr,place,gt", "line 2 names the columns rsid, chr, place, gt: none", "pos"),
        ("rsid,chr,pos,gt,gt", "line 1 names the columns rsid, chr, pos, gt, gt: one of them twice", "genotype"),
        ("rsid,chr,pos,allele1", "one allele without the other", "allele2"),
        ("rsid,chr,\x1b[31mpos\x07", "rsid, chr, [31mpos: none of them is known to hold the position and the", "pos"),
    ],
)
def test_columns_that_are_not_known_are_named_with_those_that_would_be(above: str, sentence: str, known: str) -> None:
    error = refused(lambda: read(f"{above}\nrs1\t1\t5\tAA\n".encode()))
    assert error is not None
    assert sentence in error.message
    assert known in str(error.hint)


def test_a_file_without_names_of_columns_is_told_how_to_name_them() -> None:
    error = refused(lambda: read(b"rs1\t1\t5\tAA\n"))
    assert error is not None
    assert "no line before the first marker names" in error.message
    assert "rsid, chromosome, position, genotype" in str(error.hint)


FIELDS = st.tuples(
    st.sampled_from(["1", "22", "X", "MT", "chr7", "23", "0", "", "Z"]),
    st.sampled_from(["1", "17", "0", "268435455", "268435456", "x", ""]),
    st.sampled_from(["AA", "A", "--", "DI", "A/C", "A|-", "00", "AB", "", "ACG", "AC/G"]),
)
CODES = {"1": 1, "22": 22, "X": 23, "MT": 25, "chr7": 7, "23": 23, "0": 0}
READINGS = {"AA": "AA", "A": "A", "--": "--", "DI": "DI", "A/C": "AC", "A|-": "A-", "00": "--", "AC/G": "IG"}


@given(st.lists(FIELDS, min_size=1, max_size=4), st.sampled_from("\t,"), st.sampled_from(["\n", "\r\n"]))
def test_the_fast_parser_reads_what_the_obvious_one_does(
    rows: list[tuple[str, str, str]], separator: str, end: str
) -> None:
    lines = [("rsid", "chromosome", "position", "genotype"), *(("rs1", *row) for row in rows)]
    raw = "".join(separator.join(line) + end for line in lines).encode()
    valid = all(
        chromosome in CODES
        and letters in READINGS
        and pos.isdigit()
        and (0 < int(pos) < 1 << 28 or (pos == "0" and chromosome == "0"))
        for chromosome, pos, letters in rows
    )
    if not valid:
        assert refused(lambda: read(raw)) is not None
        return
    obvious = [(CODES[chromosome], int(pos), READINGS[letters]) for chromosome, pos, letters in rows]
    assert markers(read(raw)) == obvious


def zipped(*members: tuple[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


UNLIMITED = Limits()


def unpack(raw: bytes, limits: Limits = UNLIMITED) -> bytes:
    return b"".join(unzipped(Source(io.BytesIO(raw), "raw.zip", "consumer", limits)).pieces())


def test_the_one_file_of_an_archive_is_read_packed_or_not() -> None:
    assert unpack(zipped(("raw.txt", b"text"), ("__MACOSX/._raw.txt", b"x"))) == b"text"
    assert unpack(zipped(("raw.txt.gz", gzip.compress(b"text")))) == b"text"
    assert unpack(b"text") == b"text"


def test_archives_of_several_files_bombs_and_damaged_ones_are_refused() -> None:
    whole = zipped(("raw.txt", b"rs1\t1\t5\tAA\n" * 9_000))
    middle = len(whole) // 3
    hostile = [
        zipped(("a", b"a"), ("b", b"b")),
        whole[:-30],
        whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :],
    ]
    for raw in hostile:
        error = refused(lambda raw=raw: unpack(raw))
        assert error is not None
        assert error.code == "consumer.archive"
    assert refused(lambda: unpack(whole, Limits(inflated_bytes=1_000))) is not None
