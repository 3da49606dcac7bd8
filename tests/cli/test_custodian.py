"""What a custodian is told of a cohort."""

import pytest

from nebula.cli.custodian import made_in_words


@pytest.mark.parametrize(
    ("new", "known", "registered_now", "said"),
    [
        (150, 0, 150, "150 records made."),
        (1, 0, 1, "1 record made."),
        (40, 110, 40, "150 records: 40 made now, 110 before."),
        (40, 110, 150, "150 records: 40 made now, 110 before; 110 that had waited went on to the ledger."),
        (0, 150, 150, "150 records: all were made before; 150 that had waited went on to the ledger."),
        (0, 150, 0, "150 records: all were made before."),
        (0, 1, 1, "1 record: it was made before; 1 that had waited went on to the ledger."),
    ],
)
def test_an_import_that_goes_on_says_what_was_made_before_and_now(
    new: int, known: int, registered_now: int, said: str
) -> None:
    assert made_in_words(new, known, registered_now=registered_now) == said
