import pytest

from genome.vcf_text import source, vcf
from nebula.genome.allele_balance import allele_balance


def calls(*written: str, bases: str = "A C", form: str = "GT:AD") -> bytes:
    return vcf(*(f"1 {10 + place} . {bases} . . . {form} {call}" for place, call in enumerate(written)), samples="A")


def test_balanced_calls_are_told_from_skewed_ones() -> None:
    found = allele_balance(source(calls("0/1:10,10", "0|1:2,18", "1|0:30,3", "0/1:4,16")))
    assert found is not None
    assert (found.calls, found.skewed, found.suspicious) == (4, 2, False)


@pytest.mark.parametrize(
    "call", ["0/0:20,0", "1/1:0,30", "0/1:9,10", "0/1:.", "0/1:10", "./.:10,10", "0/1:" + "9" * 5000 + ",10"]
)
def test_only_heterozygous_calls_of_some_depth_tell(call: str) -> None:
    assert allele_balance(source(calls(call))) is None


def test_files_without_allele_depths_tell_nothing() -> None:
    assert allele_balance(source(calls("0/1", form="GT"))) is None
    assert allele_balance(source(calls("0/1:10,10", bases="A CT"))) is None


def test_a_sample_with_many_skewed_calls_is_suspicious() -> None:
    mixed = calls(*["0/1:15,15"] * 880, *["0/1:27,3"] * 120)
    found = allele_balance(source(mixed))
    assert found is not None
    assert found.suspicious
