import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula.disclosure.suppression import MASKED, enough_copies, enough_people, mask_genotype_cells, round_significant

CELLS = ("homozygous_other", "heterozygous", "homozygous_effect")


def row(hom_other: int, het: int, hom_effect: int) -> dict:
    people, effect = hom_other + het + hom_effect, het + 2 * hom_effect
    values = dict(zip(CELLS, (hom_other, het, hom_effect), strict=True))
    values |= {"n": people, "effect_allele_count": effect, "fewest": min(effect, 2 * people - effect)}
    return {name: np.array([value]) for name, value in values.items()} | {"hwe_p_value": np.array([0.5])}


def is_small(cells: tuple[int, int, int]) -> bool:
    return any(0 < cell < 10 for cell in cells)


def explanations(people: int, effect: int) -> list[tuple[int, int, int]]:
    """All genotype counts with these margins that the rule would have masked as well."""
    found = []
    for hom_effect in range(effect // 2 + 1):
        het = effect - 2 * hom_effect
        cells = (people - het - hom_effect, het, hom_effect)
        if cells[0] >= 0 and is_small(cells):
            found.append(cells)
    return found


@given(st.tuples(st.integers(0, 400), st.integers(0, 60), st.integers(0, 60)).filter(lambda row: sum(row) >= 100))
def test_a_masked_cell_cannot_be_had_back_from_the_margins(cells: tuple[int, int, int]) -> None:
    table = row(*cells)
    if not enough_copies(table)[0]:
        return
    masked = mask_genotype_cells(table)
    if not is_small(cells):
        assert [masked[name][0] for name in CELLS] == list(cells)
        return
    assert [masked[name][0] for name in CELLS] == [MASKED] * 3
    assert np.isnan(masked["hwe_p_value"][0])
    possible = explanations(int(table["n"][0]), int(table["effect_allele_count"][0]))
    assert cells in possible
    # No single one of the three cells is settled by what is left.
    for which in range(3):
        assert len({each[which] for each in possible}) > 1


@pytest.mark.parametrize("copies", range(25))
def test_fewer_than_ten_copies_are_too_few_whichever_allele_is_rare(copies: int) -> None:
    het = copies % 2
    for cells in ((200, het, copies // 2), (copies // 2, het, 200)):
        assert bool(enough_copies(row(*cells))[0]) is (copies >= 10)


@given(st.floats(min_value=-1e12, max_value=1e12), st.integers(2, 9))
def test_rounding_keeps_so_many_digits_and_nothing_more(value: float, digits: int) -> None:
    rounded = round_significant(np.array([value, np.nan]), digits)
    assert abs(rounded[0] - value) <= 0.5001 * 10 ** (1 - digits) * abs(value)
    assert float(f"{rounded[0]:.{digits - 1}e}") == rounded[0]
    assert np.isnan(rounded[1])


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_squares_left_out_are_two_or_more_with_ten_people_or_none(people: list[int]) -> None:
    table = {"component_x": np.ones(len(people), np.int64), "people": np.array(people)}
    shown = enough_people(table)["people"]
    hidden = sum(people) - int(shown.sum())
    assert (shown >= 10).all()
    if hidden and len(shown):
        assert hidden >= 10
        assert len(people) - len(shown) >= 2
