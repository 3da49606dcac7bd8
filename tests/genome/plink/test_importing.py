import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genome.plink.file_set import PANEL, PANEL_SITES, bed, bim, fam, files, on_panel, panel_of
from genome.vcf_text import refused
from nebula.genome.imported import ImportedCohort
from nebula.genome.panel import Panel
from nebula.genome.plink.importing import import_plink
from nebula.genome.record import parse_vector
from nebula.genome.record.parquet import read_record
from nebula.genome.reference import WholeReference
from nebula.vault.reading import read_genomes, read_panel


def dosages(cohort: ImportedCohort, panel: Panel) -> list[list[int]]:
    """Of each person, the panel's codes; 3 is missing."""
    vectors = [parse_vector(genome.vector, panel) for genome in cohort]
    return [[one.codes[site // 4] >> (2 * (site % 4)) & 3 for site in range(panel.sites)] for one in vectors]


@settings(max_examples=20)
@given(st.lists(st.sampled_from("012."), min_size=5 * 60, max_size=5 * 60), st.lists(st.booleans(), min_size=60))
def test_copies_of_alt_are_counted_whichever_allele_stands_first(letters: list[str], swapped: list[bool]) -> None:
    genotypes = ["".join(letters[5 * row : 5 * row + 5]) for row in range(60)]
    sites = [
        (chrom, pos, *((reference, alternate) if swap else (alternate, reference)))
        for (chrom, pos, reference, alternate), swap in zip(PANEL_SITES, swapped, strict=False)
    ]
    people = [f"f p{number} 0" for number in range(5)]

    cohort = import_plink(files(bed(*genotypes), bim(*sites), fam(*people)), PANEL)

    expected = [
        [
            3 if row[person] == "." else (2 - int(row[person]) if swap else int(row[person]))
            for row, swap in zip(genotypes, swapped, strict=False)
        ]
        for person in range(5)
    ]
    assert dosages(cohort, PANEL) == expected


@pytest.fixture(scope="module")
def plink2() -> str:
    found = shutil.which("plink2")
    if found is None:
        pytest.skip("plink2 is not installed")
    return found


def make_bed(plink2: str, vcf: Path, out: Path, *options: str) -> Path:
    return make_set(plink2, vcf, out, "--make-bed", *options).with_suffix(".bed")


def make_pgen(plink2: str, vcf: Path, out: Path, *options: str) -> Path:
    return make_set(plink2, vcf, out, "--make-pgen", *options).with_suffix(".pgen")


def make_set(plink2: str, vcf: Path, out: Path, *options: str) -> Path:
    command = [plink2, "--vcf", str(vcf), "--out", str(out), "--threads", "1", *options]
    subprocess.run(command, check=True, capture_output=True)
    return out


def test_the_real_cohort_is_the_same_by_vcf_and_by_the_files_that_plink2_makes_of_it(
    shared_data: Path, plink2: str, tmp_path: Path
) -> None:
    vcf = shared_data / "cohort/1kg_p3_exome23k_b38.vcf.gz"
    panel = read_panel(vcf, name="exome")
    truth = read_genomes(vcf, panel)
    by_alt = read_genomes(make_bed(plink2, vcf, tmp_path / "alt"), panel)
    by_major = read_genomes(make_bed(plink2, vcf, tmp_path / "major", "--maj-ref", "force"), panel)
    by_pgen = read_genomes(make_pgen(plink2, vcf, tmp_path / "two"), panel)
    by_major_pgen = read_genomes(make_pgen(plink2, vcf, tmp_path / "two-major", "--maj-ref", "force"), panel)

    assert by_alt.genome(0).report.notes[0] == "REF is A2 at 23,770 sites and A1 at 0"
    assert not by_major.genome(0).report.notes[0].endswith(" 0")
    assert by_pgen.genome(0).report.format == "PLINK 2 binary"
    assert not by_major_pgen.genome(0).report.notes[0].endswith(" 0")
    for other in (by_alt, by_major, by_pgen, by_major_pgen):
        assert other.samples == truth.samples
        for person in range(len(truth)):
            assert other.vector(person).to_bytes() == truth.vector(person).to_bytes()


def test_men_have_one_copy_of_x_as_in_the_vcf_that_the_bed_was_made_of(
    shared_data: Path, plink2: str, tmp_path: Path
) -> None:
    vcf = shared_data / "cohort/1kg_26s_chrX_b37.vcf.gz"
    panel = read_panel(vcf, name="x", assembly="GRCh37", lenient=True)
    truth = read_genomes(vcf, panel, lenient=True)
    sexes = {genome.sample: genome.report.sex for genome in truth}
    table = "".join(f"{sample}\t{'MF'[sex == 'female']}\n" for sample, sex in sexes.items())
    (tmp_path / "sexes.txt").write_text("#IID\tSEX\n" + table)
    men = ("--update-sex", str(tmp_path / "sexes.txt"), "--split-par", "b37")

    for made in (make_bed(plink2, vcf, tmp_path / "x", *men), make_pgen(plink2, vcf, tmp_path / "x", *men)):
        by_plink = read_genomes(made, panel, lenient=True)
        assert {genome.sample: genome.report.sex for genome in by_plink} == sexes
        for person in range(len(truth)):
            theirs = parse_vector(truth.genome(person).vector, panel)
            ours = parse_vector(by_plink.genome(person).vector, panel)
            assert np.array_equal(theirs.codes, ours.codes)
    assert set(sexes.values()) == {"male", "female"}


def test_a_site_beyond_the_panel_is_carried_where_the_panel_or_the_genome_tells_ref() -> None:
    # 1:100 A>G is on the panel, so that A is the base there; of 1:5000 nothing but the genome tells.
    more = (("1", 100, "C", "A"), ("1", 5000, "T", "G"), ("1", 5001, "C", "T"), ("1", 6000, "TA", "T"))
    genotypes = ("10", "21", "02", "00")

    alone = import_plink(on_panel(*more, genotypes=genotypes), PANEL).genome(1).report
    assert alone.private_variants == 0
    assert "3 sites beyond the panel were left out, for want of a reference genome that tells REF" in alone.notes

    letters = bytearray(b"N" * 7000)
    for _, pos, reference, _ in PANEL_SITES:
        letters[pos - 1 : pos] = reference.encode()
    letters[4999:5001] = b"TT"
    letters[5999:6003] = b"TAAA"
    genome = WholeReference({"chr1": bytes(letters)})
    second = import_plink(on_panel(*more, genotypes=genotypes), PANEL, reference=genome).genome(1)

    assert "1 site has two alleles of which either may be REF, and was left out" in second.report.notes
    rows = read_record(second.parquet).select(["pos", "ref", "alt", "gt"]).to_pylist()
    assert [tuple(row.values()) for row in rows if row["pos"] >= 5000] == [
        (5000, "T", "G", "0/1"),
        (5001, "T", "C", "1/1"),
    ]


def test_sites_that_fit_nothing_are_left_out_and_counted() -> None:
    more = (("1", 100, "C", "T"), ("0", 0, "A", "C"), ("1", 200, "I", "D"), ("1", 201, "0", "0"), ("GL1", 5, "A", "C"))
    notes = import_plink(on_panel(*more, genotypes=["00"] * 5), PANEL).genome(0).report.notes
    assert notes == (
        "REF is A2 at 60 sites and A1 at 0",
        "1 site has two alleles of which neither is REF, and was left out",
        "1 site names one allele or none, and was left out",
        "1 site has alleles that are no sequences, and was left out",
        "2 sites off chromosomes 1 to 22, X, Y, MT were left out",
    )


def test_an_allele_that_nobody_carries_and_the_file_does_not_name_is_the_panels() -> None:
    panel = panel_of(*PANEL_SITES, ("2", 10, "A", "C"), ("2", 20, "G", "T"))
    more = (("2", 10, "0", "A"), ("2", 20, "0", "T"))
    assert [row[-2:] for row in dosages(import_plink(on_panel(*more, genotypes=["0.", "0."]), panel), panel)] == [
        [0, 2],
        [3, 3],
    ]
    error = refused(lambda: import_plink(on_panel(*more, genotypes=["01", "00"]), panel))
    assert error is not None
    assert (error.code, "line 61 " in error.message) == ("plink.allele", True)


def test_sites_on_the_minus_strand_cast_doubt_on_those_that_fit_either_strand() -> None:
    panel = panel_of(*PANEL_SITES, ("2", 10, "A", "T"), ("2", 20, "A", "G"))
    report = import_plink(on_panel(("2", 10, "T", "A"), genotypes=["11"]), panel).genome(0).report
    assert report.called == 61
    doubtful = on_panel(("2", 10, "T", "A"), ("2", 20, "C", "T"), genotypes=["11", "11"])
    report = import_plink(doubtful, panel).genome(0).report
    assert report.called == 60
    assert any(note.startswith("1 A/T and C/G site was left out") for note in report.notes)


def test_a_file_on_another_assembly_is_refused_by_its_bases_or_its_positions() -> None:
    moved = [(chrom, pos + 1, alternate, reference) for chrom, pos, reference, alternate in PANEL_SITES]
    for sites in (moved, moved[:5], [("1", 249_000_000, "A", "C")]):
        few = files(bed(*["00"] * len(sites)), bim(*sites), fam("f a 0", "f b 0"))
        error = refused(lambda few=few: import_plink(few, PANEL))
        assert error is not None
        assert error.code == "plink.wrong-assembly"
        assert error.message.startswith("c.bim: ")


def test_a_variant_that_stands_twice_is_refused_unless_nobody_carries_it() -> None:
    again = ("1", 100, "A", "G")  # the other way round: REF first
    assert import_plink(on_panel(again, genotypes=["22"]), PANEL).genome(0).report.variants == 60
    error = refused(lambda: import_plink(on_panel(again, genotypes=["21"]), PANEL))
    assert error is not None
    assert (error.code, "lines 1 and 61" in error.message) == ("plink.duplicate-variant", True)
    lenient = import_plink(on_panel(again, genotypes=["21"]), PANEL, lenient=True).genome(0).report
    assert [(one.code, one.kept, one.count) for one in lenient.overlooked] == [("plink.duplicate-variant", False, 2)]


def test_an_x_that_contradicts_the_stated_sex_is_told_and_nothing_is_made_of_it() -> None:
    sites = [("23", 5_000_000 + row, "C", "A") for row in range(60)]
    panel = panel_of(*(("X", pos, "A", "C") for _, pos, _, _ in sites))
    genotypes = ["12" if row % 2 else "22" for row in range(60)]
    cohort = import_plink(files(bed(*genotypes), bim(*sites), fam("f woman 1", "f man 1")), panel)
    assert [genome.report.sex for genome in cohort] == ["female", "male"]
    assert [row[:2] for row in dosages(cohort, panel)] == [[2, 1], [1, 1]]
    assert any(
        note.startswith("1 person has an X that contradicts their sex") for note in cohort.genome(0).report.notes
    )


def test_mitochondria_have_one_copy() -> None:
    panel = panel_of(*PANEL_SITES, ("MT", 100, "A", "G"))
    cohort = import_plink(on_panel(("26", 100, "G", "A"), genotypes=["21"]), panel)
    assert [row[-1] for row in dosages(cohort, panel)] == [1, 1]
    assert read_record(cohort.genome(0).parquet).to_pylist()[-1]["gt"] == "1"
