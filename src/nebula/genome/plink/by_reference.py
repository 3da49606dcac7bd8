"""Which allele is REF, by the reference genome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.genome.assembly_proof import ENOUGH_FIT
from nebula.genome.bases import Bases
from nebula.genome.chromosomes import NAMES
from nebula.genome.plink.verdicts import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.inflate import Source
    from nebula.genome.plink.sites import Sites
    from nebula.genome.plink.verdicts import Pair
    from nebula.genome.reference import Reference

_ASKED = (Verdict.SECOND, Verdict.FIRST, Verdict.BOTH, Verdict.UNKNOWN)


def by_reference(
    source: Source, sites: Sites, pairs: list[Pair], verdicts: NDArray[np.uint8], reference: Reference
) -> int:
    """Hold what the panel said against the reference genome, and let it say the rest; return how many it said.

    ``verdicts`` are changed in place.

    Raises:
        RejectedInputError: ``plink.wrong-assembly``.
    """
    bases = Bases(reference)
    decided = asked = fitting = 0
    for row in np.flatnonzero(np.isin(verdicts, _ASKED)).tolist():
        pair = pairs[row]
        contig = NAMES[sites.chromosome[row]]
        found = bases.at(contig, pair.pos, max(len(pair.first), len(pair.second)))
        if found is None:
            continue
        first, second = found.startswith(pair.first), found.startswith(pair.second)
        asked += 1
        fitting += first or second
        if verdicts[row] in (Verdict.SECOND, Verdict.FIRST):
            if not (first if verdicts[row] == Verdict.FIRST else second):
                verdicts[row] = Verdict.NEITHER
            continue
        # Of an insertion and a deletion both may fit: AT where the genome has ATT.
        verdicts[row] = _verdict(first=first, second=second)
        decided += first != second
    if fitting < ENOUGH_FIT * asked:
        source.refuse(
            "wrong-assembly",
            f"of {asked} sites, {fitting} have an allele that the reference genome has there",
            hint="the file, or the panel, is on another assembly than the reference genome",
        )
    return decided


def _verdict(*, first: bool, second: bool) -> Verdict:
    if first and second:
        return Verdict.BOTH
    if first:
        return Verdict.FIRST
    return Verdict.SECOND if second else Verdict.NEITHER
