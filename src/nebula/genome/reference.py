"""The reference genome: what every REF is checked against, and insertions and deletions are left-aligned along.

A genome of three billion bases is read as its file's records walk along it, by the index that stands beside it
(``samtools faidx``: a table of name, bases, offset, bases and bytes of a line): a plain file is mapped and looked at
where it stands, of a compressed one a quarter of a megabyte is inflated at a time. A file without an index is read
whole.

Whoever shortens a mapped file while it is looked at ends the process (SIGBUS); nothing of an import that did not end
is kept.
"""

from __future__ import annotations

import mmap
from contextlib import suppress
from dataclasses import dataclass, field
from os import SEEK_END
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

import numpy as np

from nebula import _native
from nebula.genome.chromosomes import chromosome_code
from nebula.genome.inflate import GZIP_MAGIC

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.inflate import Source

_LONGEST_CHROMOSOME = 1 << 28
#: What is copied stays in the processor's cache while the records of its stretch pass; what is not may have any length.
_COPIED, _IN_PLACE = 1 << 18, 1 << 48
_FAI_COLUMNS = 5
#: Of any file.
_END = (1 << 63) - 1
_MAKE_INDEX = "make it again with `samtools faidx`"


class Reference(Protocol):
    """Where the reader of a VCF finds the reference genome; it asks along the file's order."""

    @property
    def window_bytes(self) -> int:
        """Of how many bytes it should ask for lines at a time."""

    def layout(self, contig: str) -> tuple[int, int, int] | None:
        """Bases of a contig, bases of each of its lines, bytes of each; None where there is no such contig."""

    def lines(self, contig: str, first: int, count: int) -> bytes | memoryview:
        """Some lines of a contig as they stand in the file, ends of lines included; fewer where it ends."""


class Entry(NamedTuple):
    """A line of an index: a sequence of ``bases`` begins at ``offset``, in lines of so many bases and bytes."""

    bases: int
    offset: int
    bases_per_line: int
    bytes_per_line: int

    @property
    def end(self) -> int:
        """Where its last line ends at the latest."""
        return self.offset + -(-self.bases // max(self.bases_per_line, 1)) * self.bytes_per_line


@dataclass(frozen=True, slots=True, eq=False)
class WholeReference:
    """Sequences in memory, by name."""

    sequences: dict[str, bytes]
    window_bytes: int = field(init=False, default=_IN_PLACE)
    _names: dict[int, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_names", _names(self.sequences))

    def layout(self, contig: str) -> tuple[int, int, int] | None:
        """See ``Reference``: a sequence is one line."""
        found = self.sequences.get(self._name(contig))
        return None if found is None else (len(found), len(found), len(found))

    def lines(self, contig: str, first: int, count: int) -> bytes:
        """See ``Reference``."""
        return self.sequences[self._name(contig)] if first == 0 < count else b""

    def _name(self, contig: str) -> str:
        return contig if contig in self.sequences else self._names.get(chromosome_code(contig), "")


class IndexedReference:
    """An open FASTA file, plain or compressed with bgzip, of which only what is asked for is read.

    Args:
        source: the open file; it stays open for as long as this is used.
        index: the ``.fai`` beside it.
        blocks: the ``.gzi`` beside it, if it is compressed.

    Raises:
        RejectedInputError: ``fasta.index``; later, ``fasta.damaged``.
    """

    def __init__(self, source: Source, index: bytes, blocks: bytes | None = None) -> None:
        self._file = source.file
        if blocks is None and self._file.read(len(GZIP_MAGIC)) == GZIP_MAGIC:
            source.refuse("index", "it is compressed, and the index of its blocks (.gzi) is missing", hint=_MAKE_INDEX)
        self._entries = _parse_index(source, index)
        self._names = _names(self._entries)
        self._blocks = None if blocks is None else _Blocks(source, blocks)
        self._mapped = _mapped(source.file) if blocks is None else None
        self.window_bytes = _COPIED if self._mapped is None else _IN_PLACE

    def layout(self, contig: str) -> tuple[int, int, int] | None:
        """See ``Reference``."""
        entry = self._entry(contig)
        return None if entry is None else (entry.bases, entry.bases_per_line, entry.bytes_per_line)

    def lines(self, contig: str, first: int, count: int) -> bytes | memoryview:
        """See ``Reference``."""
        entry = self._entry(contig)
        if entry is None or not entry.bases:
            return b""
        last = min(first + count, -(-entry.bases // entry.bases_per_line))
        if last <= first:
            return b""
        start, end = (entry.offset + line * entry.bytes_per_line for line in (first, last))
        if self._blocks is not None:
            return self._blocks.read(start, end)
        if self._mapped is not None:
            return self._mapped[start:end]
        self._file.seek(start)
        return self._file.read(end - start)

    def _entry(self, contig: str) -> Entry | None:
        entry = self._entries.get(contig)
        return self._entries.get(self._names.get(chromosome_code(contig), "")) if entry is None else entry


def _mapped(file: BinaryIO) -> memoryview | None:
    """An open file's bytes where they stand; None where it cannot be mapped, being none of the system's, or empty."""
    try:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):
        return None
    # A genome's records walk along all of it: read ahead and mapped in large pages, an import takes a tenth less.
    # A system that has none may leave it at small ones.
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):
            mapped.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(mapped)


class _Blocks:
    """Any bytes of a BGZF file, by the index of its blocks.

    The index has their number without the first, then of each where it begins, compressed and inflated (u64,
    little-endian).
    """

    def __init__(self, source: Source, index: bytes) -> None:
        self._source = source
        numbers = np.frombuffer(index[8:], "<u8") if len(index) % 8 == 0 else np.zeros(1, np.uint64)
        pairs = numbers[: len(numbers) // 2 * 2].reshape(-1, 2).astype(np.int64)
        compressed, inflated = np.diff(pairs, axis=0, prepend=0).T
        # SECURITY: as many bytes are asked for as lie between two of its blocks.
        inside = (
            (compressed > 0).all() and (inflated >= 0).all() and (pairs[:, 0] <= source.file.seek(0, SEEK_END)).all()
        )
        if int.from_bytes(index[:8], "little") * 2 != len(numbers) or not inside:
            source.refuse("index", "the index of its blocks (.gzi) is damaged", hint=_MAKE_INDEX)
        self._starts: NDArray[np.int64] = np.vstack([np.zeros((1, 2), np.int64), pairs])

    def read(self, start: int, end: int) -> bytes:
        """The inflated bytes from ``start`` to ``end``."""
        first, last = np.searchsorted(self._starts[:, 1], [start, end], side="right")
        at, inflated_at = self._starts[first - 1].tolist()
        stop = int(self._starts[last, 0]) if last < len(self._starts) else None
        self._source.file.seek(at)
        raw = self._source.file.read(-1 if stop is None else stop - at)
        pieces = []
        while raw:
            try:
                inflated, used, _ = _native.inflate_blocks(raw)
            except ValueError as error:
                self._source.refuse("damaged", f"the compressed data is damaged: {error}", hint="download it again")
            if not used:
                self._source.refuse("index", "the index of its blocks (.gzi) does not fit it", hint=_MAKE_INDEX)
            pieces.append(inflated)
            raw = raw[used:]
        return b"".join(pieces)[start - inflated_at : end - inflated_at]


def _names(sequences: dict[str, bytes] | dict[str, Entry]) -> dict[int, str]:
    """Names by chromosome code, so that ``chr1`` and ``1`` find each other."""
    return {code: name for name in sequences if (code := chromosome_code(name))}


def _parse_index(source: Source, index: bytes) -> dict[str, Entry]:
    entries = {}
    for number, line in enumerate(index.decode("utf-8", "replace").splitlines(), start=1):
        name, *texts = line.split("\t")
        numbers = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < _FAI_COLUMNS * 4]
        if len(texts) != _FAI_COLUMNS - 1 or len(numbers) != len(texts):
            source.refuse("index", f"line {number} of its index (.fai) has not five columns", hint=_MAKE_INDEX)
        entry = Entry(*numbers)
        has_lines = entry.bases == 0 or 0 < entry.bases_per_line <= entry.bytes_per_line
        if not has_lines or entry.end > _END or name in entries:
            source.refuse("index", f"line {number} of its index (.fai) does not describe lines", hint=_MAKE_INDEX)
        entries[name] = entry
    return entries


def read_fasta(source: Source) -> WholeReference:
    """Read a FASTA file whole, plain or compressed; for a human genome that takes 3 GB of memory.

    Raises:
        RejectedInputError: ``fasta.malformed``.
    """
    sequences: dict[str, bytearray] = {}
    current: bytearray | None = None
    begun: list[bytes] = []  # of a line whose end is still to come; a chromosome may be one line
    for piece in source.pieces():
        *ends, rest = piece.split(b"\n")
        for end in ends:
            current = _step(source, b"".join([*begun, end]).strip(), current, sequences)
            begun.clear()
        begun.append(rest)
        if sum(map(len, begun)) > _LONGEST_CHROMOSOME:
            source.refuse("malformed", "a line is longer than any chromosome")
    _step(source, b"".join(begun).strip(), current, sequences)
    return WholeReference({name: bytes(sequence) for name, sequence in sequences.items()})


def _step(source: Source, line: bytes, current: bytearray | None, sequences: dict[str, bytearray]) -> bytearray | None:
    if line.startswith(b">"):
        name = line[1:].split(maxsplit=1)[0].decode("latin-1") if line[1:].strip() else ""
        if name in sequences:
            source.refuse("malformed", f"the sequence {name!r} stands twice")
        return sequences.setdefault(name, bytearray())
    if line and current is None:
        source.refuse("malformed", "the file does not begin with '>'")
    if line and not line.isalpha():
        source.refuse("malformed", "a sequence has something else than letters")
    if current is not None:
        current += line
    return current
