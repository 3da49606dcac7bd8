"""What a custodian is told of a cohort."""

import pytest

from nebula.cli.custodian import made_in_words, rates_in_words
from simulators.records import make_panel


@pytest.mark.parametrize(
    ("new", "known", "registered_now", "said"),
    [
        (150, 0, 150, "150 records made."),
        (1, 0, 1, "1 record made."),
        (40, 110, 40, "150 records: 40 made now, 110 before."),
        (40, 110, 150, "150 records: 40 made now, 110 before; 110 that had waited here went on to the ledger."),
        (0, 150, 150, "150 records: all were made before; 150 that had waited here went on to the ledger."),
        (0, 150, 0, "150 records: all were made before."),
        (0, 1, 1, "1 record: it was made before; 1 that had waited here went on to the ledger."),
    ],
)
def test_an_import_that_goes_on_says_what_was_made_before_and_now(
    new: int, known: int, registered_now: int, said: str
) -> None:
    assert made_in_words(new, known, registered_now=registered_now) == said


def test_records_of_little_use_on_a_panel_are_counted_before_they_are_put_on_it() -> None:
    panel = make_panel(1000)
    whole, few = rates_in_words([0.0, 0.2, 0.99, 1.0, 1.0], panel)
    assert whole == "Of the 1,000 sites of simulated@1, 5 records would have 0.0% at least, 99.0% in the median."
    assert few.startswith("2 of them would have less than half")
    assert len(rates_in_words([0.5, 0.6], panel)) == 1
