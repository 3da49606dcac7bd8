import pytest

from nebula.cli.study_publish import is_too_few
from nebula.hub.match import thresholded


@pytest.mark.parametrize(
    ("count", "least", "hopeless"),
    [(0, 100, True), (99, 100, True), (99, 50, False), (100, 100, False), (1500, 2000, False)],
)
def test_a_study_is_hopeless_where_even_the_rounded_count_is_below_what_it_needs(
    count: int, least: int, hopeless: bool
) -> None:
    assert is_too_few(thresholded(count), least) is hopeless
