import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nebula.genome.bases import reverse_complement
from nebula.genome.texts import Texts

TURNED = str.maketrans("ACGT", "TGCA")


@given(st.lists(st.text("ACGTN", min_size=1)))
def test_each_allele_is_read_backwards_on_the_other_strand(alleles: list[str]) -> None:
    texts = Texts.of(alleles)
    turned = reverse_complement(texts)
    assert [turned[row] for row in range(len(alleles))] == [allele.translate(TURNED)[::-1] for allele in alleles]
    assert np.array_equal(turned.lengths(), texts.lengths())
