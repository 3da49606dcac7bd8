"""Which columns of a table are phenotypes: those that were asked for, else those that a study could use.

What would single a person out is no phenotype: names and numbers of people, where they live, texts that nearly
everybody has another of. The former are refused even if they are asked for.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from nebula.clinical.cells import has_value, kind_of
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

#: Words of a column's name that say that it is about who or where somebody is.
_TELLING = re.compile(
    r"(?<![a-z])(ids?|eid|iid|identifier|accession|barcode|uuid|guid|mrn|ssn|nhs|names?|surname|forename|e?mail"
    r"|(tele)?phone|address|postcode|zip|location|co-?ordinates?|latitude|longitude)(?![a-z])",
    re.IGNORECASE,
)
#: Hardly two people share a value where there are more different ones than this for each value.
_OFTEN = 0.5
#: From so many lines on, texts that all differ are taken for names of people, whatever the column is called.
_MANY = 10
#: So many names fit on a line.
_NEAR = 8


class LeftOut(NamedTuple):
    """A column that is not taken, and why."""

    name: str
    why: str


class Chosen(NamedTuple):
    """The indices of the columns that are phenotypes, in the order of their names, and what else there is."""

    taken: list[int]
    left_out: tuple[LeftOut, ...]


def choose_columns(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    key: int,
    people: Collection[str],
    wanted: Collection[str] | None,
    name: str,
) -> Chosen:
    """Choose the columns that are phenotypes.

    Args:
        header: the columns' names, each once.
        rows: the cells of every line.
        key: which column names the person.
        people: who is brought in.
        wanted: the columns that were asked for; None to have them judged.
        name: of the table, for errors.

    Raises:
        RejectedInputError: ``phenotypes.columns``, ``phenotypes.identifier``; a wanted column is not there, or says
            who somebody is.
    """
    if wanted is not None:
        _refuse_unknown(header, wanted, header[key], name)
    taken, left_out = [], []
    for index in sorted(range(len(header)), key=lambda column: header[column]):
        if index == key:
            continue
        column = [cells[index].strip() for cells in rows]
        singled = _singles_out(header[index], column, [cells[key].strip() for cells in rows])
        if wanted is not None and header[index] in wanted:
            if singled is not None:
                _refuse_identifier(name, header[index], singled)
            taken.append(index)
            continue
        theirs = [cells[index].strip() for cells in rows if cells[key].strip() in people]
        why = "not asked for" if wanted is not None else singled or _no_use(column, theirs)
        if why is None:
            taken.append(index)
        else:
            left_out.append(LeftOut(header[index], why))
    return Chosen(taken, tuple(left_out))


def _singles_out(name: str, column: Sequence[str], keys: Sequence[str]) -> str | None:
    """Say why a column tells who or where somebody is; None if it does not, as far as can be seen."""
    values = [cell for cell in column if has_value(cell)]
    if not values or _variety(values) <= _OFTEN:
        return None
    if sum(cell == key for cell, key in zip(column, keys, strict=True)) > _OFTEN * len(values):
        return "it names the person again"
    if _TELLING.search(name):
        return "by its name, and with values that hardly two people share, it says who or where somebody is"
    if kind_of(column) == "category" and len(values) >= _MANY and len(set(values)) == len(values):
        return "a text that is another for everybody says who somebody is"
    return None


def _no_use(column: Sequence[str], theirs: Sequence[str]) -> str | None:
    """Say why a study could not use a column; None if it could."""
    if not any(has_value(cell) for cell in theirs):
        return "no value"
    if kind_of(column) == "number":
        return None
    values = [cell for cell in column if has_value(cell)]
    if _variety(values) <= _OFTEN:
        return None
    if len(values) == 1:
        return "a text of one person alone may be a category, or anything"
    return "a text that hardly two people share is no category"


def _variety(values: Sequence[str]) -> float:
    """Return how many different values there are for each value: 1 where all differ."""
    return len(set(values)) / len(values)


def _refuse_unknown(header: Sequence[str], wanted: Collection[str], key: str, name: str) -> None:
    for one in wanted:
        if one == key:
            _refuse_identifier(name, one, "it names the person")
        if one not in header:
            others = [column for column in header if column != key]
            near = close_names(one, others) or others
            raise RejectedInputError(
                "phenotypes.columns",
                f"{name}, line 1: there is no column {one!r}",
                hint=f"there are: {', '.join(near[:_NEAR])}{' …' if len(near) > _NEAR else ''}",
            )


def close_names(wanted: str, known: Iterable[str]) -> list[str]:
    """Return the known names that a wanted one may be meant for, the closest first: mistyped ones, then longer ones."""
    folded = {name.casefold(): name for name in known}
    mistyped = get_close_matches(wanted.casefold(), folded, n=_NEAR)
    longer = [name for name in folded if wanted.casefold() in name and name not in mistyped]
    return [folded[name] for name in (*mistyped, *longer)]


def _refuse_identifier(name: str, column: str, why: str) -> NoReturn:
    raise RejectedInputError(
        "phenotypes.identifier",
        f"{name}, line 1: the column {column!r} cannot be a phenotype: {why}",
        hint="a record holds nothing that says whose it is: leave this --phenotype out",
    )
