"""Which allele is REF, by the panel; and the proof that the file is on the panel's assembly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.assembly_proof import ENOUGH_FIT, ENOUGH_MARKERS, ENOUGH_SHARE
from nebula.genome.plink.verdicts import Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.inflate import Source
    from nebula.genome.panel import Panel
    from nebula.genome.plink.verdicts import Pair


def by_panel(source: Source, pairs: list[Pair], panel: Panel, *, proven: bool) -> NDArray[np.uint8]:
    """Return a verdict on each pair: by the very variant, else by the base that the panel's sites there begin with.

    Args:
        source: the ``.bim``, to be named in errors.
        pairs: of the sites that can be asked about.
        panel: to ask.
        proven: whether something else proves the assembly, so that no site needs to stand on the panel.

    Raises:
        RejectedInputError: ``plink.wrong-assembly``.
    """
    if_second = np.array([pair.if_second for pair in pairs], np.uint64)
    if_first = np.array([pair.if_first for pair in pairs], np.uint64)
    single = np.array([len(pair.first) == len(pair.second) == 1 for pair in pairs], np.bool_)
    base = panel.bases_at(if_second)
    met = single & (base != 0)
    second, first = (met & (base == variant_keys.spelt_base(keys, 0)) for keys in (if_second, if_first))
    _check_fit(source, int(met.sum()), int((first | second).sum()), len(pairs), panel, proven=proven)
    exact_second, exact_first = (_on_panel(panel, keys, pairs) for keys in (if_second, if_first))
    exact = exact_first | exact_second
    second, first = np.where(exact, exact_second, second), np.where(exact, exact_first, first)
    return np.select(
        [first & second, first, second, met],
        [Verdict.BOTH, Verdict.FIRST, Verdict.SECOND, Verdict.NEITHER],
        Verdict.UNKNOWN,
    ).astype(np.uint8)


def _on_panel(panel: Panel, keys: NDArray[np.uint64], pairs: list[Pair]) -> NDArray[np.bool_]:
    found = panel.locate(keys) >= 0
    for row in np.flatnonzero(found & variant_keys.hashed(keys)).tolist():
        reference, alternate = panel.long_alleles[int(keys[row])]
        pair = pairs[row]
        as_first = int(keys[row]) == pair.if_first and (reference, alternate) == (pair.first, pair.second)
        as_second = int(keys[row]) == pair.if_second and (reference, alternate) == (pair.second, pair.first)
        found[row] = as_first or as_second
    return found


def _check_fit(source: Source, met: int, fitting: int, sites: int, panel: Panel, *, proven: bool) -> None:
    """The file says nothing of its assembly: single bases at places of the panel must prove it."""
    enough = 1 if proven else max(ENOUGH_MARKERS, ENOUGH_SHARE * min(sites, panel.sites))
    if met >= enough and fitting >= ENOUGH_FIT * met:
        return
    if proven and not met:
        return
    source.refuse(
        "wrong-assembly",
        f"of {met} single-base sites at places of the panel ({panel.assembly}), {fitting} have its reference base",
        hint=f"carry the file to {panel.assembly} and its plus strand, or choose a panel on its own assembly",
    )
