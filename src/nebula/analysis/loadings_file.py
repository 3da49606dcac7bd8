"""Loadings of a reference's principal components, from a table: one variant a line, columns as GWAS-SSF names them.

``chromosome``, ``base_pair_location``, ``effect_allele``, ``other_allele``, ``effect_allele_frequency``, then ``PC1``,
``PC2`` and so on, in any order, separated by tabs. Lines that begin with ``#`` are comments, of which
``#genome_assembly=GRCh38`` says the build.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nebula.analysis.plain_text import decimal_number, text_lines
from nebula.analysis.scoring_file import LAST_POSITION
from nebula.genome.chromosomes import AUTOSOME, parse_position
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLACE = ("chromosome", "base_pair_location", "effect_allele", "other_allele", "effect_allele_frequency")
_ALLELE = re.compile(r"\A[ACGT]{1,200}\Z")
_COMPONENT = re.compile(r"\APC([1-9]|1[0-9]|20)\Z")
_LEAST_COMPONENTS = 2
_BUILDS = ("GRCh37", "GRCh38")
_LARGEST = 1e6
_SMALLEST = 1e-12
"""Loadings below this are none: they are written with six digits, and move nobody."""


@dataclass(frozen=True, slots=True)
class Loadings:
    """A reference's loadings.

    Attributes:
        build: GRCh37 or GRCh38; None where the file does not say.
        rows: as :class:`nebula.analysis.projection_parameters.Projection` has them, loadings with six digits.
    """

    build: str | None
    rows: tuple[str, ...]


def parse_loadings(text: str) -> Loadings:
    """Parse a table of loadings.

    Raises:
        RejectedInputError: ``loadings.*``, with the line.
    """
    # SECURITY: the file is a stranger's.
    build, columns = None, None
    rows = []
    for number, line in enumerate(text_lines(text), start=1):
        if line.startswith("#"):
            name, _, value = line.lstrip("#").partition("=")
            build = value.strip() if name.strip() == "genome_assembly" else build
        elif columns is None:
            columns = _columns(number, line.split("\t"))
        elif line.strip():
            rows.append(_row(number, line.split("\t"), columns))
    if build is not None and build not in _BUILDS:
        raise RejectedInputError("loadings.build", f"the loadings are on {build[:20]!r}, not {' or '.join(_BUILDS)}")
    if not rows:
        raise RejectedInputError("loadings.empty", "there is no variant")
    return Loadings(build, tuple(rows))


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where a line has what: the five columns of its place, in their order, and the components in theirs."""

    width: int
    place: tuple[int, ...]
    components: tuple[int, ...]


def _columns(line: int, names: Sequence[str]) -> _Columns:
    names = [name.strip() for name in names]
    missing = [name for name in _PLACE if name not in names]
    if missing or len(set(names)) != len(names):
        what = f"no column {missing[0]}" if missing else "a column stands there twice"
        raise RejectedInputError("loadings.columns", f"line {line}: {what}", hint=f"it has {', '.join(_PLACE)}, PC1, …")
    named = {name for name in names if _COMPONENT.match(name)}
    components = [f"PC{count}" for count in range(1, len(named) + 1)]
    if len(named) < _LEAST_COMPONENTS or named != set(components):
        raise RejectedInputError("loadings.columns", f"line {line}: components are PC1, PC2 and so on, two to twenty")
    return _Columns(len(names), tuple(map(names.index, _PLACE)), tuple(map(names.index, components)))


def _row(line: int, cells: Sequence[str], columns: _Columns) -> str:
    if len(cells) != columns.width:
        raise _refused(line, "columns", f"{len(cells)} cells under {columns.width} columns")
    chromosome, position, effect, other, frequency = (cells[index].strip() for index in columns.place)
    named, place = AUTOSOME.fullmatch(chromosome), parse_position(position, last=LAST_POSITION)
    if named is None:
        raise _refused(line, "chromosome", f"{chromosome[:20]!r} is no autosome, 1 to 22")
    if place is None:
        raise _refused(line, "position", f"{position[:20]!r} is no 1-based position")
    if not (_ALLELE.match(effect) and _ALLELE.match(other)) or effect == other:
        raise _refused(line, "allele", f"{effect[:20]!r} and {other[:20]!r} are not two alleles of A, C, G, T")
    share = _number(line, "effect_allele_frequency", frequency)
    written = f"{share:.6f}"
    if not 0 < share < 1 or float(written) in {0.0, 1.0}:
        raise _refused(line, "frequency", f"{frequency[:20]!r} is no frequency of a variant: above 0, below 1")
    loadings = (_number(line, f"PC{count}", cells[at]) for count, at in enumerate(columns.components, start=1))
    numbers = (f"{loading:.6g}" if abs(loading) >= _SMALLEST else "0" for loading in loadings)
    return f"{named[1]}:{place}:{effect}:{other}:{written}:{','.join(numbers)}"


def _number(line: int, name: str, text: str) -> float:
    value = decimal_number(text)
    if not abs(value) <= _LARGEST:  # NaN too
        raise _refused(line, "number", f"{name} is {text.strip()[:20]!r}, no number of up to a million")
    return value


def _refused(line: int, code: str, what: str) -> RejectedInputError:
    return RejectedInputError(f"loadings.{code}", f"line {line}: {what}")
