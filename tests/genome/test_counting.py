import numpy as np
import pytest

from genome.vcf_text import source, vcf
from nebula.genome import counting
from nebula.genome.calls import Calls
from nebula.genome.counting import count_calls
from nebula.genome.vcf import VcfReader


@pytest.mark.parametrize("at_once", [1, 3, 1 << 16])
def test_calls_that_did_not_pass_are_missing_wherever_they_stand(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_AT_ONCE", at_once)
    filters = ["PASS", "low", ".", "low;odd", "RefCall", "PASS", "PASS", "odd", "PASS", "low"]
    records = [f"1 {place} . A C . {said} . GT 0/1 1/1" for place, said in enumerate(filters, start=1)]
    reader = VcfReader(source(vcf(*records, samples="AB")))
    calls = Calls.of(reader.whole(), samples=reader.header.samples, contigs=reader.contigs, filters=reader.filters)
    counted = count_calls(calls, ["unknown", "unknown"], "GRCh38")
    failed = np.array([said not in ("PASS", ".", "RefCall") for said in filters])
    expected = np.where(failed[:, None], -1, [1, 2])
    assert np.array_equal(counted.calls.codes.dosage(), expected)
    assert counted.filtered == failed.sum() == 4
