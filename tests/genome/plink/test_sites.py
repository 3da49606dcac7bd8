import pytest

from genome.plink.file_set import bim, source
from genome.vcf_text import refused
from nebula.genome.chromosomes import MT, X, Y
from nebula.genome.plink.sites import read_sites


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(("1", 1), ("chr22", 22), ("23", X), ("X", X), ("chrx", X), ("XY", X), ("25", X), ("PAR1", X)),
        *(("24", Y), ("Y", Y), ("26", MT), ("MT", MT), ("chrM", MT), ("0", 0), ("27", 0), ("GL000192.1", 0)),
    ],
)
def test_chromosomes_are_known_by_names_and_by_plinks_numbers(name: str, code: int) -> None:
    assert read_sites(source(bim((name, 5, "A", "C")), "c.bim")).chromosome.tolist() == [code]


def test_alleles_are_upper_case_and_empty_where_they_are_not_named() -> None:
    sites = read_sites(source(bim(("1", 5, "a", "Cag"), ("1", -6, "0", "."), ("1", 7, "<DEL>", "N")), "c.bim"))
    assert (sites.first, sites.second) == (["A", "", "<DEL>"], ["CAG", "", "N"])
    assert sites.pos.tolist() == [5, -6, 7]


def test_filters_of_a_pvar_are_told_apart_as_many_as_there_are() -> None:
    values = [f"q{number}" for number in range(65_536)]
    raw = b"#CHROM POS ID REF ALT FILTER\n" + "".join(f"1 5 . A C {value}\n" for value in values).encode()
    sites = read_sites(source(raw, "c.pvar"))
    assert [sites.filters[number] for number in sites.filter.tolist()] == values


def test_a_pvar_names_its_columns_and_may_have_filters_and_several_alleles() -> None:
    raw = b"##x\n#CHROM POS ID REF ALT FILTER\n1 5 . a C PASS\n1 6 . G T,TT q10\n1 7 . C <DEL> PASS\n"
    sites = read_sites(source(raw, "c.pvar"))
    assert (sites.first, sites.second) == (["C", "T,TT", "<DEL>"], ["A", "G", "C"])
    assert [sites.filters[number] for number in sites.filter.tolist()] == ["PASS", "q10", "PASS"]
    assert (sites.alleles().tolist(), sites.line(0)) == ([2, 3, 2], 3)


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        (b"1 rs 0 5 A\n", "plink.fields", "line 1 has 5 fields"),
        (b"1 rs 0 5 A C\n1 rs 0 x A C\n", "plink.position", "line 2, position: b'x'"),
        (b"1 rs 0 268435457 A C\n", "plink.position", "line 1"),
        (b"1 rs 0 5 A a\n", "plink.allele", "line 1: both alleles are A"),
        (b"1 rs 0 5 A \xc3\x84\n", "plink.allele", "ASCII"),
        (b"#CHROM\tPOS\tID\tREF\tALT\n", "plink.no-sites", "no site"),
        (b"##x\n#CHROM POS ID REF\n1 5 rs A\n", "plink.columns", "line 2 names no column ALT"),
        (b"##x\n#CHROM POS ID REF ALT\n1 x rs A C\n", "plink.position", "line 3"),
        (
            b"#CHROM POS ID REF ALT FILTER\n" + b"".join(b"1 5 . A C q%d\n" % number for number in range(65_537)),
            "plink.filters",
            "line 65538, FILTER: more than 65,536",
        ),
    ],
)
def test_a_bad_bim_is_refused_with_its_line(raw: bytes, code: str, said: str) -> None:
    error = refused(lambda: read_sites(source(raw, "c.bim")))
    assert error is not None
    assert error.code == code
    assert said in error.message
