"""One person's calls, found by variant: what a standard record says, and where it says nothing.

They count as in the analysis vector (``nebula.genome.counting``): what did not pass its FILTER is not known, a man has
one copy of X and Y, and everybody of MT. What is in no row and in no block without variants is not known either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nebula.genome import keys as variant_keys
from nebula.genome.blocks import Blocks
from nebula.genome.chromosomes import MT, chromosome_code
from nebula.genome.counting import count_calls, one_copy_keys
from nebula.genome.record.reading import read_calls
from nebula.genome.sex import guess_sex
from nebula.genome.vcf.reader import CallForm

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.calls import Calls
    from nebula.genome.keys import Keys
    from nebula.genome.panel import Panel, Site


class Copies(NamedTuple):
    """How many of a person's alleles at a place are the one asked for, and how many they have there: 1 or 2."""

    copies: int
    ploidy: int


@dataclass(frozen=True, slots=True, eq=False)
class PersonalCalls:
    """A standard record, ready to be asked.

    Attributes:
        calls: of one person, as they count.
        assembly: of their positions.
        sex: ``male``, ``female`` or ``unclear``, by the calls on X; see ``nebula.genome.sex``.
        order: rows of ``calls`` that are on chromosomes, by VariantKey (rows,).
        keys: of these rows, ascending (rows,).
        copies: of ALT in these rows, -1 is missing (rows,).
        reaches: the last place that the REF of this row or of an earlier one has (rows,).
        blocks: where the person has no variant.
    """

    calls: Calls
    assembly: str
    sex: str
    order: NDArray[np.intp]
    keys: Keys
    copies: NDArray[np.int8]
    reaches: Keys
    blocks: Blocks

    @classmethod
    def of(cls, raw: bytes, assembly: str) -> PersonalCalls:
        """Read a record of positions on ``assembly``.

        Raises:
            RejectedInputError: ``record.malformed``.
        """
        read = read_calls(raw, sample="")
        (sex,) = guess_sex(read, assembly)
        calls = count_calls(read, [sex], assembly).calls
        order = np.argsort(calls.key, kind="stable")
        order = order[calls.key[order] > 0]
        lengths = calls.reference.lengths()[order].astype(np.uint64)
        return cls(
            calls=calls,
            assembly=assembly,
            sex=sex,
            order=order,
            keys=calls.key[order],
            copies=calls.codes.dosage()[order, 0],
            reaches=np.maximum.accumulate(variant_keys.places(calls.key[order]) + lengths - np.uint64(1)),
            blocks=Blocks.of(calls.blocks, calls.contigs),
        )

    def at(self, site: Site) -> Copies | None:
        """The person's copies of one variant's ALT; None where the record does not say."""
        index, ploidy = self._index(site), self._ploidy(site)
        if index is None:
            first, last = _span(site)
            return Copies(0, ploidy) if self.blocks.cover(first, last)[0] else None
        copies, form = int(self.copies[index]), self.calls.forms.dosage(self.order[index : index + 1])[0, 0]
        return None if copies < 0 else Copies(copies, 1 if form == CallForm.HAPLOID else ploidy)

    def reference_at(self, site: Site) -> Copies | None:
        """The person's copies of one variant's REF; None where the record does not say.

        What is not this ALT may be another one, which has a row of its own. Other bases in REF's place are taken off;
        what an insertion or a deletion leaves of REF is not told, nor what is missing.
        """
        found = self.at(site)
        if found is None:
            return None
        rest = found.ploidy - found.copies
        for index in self._over(site):
            copies = int(self.copies[index])
            if copies < 0 or (copies and not self._is_instead(index, site)):
                return None
            rest -= copies
        return Copies(rest, found.ploidy) if rest >= 0 else None

    def dosage(self, panel: Panel) -> NDArray[np.int8]:
        """Copies of ALT at a panel's sites (sites,), as in the analysis vector; -1 is missing."""
        on_panel: NDArray[np.int8] = self.calls.on_panel(panel, self.calls.locate(panel)).dosage()[0]
        return on_panel

    def _index(self, site: Site) -> int | None:
        """Where a variant's row stands; alleles of a hashed key are compared."""
        key = np.uint64(variant_keys.variant_key(*site))
        first, last = (int(self.keys.searchsorted(key, side)) for side in ("left", "right"))
        for index in range(first, last):
            row = int(self.order[index])
            if (self.calls.reference[row], self.calls.alternate[row]) == (site.reference, site.alternate):
                return index
        return None

    def _over(self, site: Site) -> list[int]:
        """Where rows of other variants stand whose REF has a base in common with this one's."""
        (first,), (last,) = _span(site)
        begin = int(self.reaches.searchsorted(first))
        end = int(self.keys.searchsorted((last + np.uint64(1)) << np.uint64(variant_keys.ALLELE_BITS)))
        own = self._index(site)
        places = variant_keys.places(self.keys[begin:end]).tolist()
        return [
            index
            for index, place in enumerate(places, start=begin)
            if index != own and place + len(self.calls.reference[int(self.order[index])]) > first
        ]

    def _is_instead(self, index: int, site: Site) -> bool:
        """Whether a row's ALT is other bases in the place of a variant's REF: just these, and as many."""
        row = int(self.order[index])
        here = int(variant_keys.positions(self.keys[index : index + 1])[0]), self.calls.reference[row]
        return here == (site.pos, site.reference) and len(self.calls.alternate[row]) == len(site.reference)

    def _ploidy(self, site: Site) -> int:
        """How many copies the person has of the chromosome at a place."""
        key = variant_keys.variant_key(*site)
        of_men = one_copy_keys(self.assembly) if self.sex == "male" else ()
        single = (variant_keys.of_chromosome(MT), *of_men)
        return 1 if any(lowest <= key <= highest for lowest, highest in single) else 2


def _span(site: Site) -> tuple[Keys, Keys]:
    """First and last place of a variant's REF, each as an array of one."""
    code = np.array([chromosome_code(site.chromosome)])
    first, last = (variant_keys.place(code, np.array([pos])) for pos in (site.pos, site.pos + len(site.reference) - 1))
    return first, last
