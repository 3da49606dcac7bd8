from pathlib import Path

import pytest

from genome.plink.file_set import PANEL, PANEL_SITES, bed, bim, fam
from genome.vcf_text import refused
from nebula.vault.reading import read_genomes, read_panel

SITES = [(chrom, pos, alternate, reference) for chrom, pos, reference, alternate in PANEL_SITES]


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    (tmp_path / "c.bed").write_bytes(bed(*["012"] * len(SITES)))
    (tmp_path / "c.bim").write_bytes(bim(*SITES))
    (tmp_path / "c.fam").write_bytes(fam("f a 1", "f b 2", "f c 0"))
    return tmp_path / "c.bed"


def test_a_bed_is_read_with_the_files_beside_it_and_progress_is_told(cohort: Path) -> None:
    told: list[int] = []
    genomes = read_genomes(cohort, PANEL, progress=told.append)
    assert [genome.report.homozygous_alternate for genome in genomes] == [0, 0, 60]
    assert told[-1] == cohort.stat().st_size


def test_a_panel_is_made_of_a_bed_with_the_reference_genome(cohort: Path) -> None:
    letters = bytearray(b"N" * 200)
    for _, pos, reference, _ in PANEL_SITES:
        letters[pos - 1 : pos] = reference.encode()
    fasta = cohort.with_name("genome.fa")
    fasta.write_bytes(b">1\n" + bytes(letters) + b"\n")
    made = read_panel(cohort, name="own", assembly="GRCh38", reference=fasta)
    assert made.keys.tolist() == PANEL.keys.tolist()


@pytest.mark.parametrize(
    ("suffix", "code", "hint"),
    [
        (".bim", "plink.name", "c.bed"),
        (".fam", "plink.name", "c.bed"),
        (".pvar", "plink.name", "c.pgen"),
        (".psam", "plink.name", "c.pgen"),
    ],
)
def test_another_file_of_a_set_is_refused_with_what_to_name(cohort: Path, suffix: str, code: str, hint: str) -> None:
    error = refused(lambda: read_genomes(cohort.with_suffix(suffix), PANEL))
    assert error is not None
    assert error.code == code
    assert hint in (error.hint or "")


def test_a_set_named_without_an_ending_is_refused_with_the_name_to_give(cohort: Path) -> None:
    error = refused(lambda: read_genomes(cohort.with_suffix(""), PANEL))
    assert error is not None
    assert error.code == "import.file"
    assert error.hint == f"name {cohort}, with its ending"


@pytest.mark.parametrize("suffix", [".bim", ".fam"])
def test_a_set_that_lacks_a_file_is_refused_by_its_name(cohort: Path, suffix: str) -> None:
    cohort.with_suffix(suffix).unlink()
    error = refused(lambda: read_genomes(cohort, PANEL))
    assert error is not None
    assert error.code == "import.file"
    assert f"c{suffix}" in error.message
