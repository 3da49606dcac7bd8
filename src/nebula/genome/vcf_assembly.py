"""Which assembly a VCF is on: what its header says, held against its bases, and whether it is carried to the panel's.

Headers lie. Where at least 30 single bases stand at places of the panel, the data decide; below that the header does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, NoReturn

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.assembly_proof import ENOUGH_FIT, ENOUGH_MARKERS
from nebula.genome.chromosomes import (
    ASSEMBLIES,
    assembly_by_lengths,
    assembly_by_name,
    chromosome_code,
    last_position,
)
from nebula.genome.lift.chain_files import chain_hint, check_chain

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.calls import Calls
    from nebula.genome.inflate import Source
    from nebula.genome.keys import Keys
    from nebula.genome.lift.chain import Chain
    from nebula.genome.panel import Panel
    from nebula.genome.vcf.header import VcfHeader

#: Of a contig that is no chromosome.
_NO_END = (1 << 31) - 1


class Fit(NamedTuple):
    """Variants of single bases at places of the panel, and how many of them have its reference base."""

    met: int
    fitting: int

    @property
    def proves(self) -> bool:
        """Whether the data are on the panel's assembly beyond doubt."""
        return self.met >= ENOUGH_MARKERS and not self.contradicts

    @property
    def contradicts(self) -> bool:
        """Whether they are on another one beyond doubt."""
        return self.met >= ENOUGH_MARKERS and self.fitting < ENOUGH_FIT * self.met


def stated_assembly(header: VcfHeader) -> str | None:
    """What a VCF's header says: contig lengths first, which nobody types by hand, then names."""
    by_lengths = assembly_by_lengths(header.contig_lengths())
    if by_lengths is not None:
        return by_lengths
    contigs = " ".join(meta.fields.get("assembly", "") for meta in header.of("contig"))
    named = (meta.text for key in ("reference", "assembly") for meta in header.of(key))
    return assembly_by_name(" ".join([contigs, *named]))


def refuse_stated(source: Source, stated: str, panel: Panel) -> NoReturn:
    """Refuse a file whose header says that it is on another assembly, for want of a chain file.

    Raises:
        RejectedInputError: ``wrong-assembly``, always.
    """
    hint = f"{chain_hint(stated, panel.assembly)}; or choose a panel on {stated}"
    source.refuse("wrong-assembly", f"the header says {stated}, the panel is on {panel.assembly}", hint=hint)


def fit_if_carried(source: Source, calls: Calls, panel: Panel, chain: Chain, *, stated: str | None) -> Fit | None:
    """How a file fits the panel once a chain file has carried it; None where it is on the panel's assembly already.

    Raises:
        RejectedInputError: ``chain`` where the chain file leads elsewhere; ``wrong-assembly`` where the data are on
            neither side of it, or neither data nor header tell on which.
    """
    check_chain(chain, panel.assembly, source)
    here, there = (fit_of(panel, keys, panel.locate(keys)) for keys in (calls.key, _carried_keys(calls.key, chain)))
    if (here.proves or there.proves) and here.fitting != there.fitting:
        return there if there.fitting > here.fitting else None
    if stated is not None and stated == panel.assembly and not here.contradicts:
        return None
    if stated is None or stated != chain.old or there.contradicts:
        source.refuse(
            "wrong-assembly",
            f"its data do not show which assembly it is on: of its single bases {_share(here)} as they are, and "
            f"{_share(there)} once carried by the chain file, and {ENOUGH_MARKERS} must stand there; "
            + (f"the header says {stated}" if stated else "its header does not say it"),
            hint=f"give a chain file from the assembly that it is on to {panel.assembly}",
        )
    return there


def _share(found: Fit) -> str:
    return f"{found.fitting:,} of {found.met:,} at places of the panel have its reference base"


def fit_of(panel: Panel, keys: Keys, sites: NDArray[np.int32]) -> Fit:
    """Hold a file's single bases against the panel's, by their keys and, as far as they have one, their sites."""
    return Fit(*panel.fitting_bases(keys, sites))


def _carried_keys(keys: Keys, chain: Chain) -> Keys:
    """Single bases where a chain file carries them, as far as it does."""
    keys = keys[variant_keys.singles(keys)]
    lifted = chain.lift(variant_keys.chromosomes(keys), variant_keys.positions(keys))
    placed = lifted.chromosome > 0
    return variant_keys.carried(keys, lifted.chromosome, lifted.pos, lifted.flipped)[placed]


def check_ends(source: Source, calls: Calls, assembly: str) -> None:
    """Make sure that no variant stands behind the end of its chromosome, as far as lengths of the assembly are known.

    Raises:
        RejectedInputError: ``wrong-assembly``.
    """
    if assembly not in ASSEMBLIES or not calls.rows:
        return
    codes = [chromosome_code(name) for name in calls.contigs]
    ends = np.array([last_position(code, assembly) if code else _NO_END for code in codes], np.int32)
    # Of each run of rows on one contig the furthest is looked at: there are few, as long as a chromosome.
    starts = np.append(0, np.flatnonzero(calls.contig[1:] != calls.contig[:-1]) + 1)
    if (np.maximum.reduceat(calls.pos, starts) <= ends[calls.contig[starts]]).all():
        return
    behind = np.flatnonzero(calls.pos > ends[calls.contig])
    name, pos = calls.contigs[calls.contig[behind[0]]], calls.pos[behind[0]]
    source.refuse(
        "wrong-assembly",
        f"behind the end of a chromosome of {assembly}: {len(behind):,} of its variants, such as {name}:{pos}",
        hint=f"is it on another assembly than {assembly}? Then --chain FILE carries it there",
    )


def prove(source: Source, found: Fit, assembly: str) -> str:
    """Make sure that data do not contradict the panel's assembly; returns what they proved.

    Raises:
        RejectedInputError: ``wrong-assembly``.
    """
    if found.contradicts:
        source.refuse(
            "wrong-assembly",
            f"of {found.met:,} variants at places of the panel, only {found.fitting:,} have its reference base",
            hint=f"it is on another assembly than {assembly}, whatever its header says: --chain FILE carries it there",
        )
    few = "" if found.met >= ENOUGH_MARKERS else ", too few to prove it"
    return f"{found.fitting:,} of {found.met:,} variants at places of the panel have its reference base{few}"
