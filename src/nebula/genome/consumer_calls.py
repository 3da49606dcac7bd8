"""From a consumer file's letters to calls on a panel: the build proven by the data, then sites matched."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.calls import Calls
from nebula.genome.chromosomes import NAMES
from nebula.genome.matrix import MISSING, PackedMatrix
from nebula.genome.vcf.reader import Texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.consumer import ConsumerFile
    from nebula.genome.inflate import Source
    from nebula.genome.liftover import Chain
    from nebula.genome.panel import Panel

#: So many markers must meet the panel before their letters can prove a build, and so many must fit.
ENOUGH_MARKERS = 30
#: Stretches that did not move between assemblies let a few markers meet the wrong one.
_ENOUGH_SHARE = 0.01
ENOUGH_FIT = 0.9
_HAPLOID = 1
_COMPLEMENT = np.arange(256, dtype=np.uint8)
_COMPLEMENT[list(b"ACGT")] = list(b"TGCA")


class ConsumerCalls(NamedTuple):
    """Calls at panel sites, and how the file met the panel.

    Attributes:
        lifted: whether positions were carried to the panel's assembly.
        met: called markers at a place of the panel; ``fitting`` those whose letters are alleles there.
    """

    calls: Calls
    lifted: bool
    met: int
    fitting: int


class _Match(NamedTuple):
    """Pairs of a panel row and the marker at its place, one a row."""

    rows: NDArray[np.int64]
    codes: NDArray[np.uint8]
    haploid: NDArray[np.bool_]
    met: int
    fitting: int


def calls_on_panel(file: ConsumerFile, panel: Panel, source: Source, *, chain: Chain | None) -> ConsumerCalls:
    """Match a consumer file with a panel, lifting it over where only that fits.

    Raises:
        RejectedInputError: ``consumer.wrong-assembly`` where the data fit neither as they are nor lifted.
    """
    as_they_are = _match(file.chromosome, file.pos, file.first, file.second, panel)
    lifted = None
    if chain is not None:
        where = chain.lift(file.chromosome, file.pos)
        # Letters were read off the plus strand of the old assembly.
        first = np.where(where.flipped, _COMPLEMENT[file.first], file.first)
        second = np.where(where.flipped, _COMPLEMENT[file.second], file.second)
        lifted = _match(where.chromosome, where.pos, first, second, panel)
    best = as_they_are if lifted is None or as_they_are.fitting >= lifted.fitting else lifted
    enough = max(ENOUGH_MARKERS, _ENOUGH_SHARE * min(file.markers, panel.sites))
    if best.met < enough or best.fitting < ENOUGH_FIT * best.met:
        source.refuse(
            "wrong-assembly",
            f"of {best.met} markers at places of the panel ({panel.assembly}), {best.fitting} fit its alleles",
            hint=f"the file says {file.stated_assembly}: give the chain file from there to {panel.assembly}",
        )
    return ConsumerCalls(_calls(best, panel), best is lifted, best.met, best.fitting)


def _match(
    chromosome: NDArray[np.int64],
    pos: NDArray[np.int64],
    first: NDArray[np.uint8],
    second: NDArray[np.uint8],
    panel: Panel,
) -> _Match:
    """Match markers by place with the panel's single-base sites.

    Letters that are no allele at their place make the call missing. Two markers at one place that disagree
    do so, too.
    """
    usable = (chromosome > 0) & _is_base(first) & (_is_base(second) | (second == 0))
    markers = np.flatnonzero(usable)
    markers = markers[np.argsort(variant_keys.place(chromosome[markers], pos[markers]), kind="stable")]
    places = variant_keys.place(chromosome[markers], pos[markers])
    references, alternates = (np.array([_letter(text) for text in texts], np.uint8) for texts in panel.alleles())
    rows = np.flatnonzero((references > 0) & (alternates > 0))
    site_places = variant_keys.places(panel.keys)[rows]
    left, right = np.searchsorted(places, site_places), np.searchsorted(places, site_places, side="right")
    rows, left, right = rows[right > left], left[right > left], right[right > left]
    if not len(rows):
        return _Match(rows, np.zeros(0, np.uint8), np.zeros(0, np.bool_), 0, 0)
    one, two = first[markers[left]], second[markers[left]]
    last_one, last_two = first[markers[right - 1]], second[markers[right - 1]]
    agree = _same(one, two, last_one, last_two) & (right - left <= 2)  # noqa: PLR2004 - a marker and its twin
    haploid = two == 0
    known_one, known_two = (
        _known(one, rows, panel, references, alternates),
        haploid | _known(two, rows, panel, references, alternates),
    )
    fits = known_one & known_two
    alternate = alternates[rows]
    codes = (one == alternate).astype(np.uint8) + (two == alternate).astype(np.uint8)
    codes[~(fits & agree)] = MISSING
    _, place_index = np.unique(variant_keys.places(panel.keys)[rows], return_index=True)
    return _Match(rows, codes, haploid, len(place_index), int(fits[place_index].sum()))


def _is_base(letters: NDArray[np.uint8]) -> NDArray[np.bool_]:
    base: NDArray[np.bool_] = _COMPLEMENT[letters] != letters
    return base


def _letter(allele: str) -> int:
    return ord(allele) if len(allele) == 1 and allele in "ACGT" else 0


def _same(
    one: NDArray[np.uint8], two: NDArray[np.uint8], other: NDArray[np.uint8], another: NDArray[np.uint8]
) -> NDArray[np.bool_]:
    """Whether two genotypes are the same letters, in whatever order."""
    same: NDArray[np.bool_] = ((one == other) & (two == another)) | ((one == another) & (two == other))
    return same


def _known(
    letter: NDArray[np.uint8],
    rows: NDArray[np.int64],
    panel: Panel,
    references: NDArray[np.uint8],
    alternates: NDArray[np.uint8],
) -> NDArray[np.bool_]:
    """Whether a letter is REF or any ALT that the panel has at the place of a row."""
    known: NDArray[np.bool_] = (letter == references[rows]) | (letter == alternates[rows])
    places = variant_keys.places(panel.keys)
    # At most two other alleles of one base can share a place; they stand beside each other.
    for step in (-2, -1, 1, 2):
        near = np.clip(rows + step, 0, panel.sites - 1)
        known |= (places[near] == places[rows]) & (letter == alternates[near]) & (alternates[near] > 0)
    return known


def _calls(match: _Match, panel: Panel) -> Calls:
    keys = panel.keys[match.rows]
    references, alternates = panel.alleles()
    chromosomes = variant_keys.chromosomes(keys).astype(np.int32)
    used = np.unique(chromosomes)
    none = np.zeros(0, np.int32)
    return Calls(
        samples=("",),
        contigs=[NAMES[code] for code in used],
        filters=["."],
        contig=np.searchsorted(used, chromosomes).astype(np.int32),
        pos=variant_keys.positions(keys),
        key=keys,
        reference=Texts.of([references[row] for row in match.rows]),
        alternate=Texts.of([alternates[row] for row in match.rows]),
        filter=np.zeros(len(keys), np.int32),
        codes=PackedMatrix(match.codes.reshape(-1, 1), 1),
        forms=PackedMatrix(np.where(match.haploid, _HAPLOID, 0).astype(np.uint8).reshape(-1, 1), 1),
        depth=none,
        quality=none,
        blocks=np.zeros((0, 5), np.int64),
    )
