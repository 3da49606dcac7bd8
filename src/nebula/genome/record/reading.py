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
from nebula.genome.calls import Calls
from nebula.genome.chromosomes import chromosome_code
from nebula.genome.matrix import PackedMatrix
from nebula.genome.record.parquet import GENOTYPES, in_blocks, read_record
from nebula.genome.vcf.reader import Texts
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_NO_BASE = 0xFF
_BASE_CODES = np.full(256, _NO_BASE, np.uint8)
_BASE_CODES[list(b"ACGT")] = range(4)
#: REF and ALT of one base each, in the bits of a key's alleles.
_SINGLE = np.uint64((1 << 27) | (1 << 23))


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
    names, contig = _numbered(table.column("chrom"))
    filters, passed = _numbered(rows.column("filter"))
    reference, alternate = _texts(rows.column("ref")), _texts(rows.column("alt"))
    pos = _numbers(rows.column("pos"))
    return Calls(
        samples=(sample,),
        contigs=names,
        filters=filters,
        contig=contig[~is_block],
        pos=pos,
        key=_keys(names, contig[~is_block], pos, reference, alternate),
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
    names, numbers = _numbered(rows.column("gt"))
    if unknown := set(names) - set(written):
        raise RejectedInputError("record.malformed", f"{min(unknown)[:20]!r} is no GT of a standard record")
    found = np.array([written[name] for name in names], np.uint8)[numbers]
    return found // 4, found % 4


def _numbered(column: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int32]]:
    """Different texts of a column, and which of them each row has."""
    if column.null_count:
        raise RejectedInputError("record.malformed", "chrom, gt and filter say something in each row of a variant")
    encoded = pc.dictionary_encode(column).combine_chunks()
    chunk = encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded
    return chunk.dictionary.to_pylist(), chunk.indices.to_numpy(zero_copy_only=False).astype(np.int32)


def _texts(column: pa.ChunkedArray) -> Texts:
    if column.null_count:
        raise RejectedInputError("record.malformed", "ref and alt are there in each row of a variant")
    whole = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], pa.string())
    _, offsets, content = whole.buffers()
    ends = np.frombuffer(offsets, np.int32)[whole.offset : whole.offset + len(whole) + 1] if len(whole) else [0]
    return Texts(np.frombuffer(content or b"", np.uint8), np.asarray(ends, np.int32))


def _numbers(column: pa.ChunkedArray) -> NDArray[np.int32]:
    if column.null_count or (len(column) and pc.min(column).as_py() < 0):
        raise RejectedInputError("record.malformed", "a position or an end is missing, or negative")
    found: NDArray[np.int32] = column.to_numpy().astype(np.int32)
    return found


def _keys(
    names: list[str], contig: NDArray[np.int32], pos: NDArray[np.int32], reference: Texts, alternate: Texts
) -> NDArray[np.uint64]:
    """VariantKeys (rows,); nearly all alleles are single bases, and those are made at once."""
    codes = np.array([chromosome_code(name) for name in names], np.uint64)[contig]
    keys = np.zeros(len(contig), np.uint64)
    bases = [_BASE_CODES[_first_bytes(texts)] for texts in (reference, alternate)]
    single = (reference.lengths() == 1) & (alternate.lengths() == 1) & (np.maximum(*bases) != _NO_BASE)
    place = variant_keys.place(codes, np.maximum(pos, 1)) << np.uint64(variant_keys.ALLELE_BITS)
    alleles = _SINGLE | (bases[0].astype(np.uint64) << np.uint64(21)) | (bases[1].astype(np.uint64) << np.uint64(19))
    on_chromosome = (codes > 0) & (pos > 0)
    keys[single & on_chromosome] = (place | alleles)[single & on_chromosome]
    for row in np.flatnonzero(~single & on_chromosome).tolist():
        keys[row] = variant_keys.variant_key(names[contig[row]], int(pos[row]), reference[row], alternate[row])
    return keys


def _first_bytes(texts: Texts) -> NDArray[np.uint8]:
    if len(texts) and (texts.lengths() == 0).any():
        raise RejectedInputError("record.malformed", "an allele is empty")
    first: NDArray[np.uint8] = texts.content[texts.offsets[:-1]]
    return first


def _packed(codes: NDArray[np.uint8]) -> PackedMatrix:
    """Codes 0 to 3, as they are, one person."""
    return PackedMatrix((codes & np.uint8(3)).reshape(-1, 1).copy(), 1)


def _blocks(behind: pa.Table, contig: NDArray[np.int32]) -> NDArray[np.int64]:
    blocks = np.full((len(contig), 5), -1, np.int64)
    blocks[:, 0] = contig
    blocks[:, 1], blocks[:, 2] = _numbers(behind.column("pos")), _numbers(behind.column("end"))
    return blocks
