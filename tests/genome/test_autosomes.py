import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genome.test_importing import panel_of
from nebula import _native
from nebula.genome.autosomes import autosomal_part
from nebula.genome.matrix import PackedMatrix


@given(st.integers(0, 9), st.integers(1, 9), st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_autosomal_part_counts_what_stands_on_autosomes_alone(
    on: int, off: int, people: int, random: object
) -> None:
    sites = [("22", 10 + place, "A", "C") for place in range(on)] + [
        ("X", 10 + place, "A", "C") for place in range(off)
    ]
    panel = panel_of(*sites)
    dosage = np.array(
        [[random.randint(-1, 2) for _ in range(people)] for _ in sites],  # type: ignore[attr-defined]
        np.int8,
    )
    vectors = _native.transpose_matrix(PackedMatrix.from_dosage(dosage).packed, people)

    counts = autosomal_part(vectors, panel).counts()

    for person in range(people):
        expected = [int((dosage[:on, person] == code).sum()) for code in (0, 1, 2, -1)]
        assert counts[person].tolist() == expected
