"""From a consumer file's letters to calls on a panel: the build proven by the data, then sites matched."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.assembly_proof import ENOUGH_FIT, ENOUGH_MARKERS, ENOUGH_SHARE
from nebula.genome.bases import complement
from nebula.genome.calls import Calls
from nebula.genome.chromosomes import NAMES, X_NOT_PSEUDOAUTOSOMAL, X, Y
from nebula.genome.consumer.match import Markers, match
from nebula.genome.lift.chain_files import chain_hint, check_chain
from nebula.genome.matrix import MISSING, PackedMatrix
from nebula.genome.sex import judge_sex
from nebula.genome.texts import Texts
from nebula.genome.vcf.reader import CallForm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.consumer.match import Match
    from nebula.genome.consumer.reading import ConsumerFile
    from nebula.genome.inflate import Source
    from nebula.genome.lift.chain import Chain
    from nebula.genome.panel import Panel


#: Of the panel's sites that markers stand at: a chip that measures some places twice seldom contradicts itself.
_MOST_CONFLICTS = 0.05
_WHOLE = (
    "give the whole raw data file, as the vendor exports it, with all its markers; an excerpt cannot become a record"
)


class LiftReport(NamedTuple):
    """What became of markers that were carried to another assembly.

    Attributes:
        carried: how many have a place there; ``lost`` how many have none, ``unplaced`` how many never had one.
        moved: of those carried, how many are on another chromosome now; ``flipped``, on the other strand.
    """

    carried: int
    lost: int
    unplaced: int
    moved: int
    flipped: int


class ConsumerCalls(NamedTuple):
    """Calls at panel sites, and how the file met the panel.

    Attributes:
        assembly: of the file, as its data prove it; None where the chain file does not name it.
        lift: how positions were carried to the panel's assembly, None where they were on it.
        match: counts of what fits, and of what was left out for which reason.
    """

    calls: Calls
    assembly: str | None
    lift: LiftReport | None
    match: Match


def calls_on_panel(file: ConsumerFile, panel: Panel, source: Source, *, chain: Chain | None) -> ConsumerCalls:
    """Match a consumer file with a panel, lifting it over where only that fits.

    Raises:
        RejectedInputError: ``consumer.few-markers`` where they cannot prove an assembly, ``consumer.wrong-assembly``
            where the data fit neither as they are nor lifted, ``consumer.chain`` where the chain file leads to another
            assembly than the panel's, ``consumer.several-people`` where markers of one place often disagree.
    """
    as_they_are = Markers(file.chromosome, file.pos, file.first, file.second)
    best = match(as_they_are, panel, plus_strand=file.layout.plus_strand)
    assembly: str | None = panel.assembly
    lift = None
    if chain is not None:
        check_chain(chain, panel.assembly, source)
        there, report = _lifted(file, chain)
        lifted = match(there, panel, plus_strand=file.layout.plus_strand)
        if lifted.fitting > best.fitting:
            best, assembly, lift = lifted, chain.old, report
    enough = max(ENOUGH_MARKERS, math.ceil(ENOUGH_SHARE * min(file.markers, panel.sites)))
    if file.markers < ENOUGH_MARKERS:
        source.refuse("few-markers", _few(file), hint=_WHOLE)
    if best.met < enough or best.fitting < ENOUGH_FIT * best.met:
        sentence = _few_meet(best, file, panel, enough) if best.met < enough else _few_fit(best, panel)
        source.refuse("wrong-assembly", sentence, hint=_where_to_get_chains(file, panel, chain))
    if best.conflicts > max(ENOUGH_MARKERS, _MOST_CONFLICTS * len(best.rows)):
        sentence = f"at {best.conflicts:,} of {len(best.rows):,} sites of the panel it has markers that disagree"
        source.refuse("several-people", f"{sentence}: it is not of one person", hint="give each person's file alone")
    return ConsumerCalls(_calls(best, panel), assembly, lift, best)


def _few(file: ConsumerFile) -> str:
    markers = f"{file.markers} marker{'' if file.markers == 1 else 's'}"
    return f"read as {file.layout.vendor}, it has {markers}: too few to tell its assembly, which takes {ENOUGH_MARKERS}"


def _few_meet(found: Match, file: ConsumerFile, panel: Panel, enough: int) -> str:
    """Some always meet: stretches that did not move between assemblies. Their fitting proves nothing."""
    return (
        f"its data do not show that it is on the panel's assembly ({panel.assembly}): only {found.met:,} of its "
        f"{file.markers:,} markers stand at places of the panel, and {enough:,} must"
    )


def _few_fit(found: Match, panel: Panel) -> str:
    return (
        f"it is not on the panel's assembly ({panel.assembly}): of {found.met:,} markers at places of the panel, only "
        f"{found.fitting:,} have its alleles"
    )


def _where_to_get_chains(file: ConsumerFile, panel: Panel, chain: Chain | None) -> str:
    stated = file.layout.stated_assembly
    said = "the file says" if file.layout.stated else "such files usually are on"
    if chain is not None:
        return f"{said} {stated}, the chain file leads from {chain.old or 'an unknown assembly'}; try another"
    if stated == panel.assembly:
        return f"{said} {stated}: if so, take a panel with more of its markers; if not, ask for it on {panel.assembly}"
    return f"{said} {stated}: {chain_hint(stated, panel.assembly)}"


def _lifted(file: ConsumerFile, chain: Chain) -> tuple[Markers, LiftReport]:
    where = chain.lift(file.chromosome, file.pos)
    # Letters were read off the plus strand of the old assembly.
    first = np.where(where.flipped, complement(file.first), file.first)
    second = np.where(where.flipped, complement(file.second), file.second)
    carried, placed = where.chromosome > 0, file.chromosome > 0
    report = LiftReport(
        carried=int(carried.sum()),
        lost=int((placed & ~carried).sum()),
        unplaced=int((~placed).sum()),
        moved=int((carried & (where.chromosome != file.chromosome)).sum()),
        flipped=int(where.flipped.sum()),
    )
    return Markers(where.chromosome, where.pos, first, second), report


def _calls(found: Match, panel: Panel) -> Calls:
    keys = panel.keys.take(found.rows)
    codes, haploid = _one_copy(found, keys, panel.assembly)
    # Keys ascend by chromosome.
    on_each = np.diff(keys.searchsorted(np.arange(len(NAMES) + 1, dtype=np.uint64) << np.uint64(59)))
    used = np.flatnonzero(on_each)
    none = np.zeros(0, np.int32)
    return Calls(
        samples=("",),
        contigs=[NAMES[code] for code in used],
        filters=["."],
        contig=np.repeat(np.arange(len(used), dtype=np.uint16), on_each[used]),
        pos=variant_keys.positions(keys),
        key=keys,
        reference=Texts.of_letters(variant_keys.spelt_base(keys, 0)),
        alternate=Texts.of_letters(variant_keys.spelt_base(keys, 1)),
        filter=np.zeros(len(keys), np.uint16),
        codes=PackedMatrix(codes.reshape(-1, 1), 1),
        forms=PackedMatrix(np.where(haploid, CallForm.HAPLOID, CallForm.UNPHASED).astype(np.uint8).reshape(-1, 1), 1),
        depth=none,
        quality=none,
        blocks=np.zeros((0, 5), np.int64),
    )


def _one_copy(found: Match, keys: NDArray[np.uint64], assembly: str) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Take the second letter off where there is one copy: some vendors write every letter twice.

    On Y and MT always, on X outside the pseudo-autosomal regions where the calls are a man's; a call of two different
    letters is missing there.
    """
    lowest, highest = variant_keys.between(X, *X_NOT_PSEUDOAUTOSOMAL[assembly])
    on_x = slice(keys.searchsorted(np.uint64(lowest)), keys.searchsorted(np.uint64(highest), "right"))
    single = np.zeros(len(keys), np.bool_)
    single[keys.searchsorted(np.uint64(Y << 59)) :] = True
    called, haploid = found.codes[on_x] != MISSING, found.haploid[on_x]
    heterozygous = (found.codes[on_x] == 1) & ~haploid
    single[on_x] = judge_sex(int(called.sum()), int((called & haploid).sum()), int(heterozygous.sum())) == "male"
    doubled = np.flatnonzero(single & ~found.haploid & (found.codes != MISSING))
    codes, haploid = found.codes.copy(), found.haploid.copy()
    codes[doubled] = np.array([0, MISSING, 1], np.uint8)[codes[doubled]]
    haploid[doubled] = True
    return codes, haploid
