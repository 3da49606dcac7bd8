"""One person's calls, found by variant: what a standard record says, and where it says nothing.

What is in no row and in no block without variants is not known. So is what did not pass its FILTER.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow.compute as pc

from nebula.genome import keys as variant_keys
from nebula.genome.chromosomes import X_NOT_PSEUDOAUTOSOMAL, X, chromosome_code
from nebula.genome.counting import PASSING
from nebula.genome.record.parquet import read_record
from nebula.genome.sex import judge_sex

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from nebula.genome.panel import Panel, Site


class Copies(NamedTuple):
    """How many of a person's alleles at a place are the ALT asked for, and how many they have there: 1 or 2."""

    alternate: int
    of: int


@dataclass(frozen=True, slots=True, eq=False)
class PersonalCalls:
    """A standard record, ready to be asked.

    Attributes:
        places: chromosome and position of each row, as ``keys.places`` gives them, ascending (rows,).
        alleles: REF and ALT of each row.
        copies: of ALT (rows,), -1 where the call is missing or did not pass.
        ploidy: alleles in the call (rows,).
        blocks: first and last place of each stretch without variants, ascending (blocks, 2).
    """

    places: NDArray[np.uint64]
    alleles: tuple[Sequence[str], Sequence[str]]
    copies: NDArray[np.int8]
    ploidy: NDArray[np.int8]
    blocks: NDArray[np.uint64]

    @classmethod
    def of(cls, raw: bytes) -> PersonalCalls:
        """Read a record.

        Raises:
            RejectedInputError: ``record.malformed``.
        """
        table = read_record(raw)
        is_block = pc.is_valid(table.column("end"))
        rows, blocks = table.filter(pc.invert(is_block)), table.filter(is_block)
        places = _places(rows, "pos")
        order = np.argsort(places, kind="stable")
        order = order[places[order] > 0]
        calls = [_call(text) for text in rows.column("gt").to_pylist()]
        passed = np.array([name in PASSING for name in rows.column("filter").to_pylist()], np.bool_)
        copies = np.where(passed, np.array([call.alternate for call in calls], np.int8), np.int8(-1))
        return cls(
            places[order],
            (_ordered(rows, "ref", order), _ordered(rows, "alt", order)),
            copies[order],
            np.array([call.of for call in calls], np.int8)[order],
            _blocks(blocks),
        )

    def at(self, site: Site) -> Copies | None:
        """A person's copies of one variant's ALT; None where the record does not say."""
        place = variant_keys.place(np.array([chromosome_code(site.chromosome)]), np.array([site.pos]))[0]
        first, last = (int(np.searchsorted(self.places, place, side)) for side in ("left", "right"))
        for row in range(first, last):
            if (self.alleles[0][row], self.alleles[1][row]) == (site.reference, site.alternate):
                known = self.copies[row] >= 0
                return Copies(int(self.copies[row]), int(self.ploidy[row])) if known else None
        block = int(np.searchsorted(self.blocks[:, 0], place, "right")) - 1
        inside = block >= 0 and place + np.uint64(len(site.reference) - 1) <= self.blocks[block, 1]
        return Copies(0, 2) if inside else None

    def dosage(self, panel: Panel) -> NDArray[np.int8]:
        """Copies of ALT at a panel's sites (sites,); -1 is missing."""
        found = np.full(panel.sites, -1, np.int8)
        here = variant_keys.places(panel.keys)
        candidates = np.isin(here, self.places)
        if len(self.blocks):
            block = np.searchsorted(self.blocks[:, 0], here, "right").astype(np.int64) - 1
            candidates |= (block >= 0) & (here <= self.blocks[np.maximum(block, 0), 1])
        for row in np.flatnonzero(candidates).tolist():
            call = self.at(panel.site(row))
            found[row] = -1 if call is None else call.alternate
        return found

    def sex(self, assembly: str) -> str:
        """``male``, ``female`` or ``unclear``, by the calls on X; see ``nebula.genome.sex``."""
        lowest, highest = variant_keys.between(X, *X_NOT_PSEUDOAUTOSOMAL[assembly])
        bits = variant_keys.ALLELE_BITS
        on_x = (self.places >= lowest >> bits) & (self.places <= highest >> bits) & (self.copies >= 0)
        single = on_x & (self.ploidy == 1)
        mixed = on_x & (self.ploidy > 1) & (self.copies == 1)
        return judge_sex(int(on_x.sum()), int(single.sum()), int(mixed.sum()))


def _call(text: str) -> Copies:
    alleles = text.replace("|", "/").split("/")
    return Copies(-1 if "." in alleles else alleles.count("1"), len(alleles))


def _places(table: pa.Table, column: str) -> NDArray[np.uint64]:
    """Of each row; 0 off the chromosomes."""
    codes = np.array([chromosome_code(name) for name in table.column("chrom").to_pylist()], np.uint64)
    places = variant_keys.place(codes, table.column(column).to_numpy().astype(np.int64))
    return np.where(codes > 0, places, np.uint64(0))


def _ordered(table: pa.Table, column: str, order: NDArray[np.int64]) -> list[str]:
    values = table.column(column).to_pylist()
    return [values[row] for row in order.tolist()]


def _blocks(table: pa.Table) -> NDArray[np.uint64]:
    both = np.column_stack([_places(table, "pos"), _places(table, "end")])
    both = both[both[:, 0] > 0]
    return both[np.argsort(both[:, 0], kind="stable")]
