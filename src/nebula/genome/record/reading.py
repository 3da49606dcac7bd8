"""A standard record read back as calls, ready to be placed on another panel.

All that the analysis vector is made of stands in the record: the calls as the file had them, their FILTER, hom-ref
blocks. So what is derived from a record of a VCF is bit by bit what its file would give on that panel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nebula.genome import keys as variant_keys
from nebula.genome.calls import MOST_NAMES, Calls
from nebula.genome.chromosomes import chromosome_code
from nebula.genome.matrix import PackedMatrix
from nebula.genome.record.parquet import GENOTYPES, in_blocks, read_record
from nebula.genome.texts import Texts
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_calls(raw: bytes, *, sample: str) -> Calls:
    """Read a standard record as the calls of one person.

    Args:
        raw: the record as Parquet.
        sample: what to call the person.

    Raises:
        RejectedInputError: ``record.malformed``.
    """
    table = read_record(raw)
    is_block = in_blocks(table)
    rows, behind = table.filter(pa.array(~is_block)), table.filter(pa.array(is_block))
    forms, codes = _genotypes(rows)
    names, contig = _numbered(table, "chrom")
    filters, passed = _numbered(rows, "filter")
    reference, alternate = _texts(rows.column("ref")), _texts(rows.column("alt"))
    pos = _numbers(rows.column("pos"))
    return Calls(
        samples=(sample,),
        contigs=names,
        filters=filters,
        contig=contig[~is_block],
        pos=pos,
        key=variant_keys.variant_keys(_chromosomes(names, contig[~is_block]), pos, reference, alternate),
        reference=reference,
        alternate=alternate,
        filter=passed,
        codes=_packed(codes),
        forms=_packed(forms),
        depth=np.zeros(0, np.int32),
        quality=np.zeros(0, np.int32),
        blocks=_blocks(behind, contig[is_block]),
    )


def _genotypes(rows: pa.Table) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """How each call is written, and its code; see ``VariantBatch.forms``."""
    written = {genotype: number for number, genotype in reversed(list(enumerate(GENOTYPES)))}
    names, numbers = _numbered(rows, "gt")
    if unknown := set(names) - set(written):
        raise RejectedInputError("record.malformed", f"{min(unknown)[:20]!r} is no GT of a standard record")
    found = np.array([written[name] for name in names], np.uint8)[numbers]
    return found // 4, found % 4


def _numbered(table: pa.Table, column: str) -> tuple[list[str], NDArray[np.uint16]]:
    """Different texts of a column, and which of them each row has."""
    texts = table.column(column)
    if texts.null_count:
        raise RejectedInputError("record.malformed", "chrom, gt and filter say something in each row of a variant")
    encoded = _encoded(texts)
    if len(encoded.dictionary) > MOST_NAMES:
        raise RejectedInputError("record.malformed", f"more than {MOST_NAMES:,} different texts in {column}")
    try:
        names = encoded.dictionary.to_pylist()
    except UnicodeDecodeError as error:
        raise RejectedInputError("record.malformed", f"{column} is not text in UTF-8") from error
    return names, encoded.indices.to_numpy(zero_copy_only=False).astype(np.uint16)


def _encoded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    encoded = pc.dictionary_encode(column).combine_chunks()
    return encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded


def _texts(column: pa.ChunkedArray) -> Texts:
    if column.null_count:
        raise RejectedInputError("record.malformed", "ref and alt are there in each row of a variant")
    if len(column) and not pc.min(pc.binary_length(column)).as_py():
        raise RejectedInputError("record.malformed", "an allele is empty")
    encoded = _encoded(column)
    _, offsets, content = encoded.dictionary.buffers()
    if not bytes(content or b"").isascii():
        raise RejectedInputError("record.malformed", "an allele is not written in ASCII letters")
    ends = np.frombuffer(offsets, np.int32)[: len(encoded.dictionary) + 1] if len(encoded) else np.zeros(1, np.int32)
    numbers = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
    return Texts(numbers, np.frombuffer(content or b"", np.uint8), ends)


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int32]:
    if column.null_count or (len(column) and pc.min(column).as_py() < 0):
        raise RejectedInputError("record.malformed", "a position or an end is missing, or negative")
    found: NDArray[np.int32] = column.to_numpy().astype(np.int32)
    return found


def _chromosomes(names: list[str], contig: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return np.array([chromosome_code(name) for name in names], np.uint8)[contig]


def _packed(codes: NDArray[np.uint8]) -> PackedMatrix:
    """Codes 0 to 3, as they are, one person."""
    return PackedMatrix((codes & np.uint8(3)).reshape(-1, 1).copy(), 1)


def _blocks(behind: pa.Table, contig: NDArray[np.uint16]) -> NDArray[np.int64]:
    blocks = np.full((len(contig), 5), -1, np.int64)
    blocks[:, 0] = contig
    blocks[:, 1], blocks[:, 2] = _numbers(behind.column("pos")), _numbers(behind.column("end"))
    return blocks
