"""Parameters of ``rare-variants``: regions by name, such as genes, each of one or several spans."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING, Annotated

import msgspec

from nebula.analysis.parameter_types import TraitModel

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SPANS = 6_000
"""So many fit into a study's terms."""
MOST_BASES = 10_000_000
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}"
Span = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"\A{_NAME}=([1-9]|1[0-9]|2[0-2]):[1-9][0-9]{{0,8}}-[1-9][0-9]{{0,8}}\Z",
        max_length=100,
        description="NAME=CHROMOSOME:FIRST-LAST",
        examples=["PCSK9=1:55039447-55064852"],
    ),
]


class RareVariants(TraitModel, frozen=True, kw_only=True):
    """``rare-variants``: burden, SKAT and SKAT-O of each region, on and off the panel, autosomes only.

    Regions must not share a base: their difference would be a region of its own that no floor looks at.
    """

    regions: Annotated[tuple[Span, ...], msgspec.Meta(min_length=1, max_length=MOST_SPANS)]
    maximum_maf: Annotated[float, msgspec.Meta(gt=0, le=0.05)] = 0.01  # commoner variants are left out
    private: bool = True  # variants off the panel count too

    def __post_init__(self) -> None:
        super().__post_init__()
        spans = sorted((chromosome, first, last) for part in self.spans.values() for chromosome, first, last in part)
        for chromosome, first, last in spans:
            if last < first:
                raise ValueError(f"the region {chromosome}:{first}-{last} ends before it begins")
            if last - first >= MOST_BASES:
                raise ValueError(f"the region {chromosome}:{first}-{last} has more than {MOST_BASES:,} bases")
        for name, part in self.spans.items():
            if len({chromosome for chromosome, _, _ in part}) > 1:
                raise ValueError(f"the region {name} lies on several chromosomes")
        for before, after in itertools.pairwise(spans):
            if before[0] == after[0] and after[1] <= before[2]:
                raise ValueError(f"two regions share bases at {after[0]}:{after[1]}")

    @property
    def spans(self) -> Mapping[str, tuple[tuple[int, int, int], ...]]:
        """Each region's spans: chromosome, first and last base (1-based, both included), in the order asked for."""
        found: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for text in self.regions:
            name, _, place = text.partition("=")
            chromosome, _, ends = place.partition(":")
            first, _, last = ends.partition("-")
            found[name].append((int(chromosome), int(first), int(last)))
        return {name: tuple(parts) for name, parts in found.items()}
