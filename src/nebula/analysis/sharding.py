"""One analysis in many pieces: each over a region of the panel, by whoever holds that region's genotypes.

In this order: (1) ``plan`` cuts the panel into shards of equal size; (2) what needs all regions is done once and
handed to everyone (such as ``logistic.fit_null``); (3) each shard is run by itself, in any order, anywhere; (4)
``combine`` puts the pieces together. A row of a result depends on its variant and on what was prepared, on nothing
else, and all sums over people are exact or taken in the order of people: so the combined table is the same to the
last bit, however many shards there were and whoever ran them, on whatever processor.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nebula.analysis.inputs import Table


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    """A region of a panel: sites ``first`` up to, not including, ``last``."""

    first: int
    last: int

    @property
    def rows(self) -> slice:
        """The region as an index."""
        return slice(self.first, self.last)

    def __len__(self) -> int:
        return self.last - self.first


def plan(sites: int, shards: int) -> tuple[Shard, ...]:
    """Cut a panel into regions of about equal size, in panel order; none is empty unless the panel is.

    Args:
        sites: of the panel.
        shards: how many at most; there are no more than sites.
    """
    if sites == 0:
        return (Shard(0, 0),)
    shards = min(shards, sites)
    return tuple(Shard(first, last) for first, last in pairwise(sites * cut // shards for cut in range(shards + 1)))


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What one shard came to."""

    shard: Shard
    table: Table


def combine(pieces: Iterable[Piece], sites: int) -> Table:
    """Put the pieces of a whole panel together, in whatever order they come.

    Raises:
        ValueError: they do not cover the panel, each site once.
    """
    ordered = sorted(pieces, key=lambda piece: piece.shard)
    reached = 0
    for piece in ordered:
        if piece.shard.first != reached:
            raise ValueError(f"the pieces do not meet at site {reached}: one begins at {piece.shard.first}")
        reached = piece.shard.last
    if reached != sites or not ordered:
        raise ValueError(f"the pieces cover {reached} of {sites} sites")
    return {name: np.concatenate([piece.table[name] for piece in ordered]) for name in ordered[0].table}
