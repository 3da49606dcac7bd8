"""Read a VCF in pieces: the header at once, then batches of columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from itertools import chain as joined
from typing import TYPE_CHECKING, NoReturn

from nebula import _native
from nebula.genome.matrix import PackedMatrix
from nebula.genome.texts import Texts
from nebula.genome.unlike import known_by_magic
from nebula.genome.vcf.bcf import OTHER_MAGIC, as_vcf
from nebula.genome.vcf.header import HeaderError, VcfHeader, parse_header
from nebula.genome.vcf.overlooked import Overlooked
from nebula.genome.vcf.rules import hint_of
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from nebula.genome.inflate import Source
    from nebula.genome.reference import Reference

#: 4.5 says so too, and the specification's own file of that version has none.
_VERSIONS_OF_LAST_NEWLINE = (3, 4)
#: How many more rows are expected than the first lines let expect.
_MARGIN = 1.1


class CallForm(IntEnum):
    """How a call is written."""

    UNPHASED = 0
    HAPLOID = 1
    PHASED = 2  # one alternative allele comes first
    PHASED_SECOND = 3


@dataclass(frozen=True, slots=True, eq=False)
class VariantBatch:
    """Records as columns: one row for every trimmed alternative allele that is a sequence.

    Rows follow the file's records; where alleles of one place, trimming or left-aligning would have a chromosome's rows
    come in another order than their keys, they stand where their keys put them, if that is near.

    Attributes:
        contig: contig numbers (rows,), into ``VcfReader.contigs``.
        pos: 1-based (rows,).
        key: VariantKeys (rows,), 0 where the contig is no chromosome.
        reference: REF, upper case.
        alternate: ALT, upper case.
        filter: numbers (rows,), into ``VcfReader.filters``.
        codes: two-bit codes (rows, samples).
        forms: how each call is written (rows, samples): CallForm codes.
        depth: DP (rows,) of a file of one sample, -1 where absent; empty otherwise.
        quality: GQ, likewise.
        line: line numbers (rows,), those beyond 32 bits the highest of these.
        blocks: hom-ref stretches of a file of one sample, (blocks, 5): contig, first and last position, lowest
            DP and GQ, -1 where absent.
        records: lines in the batch, and how many of them had GT.
        other_alleles: symbolic alleles, breakends and ``*``, which became no row.
        repetitions: variants that nobody carries and that stood twice; they became one row.
        half_calls: such as ``./1``; they count as missing.
        polyploid_calls: more than two alleles; they count as missing.
        filtered_calls: FT says that they did not pass; they count as missing.
        unreferenced: rows on contigs that a given reference genome lacks; they were trimmed only.
    """

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
    line: NDArray[np.uint32]
    blocks: NDArray[np.int64]
    records: int
    genotyped: int
    other_alleles: int
    repetitions: int
    half_calls: int
    polyploid_calls: int
    filtered_calls: int
    unreferenced: int

    @classmethod
    def from_native(cls, native: _native.VcfBatch, samples: int) -> VariantBatch:
        """Wrap what the native parser returns."""
        return cls(
            native.contig,
            native.pos,
            native.key,
            Texts(*native.reference),
            Texts(*native.alternate),
            native.filter,
            PackedMatrix(native.codes, samples),
            PackedMatrix(native.forms, samples),
            native.depth,
            native.quality,
            native.line,
            native.blocks,
            native.records,
            native.genotyped,
            native.other_alleles,
            native.repetitions,
            native.half_calls,
            native.polyploid_calls,
            native.filtered_calls,
            native.unreferenced,
        )


class VcfReader:
    """A VCF or BCF: its header, and its records, which can be read once: batch by batch, or as a whole.

    Args:
        source: the open file.
        pieces: its content, inflated, where it was begun to be read.
        reference: every REF is checked against it, and insertions and deletions are left-aligned.
        lenient: whether faults that leave no doubt are counted in ``overlooked`` instead of ending the reading.

    Raises:
        RejectedInputError: ``vcf.*``, with the file's name, line, field and rule.
    """

    def __init__(
        self,
        source: Source,
        pieces: Iterator[bytes] | None = None,
        *,
        lenient: bool = False,
        reference: Reference | None = None,
    ) -> None:
        self._source = source
        self._lenient = lenient
        self._unended = False
        self._pieces = source.pieces() if pieces is None else pieces
        self._rest = next(self._pieces, b"")
        self.binary = self._rest.startswith(OTHER_MAGIC)
        if self.binary:
            self._pieces = as_vcf(source, joined([self._rest], self._pieces))
            self._rest = next(self._pieces, b"")
        self.header = self._read_header()
        self._parser = _native.VcfParser(
            list(self.header.samples),
            self.header.definitions("INFO"),
            self.header.definitions("FORMAT"),
            self.header.contig_lengths(),
            self.header.minor,
            self.header.lines,
            lenient,
            reference,
        )

    @property
    def contigs(self) -> list[str]:
        """Names of the contigs met so far, by number."""
        return self._parser.contigs

    @property
    def filters(self) -> list[str]:
        """FILTER values met so far, by number."""
        return self._parser.filters

    @property
    def overlooked(self) -> tuple[Overlooked, ...]:
        """What a lenient reading went on from so far."""
        found = list(self.header.overlooked)
        for code, kept, count, line, field, sentence in self._parser.tallies:
            found.append(Overlooked(code=code, kept=kept, count=count, line=line, sentence=f"{field}: {sentence}"))
        if self._unended:
            sentence = "the last line has no end"
            last = self._parser.line
            found.append(Overlooked(code="vcf.truncated", kept=True, count=1, line=last, sentence=sentence))
        return tuple(found)

    def __iter__(self) -> Iterator[VariantBatch]:
        for lines in self._whole_lines():
            self._parse_lines(*lines)
            yield self._taken()

    def whole(self) -> VariantBatch:
        """All that is left to be read, as one batch."""
        expected = len(self.header.samples) != 1
        for lines in self._whole_lines():
            rows = self._parse_lines(*lines)
            if not expected and (share := self._source.share_read()):
                self._parser.expect(int(_MARGIN * rows / share))
                expected = True
        return self._taken()

    def _parse_lines(self, begun: bytes, piece: bytes, end: int) -> int:
        try:
            return self._parser.parse(begun, piece, end)
        except _native.ParseError as error:
            code, line, field, sentence = error.args
            self._refuse_line(code, line, f"{field}: {sentence}", hint=hint_of(code))

    def _taken(self) -> VariantBatch:
        return VariantBatch.from_native(self._parser.take(), len(self.header.samples))

    def _whole_lines(self) -> Iterator[tuple[bytes, bytes, int]]:
        """A line that was begun, the piece that goes on with it, and how far into that lines are whole.

        Empty lines at the file's end are left out.
        """
        parts = [self._rest]
        for piece in self._pieces:
            if b"\n" not in piece:
                # A line of many pieces is put together once, where it ends.
                parts.append(piece)
                self._check_line(sum(map(len, parts)))
                continue
            rest = b"".join(parts)
            begun, going_on = rest, piece
            # The last line is held back: what follows it may be the end.
            if b"\n" in begun or not piece[-2:].strip(b"\r\n"):
                begun, going_on = b"", rest + piece
            whole = going_on if going_on[-2:].strip(b"\r\n") else going_on.rstrip(b"\r\n")
            end = going_on.rfind(b"\n", 0, len(whole)) + 1
            if end:
                yield begun, going_on, end
                rest = going_on[end:]
            else:
                rest = begun + going_on
            self._check_line(len(rest))
            parts = [rest]
        rest = b"".join(parts)
        if self.header.minor in _VERSIONS_OF_LAST_NEWLINE and rest and not rest.endswith(b"\n"):
            self._refuse_cut_off()
        if rest := rest.rstrip(b"\r\n"):
            yield b"", rest, len(rest)

    def _check_line(self, length: int) -> None:
        if length > self._source.limits.line_bytes:
            self._source.refuse("line-too-long", f"a line is longer than {self._source.limits.line_bytes} bytes")

    def _refuse_cut_off(self) -> None:
        if not self._lenient:
            self._source.refuse("truncated", "the last line has no end", hint="copy or download the file again, whole")
        self._unended = True

    def _read_header(self) -> VcfHeader:
        buffer, self._rest = self._rest, b""
        self._check_magic(buffer)
        lines: list[str] = []
        while True:
            start = 0
            while (end := buffer.find(b"\n", start)) >= 0:
                line = self._decode(buffer[start:end].removesuffix(b"\r"))
                start = end + 1
                lines.append(line)
                if not line.startswith("##"):
                    self._rest = buffer[start:]
                    return self._parse(lines)
            more = next(self._pieces, b"")
            if not more:
                lines.append(self._decode(buffer[start:].removesuffix(b"\r")))
                header = self._parse(lines)
                if header.minor in _VERSIONS_OF_LAST_NEWLINE:
                    self._refuse_cut_off()
                return header
            buffer = buffer[start:] + more
            if sum(map(len, lines)) + len(buffer) > self._source.limits.header_bytes + (1 << 21):
                self._source.refuse("header-too-long", "the header has no end")

    def _parse(self, lines: list[str]) -> VcfHeader:
        if lines[0].startswith("##") and not lines[-1].startswith("#CHROM"):
            sentence = "neither a ## line nor the line of columns that begins with #CHROM"
            self._refuse_line("vcf.header", len(lines), sentence, hint=hint_of("vcf.header"))
        try:
            return parse_header(lines, max_samples=self._source.limits.samples, lenient=self._lenient)
        except HeaderError as error:
            code = f"vcf.{error.code}"
            self._refuse_line(code, error.line, f"header: {error}", hint=hint_of(code))

    def _decode(self, line: bytes) -> str:
        # Before 4.3 no encoding was fixed; what is not UTF-8 is kept apart by Latin-1, where no byte fails.
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            return line.decode("latin-1")

    def _check_magic(self, start: bytes) -> None:
        if (other := known_by_magic(start)) is not None:
            self._source.refuse("binary", other.what, hint=other.hint)
        if b"\x00" in start[:4096]:
            self._source.refuse("binary", "this is a binary file, not a VCF", hint="give a VCF file")

    def _refuse_line(self, code: str, line: int, sentence: str, *, hint: str | None) -> NoReturn:
        raise RejectedInputError(code, f"{self._source.name}, line {line}, {sentence}", hint=hint)
