import numpy as np
import pytest

from genome.plink.file_set import bed, source
from genome.vcf_text import refused
from nebula.genome.plink.bed import Bed

GOOD = bed("01.2.", "22100")


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        (b"", "plink.magic", "offset 0 stands nothing"),
        (b"chr1\t5\t9\n", "plink.magic", "636872"),
        (b"\x6c\x1b", "plink.magic", "6c1b"),
        (b"\x6c\x1b\x00" + GOOD[3:], "plink.person-major", "person by person"),
        (GOOD[:-1], "plink.size", "6 bytes, and 2 sites of 5 people make 7"),
        (GOOD + b"\0", "plink.size", "8 bytes"),
    ],
)
def test_what_is_no_bed_of_so_many_people_is_refused(raw: bytes, code: str, said: str) -> None:
    error = refused(lambda: Bed(source(raw, "c.bed"), sites=2, people=5))
    assert error is not None
    assert error.code == code
    assert error.message.startswith("c.bed: ")
    assert said in error.message
    assert error.hint


def test_bits_behind_the_last_person_tell_that_the_fam_is_another_sets() -> None:
    file = Bed(source(bed("0000", "0020"), "c.bed"), sites=2, people=2)
    error = refused(lambda: file.read(np.array([1]), a1_is_reference=np.array([False])))
    assert error is not None
    assert (error.code, "offset 4 " in error.message) == ("plink.padding", True)


def test_rows_far_from_each_other_are_read_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nebula.genome.plink.bed._PIECE_BYTES", 4)
    genotypes = [f"{row % 3}01" for row in range(50)]
    rows = np.array([0, 7, 8, 31, 49])
    swapped = np.array([False, True, False, True, False])
    read = Bed(source(bed(*genotypes), "c.bed"), sites=50, people=3).read(rows, a1_is_reference=swapped)
    assert read.dosage().tolist() == [
        [(2 - int(one) if swap else int(one)) for one in genotypes[row]]
        for row, swap in zip(rows.tolist(), swapped.tolist(), strict=True)
    ]
