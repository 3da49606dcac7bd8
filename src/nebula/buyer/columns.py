"""Which columns of phenotypes there are, as far as a buyer knows: those of its own studies that have a result.

Nobody tells a buyer which columns records have: that one person has a column is something about that person.
"""

from collections.abc import Callable, Iterable

from nebula.analysis.parameters import analysed_columns, parse_parameters
from nebula.clinical.columns import close_names
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.study import StudyDocument


def columns_of(study: StudyDocument) -> tuple[str, ...]:
    """Return the columns that a study needs, each once: those that are analysed, and those of its conditions."""
    analysed = analysed_columns(parse_parameters(study.analysis, study.parameters))
    return tuple(dict.fromkeys((*analysed, *(condition.column for condition in study.conditions))))


def likely_meant(
    study: StudyDocument, earlier: Iterable[StudyDocument], *, has_result: Callable[[StudyDocument], bool]
) -> dict[str, str]:
    """Return, of a study's columns, those that are spelt nearly like a known one, and the known one.

    Args:
        study: whose columns may be mistyped.
        earlier: this buyer's other studies.
        has_result: whether a study has one, so that its columns are known to be there.
    """
    studies_with: dict[str, list[StudyDocument]] = {}
    for document in earlier:
        try:
            columns = columns_of(document)
        except RejectedInputError:
            continue  # of an earlier version, whose parameters this one does not know: it says nothing here
        for column in columns:
            studies_with.setdefault(column, []).append(document)
    new = [column for column in columns_of(study) if column not in studies_with]
    meant = {}
    for column in new:
        known = [name for name in close_names(column, studies_with) if any(map(has_result, studies_with[name]))]
        if known:
            meant[column] = known[0]
    return meant
