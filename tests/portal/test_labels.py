import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula.portal.labels import LONGEST, Box, Label, place_labels, shortened, text_width

WIDTH, HEIGHT = 900.0, 280.0
POINTS = st.lists(st.tuples(st.floats(0, WIDTH), st.floats(34, HEIGHT)), min_size=1, max_size=12)
NONE = np.zeros((0, 2))


def placed(points: list[tuple[float, float]]) -> list[Label]:
    strongest_first = np.array(sorted(points, key=lambda point: point[1]))
    names = [f"{index}:12345678:C:T" for index in range(len(points))]
    return place_labels(strongest_first, names, width=WIDTH, height=HEIGHT, others=NONE)


@settings(max_examples=60, deadline=None)
@given(POINTS)
def test_no_name_covers_another_or_reaches_beyond_the_plot(points: list[tuple[float, float]]) -> None:
    labels = placed(points)

    boxes = [label.box for label in labels]
    assert all(0 <= box.left < box.right <= WIDTH and 0 <= box.top < box.bottom <= HEIGHT for box in boxes)
    assert not any(one.meets(other) for index, one in enumerate(boxes) for other in boxes[:index])


@settings(max_examples=60, deadline=None)
@given(POINTS)
def test_no_leader_runs_through_a_name(points: list[tuple[float, float]]) -> None:
    labels = placed(points)

    for label in labels:
        for other in labels:
            if label.leader is not None and other is not label:
                along = np.linspace(*label.leader, 200)
                assert not other.box.covers_any(along, margin=-0.01)


def test_a_point_by_itself_has_its_name_right_above() -> None:
    (label,) = placed([(450.0, 100.0)])
    assert label.leader is None
    assert label.box.bottom == 95.0
    assert (label.box.left + label.box.right) / 2 == 450.0


def test_a_point_at_the_border_has_its_name_inside() -> None:
    left, right = placed([(0.5, 100.0), (899.5, 110.0)])
    assert left.box.left == 1.0
    assert right.box.right == WIDTH - 1


def test_the_strongest_comes_first_and_the_next_moves_aside() -> None:
    first, second = placed([(450.0, 100.0), (455.0, 101.0)])
    assert (first.point, second.point) == (0, 1)
    assert first.box.bottom == 95.0


def test_points_without_a_name_are_left_uncovered_where_there_is_room() -> None:
    point, others = np.array([[450.0, 100.0]]), np.array([[430.0, 90.0]])
    (label,) = place_labels(point, ["1:1:A:G"], width=WIDTH, height=HEIGHT, others=others)
    assert not label.box.covers_any(others)


def test_where_nothing_is_free_there_is_no_name() -> None:
    assert place_labels(np.array([[5.0, 5.0]]), ["1:1:A:G"], width=30, height=12, others=NONE) == []


def test_a_name_is_cut_where_it_would_be_too_wide() -> None:
    name = shortened("1:12345:" + "ACGT" * 20 + ":A")
    assert len(name) == LONGEST
    assert name.endswith("…")
    assert text_width(name) < WIDTH / 3


def test_boxes_side_by_side_do_not_meet() -> None:
    assert not Box(0, 0, 10, 10).meets(Box(10, 0, 20, 10))
    assert Box(0, 0, 10, 10).meets(Box(9, 9, 20, 20))
