"""A stranger's place: what decomposing everybody's genotypes again says, and not drawn to the centre."""

import numpy as np
from scipy.linalg import orthogonal_procrustes

from nebula.analysis.oadp import stranger_place

DRAW = np.random.default_rng(11)


def test_with_all_components_it_is_what_a_new_decomposition_of_everybody_says() -> None:
    reference, stranger = DRAW.normal(size=(6, 40)), DRAW.normal(size=40)
    left, values, right = np.linalg.svd(reference, full_matrices=False)

    again, sizes, _ = np.linalg.svd(np.vstack([reference, stranger]), full_matrices=False)
    places = again[:, :6] * sizes[:6]
    turn, agreement = orthogonal_procrustes(places[:6], left * values)
    expected = agreement / np.square(places[:6]).sum() * places[6] @ turn

    assert np.allclose(stranger_place(right @ stranger, stranger @ stranger, values), expected)


def test_who_lies_wholly_in_the_components_stays_there() -> None:
    values = np.array([9.0, 4.0, 2.0])
    projected = np.array([0.02, -0.01, 0.03])

    assert np.allclose(stranger_place(projected, float(projected @ projected), values), projected, atol=1e-4)


def test_strangers_come_out_among_their_group_where_sums_of_loadings_draw_them_to_the_centre() -> None:
    variants, people = 4_000, 40
    groups = DRAW.normal(size=(2, variants)) * 0.12
    group = np.repeat([0, 1], people // 2)
    reference = groups[group] + DRAW.normal(size=(people, variants))
    centre = reference.mean(axis=0)
    left, values, right = np.linalg.svd(reference - centre, full_matrices=False)
    where = left[:, 0] * values[0]
    apart = where[group == 0].mean() - where[group == 1].mean()

    strangers = groups[group] + DRAW.normal(size=(people, variants)) - centre
    drawn = strangers @ right[0]
    placed = np.array([stranger_place(right[:1] @ one, one @ one, values[:1])[0] for one in strangers])

    def share(found: np.ndarray) -> float:
        return float((found[group == 0].mean() - found[group == 1].mean()) / apart)

    assert share(drawn) < 0.65
    assert 0.85 < share(placed) < 1.15
