import pytest

from genome.plink.file_set import fam, source
from genome.vcf_text import refused
from nebula.genome.plink.people import read_people


def test_people_are_called_by_their_own_id() -> None:
    people = read_people(source(fam("f a 1", "g b 2", "g c 0"), "c.fam"))
    assert people.names == ("a", "b", "c")
    assert people.sexes.tolist() == [1, 2, 0]
    assert (people.with_family, people.phenotypes) == (False, 0)


def test_where_ids_repeat_between_families_everyone_has_the_family_before_it() -> None:
    people = read_people(source(fam("f 1 1", "g 1 2", "g 2 2"), "c.fam"))
    assert people.names == ("f_1", "g_1", "g_2")
    assert people.with_family


def test_phenotypes_are_counted_and_fields_may_be_cut_by_any_blanks() -> None:
    raw = b"f a 0 0 1 2\n f  b\t0 0 2 1.75\r\nf c 0 0 0 NA"
    assert read_people(source(raw, "c.fam")).phenotypes == 2


def test_a_psam_names_its_columns_and_needs_no_family_and_no_sex() -> None:
    people = read_people(source(b"##remark\n#IID\tSEX\tHEIGHT\na\t2\t170\nb\tM\tNA\nc\tNA\t1\n", "c.psam"))
    assert (people.names, people.sexes.tolist(), people.phenotypes) == (("a", "b", "c"), [2, 1, 0], 0)
    assert read_people(source(b"#FID IID\nf a\ng a\n", "c.psam")).names == ("f_a", "g_a")


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        (b"", "plink.empty", "c.fam"),
        (b"f a 0 0 1\n", "plink.fields", "line 1 has 5 fields"),
        (fam("f a 1") + b"\n", "plink.fields", "line 2 has 0 fields"),
        (b"##x\n#FID\tSEX\nf 1\n", "plink.columns", "line 2 names no column IID"),
        (b"#IID\tSEX\tSEX\na 1 1\n", "plink.columns", "line 1 names a column twice"),
        (b"##x\n#IID\n", "plink.people", "names nobody"),
        (b"##x\n", "plink.people", "names nobody"),
        (b"##x\n#IID\na\nb\na\n", "plink.duplicate-id", "lines 3 and 5 are both about 0_a"),
        (b"#IID SEX\na 1\nb\n", "plink.fields", "line 3 has 1 fields, not 2"),
        (b"f a 0 0 X -9\n", "plink.sex", "line 1, sex: it is b'X'"),
        (b"f \xff 0 0 1 -9\n", "plink.id", "UTF-8"),
        (b"f a\x07 0 0 1 -9\n", "plink.id", "line 1"),
        (fam("f a 1", "f b 1", "f a 2"), "plink.duplicate-id", "lines 1 and 3 are both about f_a"),
        (fam("a_b c 1", "a b_c 1", "g c 1"), "plink.duplicate-id", "lines 1 and 2"),
        (b"x" * (1 << 21), "plink.line-too-long", "line 1"),
    ],
)
def test_a_bad_fam_is_refused_with_its_line(raw: bytes, code: str, said: str) -> None:
    error = refused(lambda: read_people(source(raw, "c.fam")))
    assert error is not None
    assert error.code == code
    assert said in error.message
