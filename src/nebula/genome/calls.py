"""Genotype calls of one or many people at the sites of one file, ready to be placed and stored."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from nebula import _native
from nebula.genome import keys as variant_keys
from nebula.genome.blocks import Blocks
from nebula.genome.matrix import PackedMatrix
from nebula.genome.vcf.overlooked import Overlooked
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.keys import Keys
    from nebula.genome.panel import Panel
    from nebula.genome.texts import Texts
    from nebula.genome.vcf.reader import VariantBatch


#: Contigs, and values of FILTER: their numbers have 16 bits.
MOST_NAMES = 1 << 16


@dataclass(frozen=True, eq=False)
class Calls:
    """Rows of a file as columns; see ``VariantBatch`` for each of them.

    Attributes:
        samples: names, in the order of the columns of ``codes``.
        contigs: names by contig number; ``filters`` likewise.
    """

    samples: tuple[str, ...]
    contigs: list[str]
    filters: list[str]
    contig: NDArray[np.uint16]
    pos: NDArray[np.int32]
    key: NDArray[np.uint64]
    reference: Texts
    alternate: Texts
    filter: NDArray[np.uint16]
    codes: PackedMatrix
    forms: PackedMatrix
    depth: NDArray[np.int32]
    quality: NDArray[np.int32]
    blocks: NDArray[np.int64]
    line: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(0, np.uint32))

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.key)

    @cached_property
    def ascending(self) -> Keys | None:
        """Keys of the rows that have one, where these ascend and stand first, as those of a sorted file do."""
        return variant_keys.ascending(self.key)

    def rows_between(self, lowest: int, highest: int) -> NDArray[np.intp]:
        """Rows whose keys are from ``lowest``, which is above 0, to ``highest``."""
        if (keys := self.ascending) is None:
            return np.flatnonzero((self.key >= lowest) & (self.key <= highest))
        first, last = keys.searchsorted(np.array([lowest, highest + 1], np.uint64))
        return np.arange(first, last)

    def off_panel(self, sites: NDArray[np.int32]) -> NDArray[np.intp]:
        """Rows of variants on chromosomes that have no site; ``sites`` are what ``locate`` says."""
        if (keys := self.ascending) is None:
            return np.flatnonzero((sites < 0) & (self.key != 0))
        return np.flatnonzero(sites[: len(keys)] < 0)

    @classmethod
    def of(cls, batch: VariantBatch, *, samples: tuple[str, ...], contigs: list[str], filters: list[str]) -> Calls:
        """A whole file, read as one batch."""
        columns = {
            column.name: getattr(batch, column.name)
            for column in fields(cls)
            if column.name not in ("samples", "contigs", "filters")
        }
        return cls(samples=samples, contigs=contigs, filters=filters, **columns)

    def locate(self, panel: Panel) -> NDArray[np.int32]:
        """Each row's site on the panel, -1 where it has none; hashed keys count only with equal alleles."""
        sites = panel.locate(self.key)
        if not panel.long_alleles:
            return sites
        for row in np.flatnonzero((sites >= 0) & variant_keys.hashed(self.key)).tolist():
            if panel.long_alleles[int(self.key[row])] != (self.reference[row], self.alternate[row]):
                sites[row] = -1
        return sites

    def on_panel(self, panel: Panel, sites: NDArray[np.int32]) -> PackedMatrix:
        """Everyone's codes in panel order, individual-major: shape (people, ceil(sites / 4)).

        What the file does not call is missing, except inside a hom-ref block of a file of one person.
        """
        matrix = np.full((panel.sites, self.codes.packed.shape[1]), 0xFF, np.uint8)
        if used := len(self.samples) % 4:
            matrix[:, -1] = (1 << (2 * used)) - 1
        if len(self.blocks):
            matrix[self._covered(panel)] = 0
        _native.put_at_sites(matrix, sites, self.codes.packed)
        return PackedMatrix(_native.transpose_matrix(matrix, len(self.samples)), panel.sites)

    def _covered(self, panel: Panel) -> NDArray[np.bool_]:
        """Which sites of the panel lie wholly inside one hom-ref block."""
        blocks = Blocks.of(self.blocks, self.contigs)
        if not len(blocks.starts):
            return np.zeros(panel.sites, np.bool_)
        first = variant_keys.places(panel.keys)
        lengths = variant_keys.reference_lengths(panel.keys)
        for row in np.flatnonzero(variant_keys.hashed(panel.keys)).tolist():
            lengths[row] = len(panel.long_alleles[int(panel.keys[row])][0])
        return blocks.cover(first, first + (lengths - 1).astype(np.uint64))

    def check_unique(self, name: str) -> None:
        """Refuse a variant that stands twice under two names or two alignments.

        Raises:
            RejectedInputError: ``vcf.duplicate-variant``.
        """
        keys = self.ascending
        if keys is None:
            # What is nearly sorted is sorted fast by the stable way alone.
            keys = np.sort(self.key, kind="stable")
        same = keys[1:][keys[1:] == keys[:-1]]
        twice = same[(same != 0) & ~variant_keys.hashed(same)]
        if len(twice):
            place = variant_keys.positions(twice[:1])[0]
            raise RejectedInputError(
                "vcf.duplicate-variant",
                f"{name}: one variant stands twice at position {place}, under two names or two alignments",
                hint="remove what stands twice with `bcftools norm -f REFERENCE -d exact`",
            )

    def repetitions(self) -> tuple[list[int], list[int]]:
        """Rows of variants that stand several times: all but the first where they agree, and all where they do not."""
        order = np.argsort(self.key, kind="stable")
        keys = self.key[order]
        same = np.flatnonzero((keys[1:] == keys[:-1]) & (keys[1:] != 0))
        groups: dict[tuple[int, str, str], list[int]] = {}
        for row in sorted({int(order[index + step]) for index in same.tolist() for step in (0, 1)}):
            variant = int(self.key[row]), self.reference[row], self.alternate[row]
            groups.setdefault(variant, []).append(row)
        several = [rows for rows in groups.values() if len(rows) > 1]
        agreeing = [row for rows in several if self._says_the_same(rows) for row in rows[1:]]
        return agreeing, [row for rows in several if not self._says_the_same(rows) for row in rows]

    def without_repetitions(self) -> tuple[Calls, tuple[Overlooked, ...]]:
        """Where a variant stands several times, its first row if all of them say the same of everyone, else none."""
        agreeing, disagreeing = self.repetitions()
        if not agreeing and not disagreeing:
            return self, ()
        kept = np.setdiff1d(np.arange(self.rows), agreeing + disagreeing)
        overlooked = (
            self._repeated(agreeing, "a variant stands again, with the same calls", kept=True),
            self._repeated(disagreeing, "a variant stands several times, with different calls", kept=False),
        )
        return self.take(kept), tuple(one for one in overlooked if one.count)

    def _repeated(self, rows: list[int], sentence: str, *, kept: bool) -> Overlooked:
        line = int(self.line[rows].min()) if rows else 0
        sentence = f"POS, REF, ALT: {sentence}"
        return Overlooked(code="vcf.duplicate-variant", kept=kept, count=len(rows), line=line, sentence=sentence)

    def _says_the_same(self, rows: list[int]) -> bool:
        parts = (self.codes.packed[rows], self.forms.packed[rows])
        return all(bool((part == part[0]).all()) for part in parts)

    def take(self, rows: NDArray[np.int64]) -> Calls:
        """Some of the rows, ascending."""
        depth = self.depth[rows] if len(self.depth) else self.depth
        quality = self.quality[rows] if len(self.quality) else self.quality
        return replace(
            self,
            contig=self.contig[rows],
            pos=self.pos[rows],
            key=self.key[rows],
            reference=self.reference.take(rows),
            alternate=self.alternate.take(rows),
            filter=self.filter[rows],
            codes=self.codes.select_variants(rows),
            forms=self.forms.select_variants(rows),
            depth=depth,
            quality=quality,
            line=self.line[rows],
        )
