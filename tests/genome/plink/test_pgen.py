"""Files of PLINK 2, as plink2 writes them of a small VCF."""

import sys
from pathlib import Path

import numpy as np
import pytest

from genome.plink.file_set import PANEL, PANEL_SITES, source
from genome.plink.test_importing import dosages, make_pgen, plink2
from genome.vcf_text import refused, vcf
from nebula.genome.imported import ImportedCohort
from nebula.genome.plink.pgen import Pgen
from nebula.vault.reading import read_genomes

__all__ = ["plink2"]

CALLS = ("0/0 0|1 ./.", "1/1 1|0 0/0", "0/1 0/0 0/1")
FILTERS = ("PASS", "q10", ".")


@pytest.fixture
def pgen(plink2: str, tmp_path: Path) -> Path:
    sites = enumerate(PANEL_SITES)
    records = [
        f"{chrom} {pos} rs{pos} {reference} {alternate} . {FILTERS[row % 3]} . GT {CALLS[row % 3]}"
        for row, (chrom, pos, reference, alternate) in sites
    ]
    meta = ['##FILTER=<ID=q10,Description="q">', "##contig=<ID=1,length=248956422>"]
    several = "1 5000 rs A C,G . PASS . GT 0/1 1/2 2/2"
    raw = vcf(*records, several, samples=("a", "b", "c"), meta=meta)
    (tmp_path / "c.vcf").write_bytes(raw)
    return make_pgen(plink2, tmp_path / "c.vcf", tmp_path / "c")


def imported(file: Path) -> ImportedCohort:
    return read_genomes(file, PANEL)


def test_calls_are_those_of_the_vcf_that_the_set_was_made_of(pgen: Path) -> None:
    told: list[int] = []
    by_pgen = read_genomes(pgen, PANEL, progress=told.append)
    assert dosages(by_pgen, PANEL) == dosages(imported(pgen.with_suffix(".vcf")), PANEL)
    assert told[-1] == pgen.stat().st_size


def test_a_site_that_failed_its_filter_is_missing_in_the_vector(pgen: Path) -> None:
    for codes in dosages(imported(pgen), PANEL):
        assert all(code == 3 for code in codes[1::3])
        assert any(code != 3 for code in codes)


def test_sites_of_several_alternate_alleles_are_left_out_and_counted(pgen: Path) -> None:
    report = imported(pgen).genome(0).report
    assert report.variants == len(PANEL_SITES)
    assert any(note.startswith("1 site has several ALT alleles") for note in report.notes)


@pytest.mark.parametrize("kept", [3, 12, 40])
def test_a_pgen_that_is_cut_off_is_refused(pgen: Path, kept: int) -> None:
    pgen.write_bytes(pgen.read_bytes()[:kept])
    error = refused(lambda: imported(pgen))
    assert error is not None
    assert error.code == "plink.pgen"
    assert error.message.startswith("c.pgen: PLINK's library cannot read it")


@pytest.mark.parametrize("suffix", [".pvar", ".psam"])
def test_a_pgen_beside_files_of_another_set_is_refused(pgen: Path, suffix: str) -> None:
    beside = pgen.with_suffix(suffix)
    beside.write_bytes(beside.read_bytes().rsplit(b"\n", 2)[0] + b"\n")
    error = refused(lambda: imported(pgen))
    assert error is not None
    assert (error.code, "another set" in (error.hint or "")) == ("plink.pgen", True)


def test_a_pgen_in_memory_is_refused() -> None:
    error = refused(lambda: Pgen(source(b"\x6c\x1b\x10", "c.pgen"), alleles=np.array([2]), people=1))
    assert error is not None
    assert "on a disk" in error.message


def test_without_the_library_one_is_told_what_to_install(pgen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pgenlib", None)
    error = refused(lambda: imported(pgen))
    assert error is not None
    assert "nebula-network[pgen]" in (error.hint or "")
