"""Parameters of ``pca-projection``: a reference's loadings, standing in the study's terms."""

from typing import Annotated, Literal

import msgspec

from nebula.analysis.parameter_types import Share
from nebula.analysis.score_rows import NUMBER
from nebula.analysis.scoring_file import ScoreVariant
from nebula.protocol.wire import Document

MOST_ROWS = 4_000
LoadingRow = Annotated[
    str,
    msgspec.Meta(
        max_length=600,
        pattern=rf"\A([1-9]|1[0-9]|2[0-2]):[1-9][0-9]{{0,8}}:[ACGT]+:[ACGT]+:0\.[0-9]{{1,12}}:{NUMBER}(,{NUMBER})*\Z",
    ),
]


class Projection(Document, frozen=True, kw_only=True):
    """``pca-projection``: how many people lie where on a reference's components.

    A row is ``chromosome:position:effect:other:frequency:loadings``: the effect allele's frequency in the reference,
    and one loading for each component, separated by commas, of genotypes standardised by that frequency.
    """

    reference: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    build: Literal["GRCh37", "GRCh38"]
    rows: Annotated[tuple[LoadingRow, ...], msgspec.Meta(min_length=1, max_length=MOST_ROWS)]
    grid_step: Annotated[float, msgspec.Meta(gt=0, le=1e6)]  # side of a square, in the components' units
    minimum_matched: Share = 0.75

    def __post_init__(self) -> None:
        widths = {len(row.rpartition(":")[2].split(",")) for row in self.rows}
        if len(widths) != 1 or not 2 <= widths.pop() <= 20:  # noqa: PLR2004
            raise ValueError("every row has as many loadings, 2 to 20")
        if any(variant.weights[1] == 0 for variant in self.variants):
            raise ValueError("a variant that does not vary in the reference has no loading")

    @property
    def variants(self) -> tuple[ScoreVariant, ...]:
        """Where the rows are, with the frequency in place of weights."""
        parts = [row.split(":") for row in self.rows]
        return tuple(ScoreVariant(c, int(p), e, o, (0.0, float(f), 2 * float(f))) for c, p, e, o, f, _ in parts)

    @property
    def loadings(self) -> tuple[tuple[float, ...], ...]:
        """One row of loadings for each variant."""
        return tuple(tuple(float(one) for one in row.rpartition(":")[2].split(",")) for row in self.rows)
