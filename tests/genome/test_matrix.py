import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from nebula import _native
from nebula.genome.matrix import PackedMatrix

DOSAGES = hnp.arrays(np.int8, st.tuples(st.integers(0, 70), st.integers(1, 70)), elements=st.integers(-1, 2))


def slow_pack(dosage: NDArray[np.int8]) -> NDArray[np.uint8]:
    variants, samples = dosage.shape
    out = np.zeros((variants, -(-samples // 4)), np.uint8)
    for row in range(variants):
        for column in range(samples):
            code = dosage[row, column] if dosage[row, column] >= 0 else 3
            out[row, column // 4] |= code << (2 * (column % 4))
    return out


@given(DOSAGES)
def test_packing_agrees_with_its_slow_twin_and_unpacking_restores(dosage: NDArray[np.int8]) -> None:
    matrix = PackedMatrix.from_dosage(dosage)
    assert (matrix.packed == slow_pack(dosage)).all()
    assert (matrix.dosage() == dosage).all()
    assert (matrix.codes() == np.where(dosage < 0, 3, dosage)).all()
    assert (PackedMatrix.from_codes(matrix.codes()).packed == matrix.packed).all()


@given(DOSAGES)
def test_counts_are_what_looking_at_each_dosage_gives(dosage: NDArray[np.int8]) -> None:
    expected = [[(row == value).sum() for value in (0, 1, 2, -1)] for row in dosage]
    assert PackedMatrix.from_dosage(dosage).counts().tolist() == expected


@given(DOSAGES)
def test_transposing_people_to_variants_is_the_transpose_of_the_dosages(dosage: NDArray[np.int8]) -> None:
    people = slow_pack(np.ascontiguousarray(dosage))
    assert (_native.transpose_matrix(people, dosage.shape[1]) == slow_pack(dosage.T)).all()


@given(DOSAGES, st.data())
def test_selecting_is_what_numpy_selects(dosage: NDArray[np.int8], data: st.DataObject) -> None:
    columns = data.draw(st.lists(st.integers(0, dosage.shape[1] - 1)))
    matrix = PackedMatrix.from_dosage(dosage).select_samples(columns)
    assert matrix.samples == len(columns)
    assert (matrix.dosage() == dosage[:, columns]).all()


@given(DOSAGES, st.data())
def test_keeping_samples_in_place_is_selecting_them(dosage: NDArray[np.int8], data: st.DataObject) -> None:
    columns = np.array(sorted(data.draw(st.sets(st.integers(0, dosage.shape[1] - 1)))), np.int64)
    matrix = PackedMatrix.from_dosage(dosage)
    packed = matrix.packed.copy()
    _native.keep_samples(packed, matrix.samples, columns)
    width = -(-len(columns) // 4)
    kept = packed.reshape(-1)[: len(dosage) * width].reshape(len(dosage), width)
    assert (PackedMatrix(kept, len(columns)).dosage() == dosage[:, columns]).all()


def test_a_mask_drops_the_people_it_leaves_out() -> None:
    matrix = PackedMatrix.from_dosage(np.array([[0, 1, 2, -1, 1]], np.int8))
    assert matrix.select_samples(np.array([True, False, True, False, True])).dosage().tolist() == [[0, 2, 1]]


def test_a_row_with_codes_behind_its_last_sample_is_no_matrix() -> None:
    with pytest.raises(ValueError, match="must be zero"):
        PackedMatrix(np.array([[0xFF]], np.uint8), 3)


@pytest.mark.parametrize("columns", [[-1], [5], [2**40]])
def test_a_sample_that_is_not_there_cannot_be_selected(columns: list[int]) -> None:
    with pytest.raises(ValueError, match="not among"):
        PackedMatrix.from_dosage(np.zeros((2, 5), np.int8)).select_samples(columns)


def test_vectors_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="vector 1"):
        _native.place([np.zeros(2, np.uint8), np.zeros(3, np.uint8)], 8, np.zeros((8, 1), np.uint8), 0)
