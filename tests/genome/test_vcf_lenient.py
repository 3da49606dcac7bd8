"""A lenient reading takes what leaves no doubt, and says what it overlooked."""

import pytest

from genome.test_importing import panel_of
from genome.vcf_rules import VECTORS, Vector
from genome.vcf_text import COLUMNS, refused, source, vcf
from nebula.genome.imported import ImportedCohort
from nebula.genome.importing import import_genomes
from nebula.genome.record import parse_vector
from nebula.genome.record.parquet import read_record
from nebula.genome.vcf import VcfReader
from nebula.genome.vcf.rules import RULES

FATES = {rule.code: rule.lenient for rule in RULES}
PANEL = panel_of(("1", 10, "A", "C"), ("1", 20, "A", "C"), ("1", 30, "A", "C"))


def imported(raw: bytes) -> ImportedCohort:
    return import_genomes(source(raw, "genome"), PANEL, lenient=True)


def test_what_was_overlooked_is_counted_by_rule_with_its_first_line() -> None:
    records = (
        "1 10 . A C . . AC=x GT 0/1",
        "1 20 a;a A C . . AC=x GT 1/1",
        "1 25 . R C . . . GT 0/1",
        "1 30 . A C . . . GT 0/7",
    )
    cohort = imported(vcf(*records))
    report = cohort.genome(0).report
    assert [(one.code, one.kept, one.count, one.line) for one in report.overlooked] == [
        ("vcf.genotype", True, 1, 6),
        ("vcf.id", True, 1, 4),
        ("vcf.info", True, 2, 3),
        ("vcf.ref", False, 1, 5),
    ]
    assert str(report.overlooked[3]).startswith("vcf.ref broken once, left out; first in line 5, REF: 'R' is no")
    assert (report.called, report.heterozygous, report.homozygous_alternate) == (2, 1, 1)


def test_a_file_that_keeps_the_rules_reads_the_same_either_way() -> None:
    raw = vcf("1 10 . A C . . . GT 0/1", "1 20 . A C . . . GT 1|1")
    lenient, strict = imported(raw).genome(0), import_genomes(source(raw, "genome"), PANEL).genome(0)
    assert (lenient.vector, lenient.parquet, lenient.report) == (strict.vector, strict.parquet, strict.report)


def test_records_in_any_order_are_taken() -> None:
    genome = imported(vcf("1 30 . A C . . . GT 0/1", "2 5 . A C . . . GT 0/1", "1 10 . A C . . . GT 1/1")).genome(0)
    assert [one.code for one in genome.report.overlooked] == ["vcf.not-contiguous"]
    assert (genome.report.heterozygous, genome.report.homozygous_alternate) == (1, 1)
    assert read_record(genome.parquet).column("pos").to_pylist() == [10, 30, 5]


def test_a_variant_that_stands_twice_counts_once_where_both_agree_and_not_at_all_where_they_do_not() -> None:
    agreeing = ("1 10 . A C . . . GT 0/1", "1 10 . A C . . . GT 0/1")
    disagreeing = ("1 20 . A C . . . GT 0/1", "1 20 . A C . . . GT 1/1")
    genome = imported(vcf(*agreeing, *disagreeing)).genome(0)
    assert (genome.report.called, genome.report.heterozygous) == (1, 1)
    assert [(one.kept, one.count, one.line) for one in genome.report.overlooked] == [(True, 1, 4), (False, 2, 5)]


def test_one_sample_that_cannot_be_read_is_missing_and_the_others_are_not() -> None:
    cohort = imported(vcf("1 10 . A C . . . GT:DP 0/1:x A/C:5 1/1:7", samples="XYZ"))
    codes = [parse_vector(genome.vector, PANEL).codes[0] & 3 for genome in cohort]
    assert codes == [1, 3, 2]


@pytest.mark.parametrize(
    ("first", "minor"),
    [("##fileformat=VCFv4.0", 1), ("##fileformat=VCFv4.9", 5), ("##source=x", 2)],
)
def test_a_version_that_is_not_known_is_guessed(first: str, minor: int) -> None:
    raw = f"{first}\n{COLUMNS}\tFORMAT\tA\n1\t10\t.\tA\tC\t.\t.\t.\tGT\t0/1\n".encode()
    reader = VcfReader(source(raw), lenient=True)
    assert sum(len(batch.pos) for batch in reader) == 1
    assert reader.header.minor == minor
    assert [one.code for one in reader.overlooked] in (["vcf.version"], ["vcf.no-fileformat"])


@pytest.mark.parametrize(
    "raw", [b"hello\n", b"##fileformat=VCFv3.3\n#CHROM\n", b"\x7fELF\x00", b"##fileformat=VCFv4.2\n"]
)
def test_what_cannot_be_understood_is_refused_all_the_same(raw: bytes) -> None:
    assert refused(lambda: list(VcfReader(source(raw), lenient=True))) is not None


@pytest.mark.parametrize("vector", [one for one in VECTORS if one.invalid], ids=lambda one: one.what)
def test_every_broken_rule_is_reported_as_the_table_says(vector: Vector) -> None:
    found: dict[str, bool] = {}

    def walk() -> None:
        reader = VcfReader(source(vector.of(vector.invalid[-1])), lenient=True)
        list(reader)
        found.update((one.code, one.kept) for one in reader.overlooked)

    error = refused(walk)
    if error is not None:
        assert error.code == vector.code
        assert not FATES[vector.code] or vector.what == "other columns"
    elif vector.code == "vcf.duplicate-variant":  # told apart when all rows are known
        assert found == {}
    else:
        assert found[vector.code] == (FATES[vector.code] == "kept")
