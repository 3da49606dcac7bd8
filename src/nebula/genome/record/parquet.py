"""The standard record: one person's genotypes as Parquet (zstd-1).

Columns: ``chrom``, ``pos`` (1-based), ``end`` (last position of a hom-ref block, else null), ``ref``, ``alt``
(null in blocks), ``gt`` as VCF writes it with respect to ``alt`` alone (so ``1|2`` becomes two rows), ``phase``
(whether the call is phased), ``dp``, ``gq`` (of a block, the lowest in it), ``filter``. Rows ascend by VariantKey,
which follows from ``chrom``, ``pos``, ``ref`` and ``alt`` and would take half of the file; those that have none, and
blocks, stand at the end. The file's metadata say which version of this it is of, ``nebula.record``, and the assembly
that positions are on, ``nebula.assembly``.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from nebula import _native
from nebula.genome.record.order import Order
from nebula.genome.vcf.reader import CallForm
from nebula.protocol.errors import RejectedInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nebula.genome.calls import Calls
    from nebula.genome.texts import Texts

SCHEMA_VERSION = 2
_TEXT = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema(
    [
        ("chrom", _TEXT),
        ("pos", pa.int32()),
        ("end", pa.int32()),
        ("ref", _TEXT),
        ("alt", _TEXT),
        ("gt", pa.dictionary(pa.int8(), pa.string())),
        ("phase", pa.bool_()),
        ("dp", pa.int32()),
        ("gq", pa.int32()),
        ("filter", _TEXT),
    ]
)
#: GT by code + 4 x form; see ``VariantBatch.forms``. No Arrow array before it is needed: making one loads pandas.
GENOTYPES = ("0/0", "0/1", "1/1", "./.", "0", "1", "1", ".", "0|0", "1|0", "1|1", ".|.", "0|0", "0|1", "1|1", ".|.")
_VERSION = b"nebula.record"
_HOM_REF = 0
_PHASED_FROM = 4 * CallForm.PHASED
_DICTIONARIES = ["chrom", "ref", "alt", "gt", "filter"]
#: As many as a row group has: a page ends only where it is a megabyte long, for each is compressed by itself, which
#: takes time and room.
_ROWS_PER_PAGE = 1 << 20
#: What a file may hold, and what more for each of its bytes: several times what real ones do.
_ROWS, _ROWS_PER_BYTE = 1_000_000, 8
_TEXT_BYTES, _TEXT_PER_BYTE = 1 << 29, 16


class RecordWriter:
    """Writes one record for each person of a file; what they have in common is made once."""

    def __init__(self, calls: Calls, *, assembly: str) -> None:
        order = Order.of(calls)
        self._codes, self._forms = (
            _by_person(order.bring(packed), len(calls.samples)) for packed in (calls.codes.packed, calls.forms.packed)
        )
        self._rows = calls.rows
        self._blocks = len(calls.blocks)
        self._metadata = {_VERSION: b"%d" % SCHEMA_VERSION, b"nebula.assembly": assembly.encode()}
        self._shared = _shared_columns(calls, order)

    def codes(self, person: int) -> NDArray[np.uint8]:
        """One person's codes, rows in the record's order (rows,)."""
        return _unpacked(self._codes[person], self._rows)

    def write(self, person: int) -> bytes:
        """One person's record."""
        written = _unpacked(self._forms[person], self._rows)
        written <<= np.uint8(2)
        written |= self.codes(person)
        if self._blocks:
            written = np.concatenate([written, np.full(self._blocks, _HOM_REF, np.uint8)])
        columns = {
            **self._shared,
            "gt": _genotypes(written.tobytes()),
            "phase": pa.array(written >= _PHASED_FROM),
        }
        arrays = [columns[name] for name in SCHEMA.names]
        # A column that lacks nothing needs no word on each value that it is there.
        schema = pa.schema([pa.field(name, columns[name].type, columns[name].null_count > 0) for name in SCHEMA.names])
        sink = io.BytesIO()
        with pq.ParquetWriter(
            sink,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=_DICTIONARIES,
            column_encoding={"pos": "DELTA_BINARY_PACKED", "dp": "BYTE_STREAM_SPLIT", "gq": "BYTE_STREAM_SPLIT"},
            write_statistics=False,
            store_schema=False,
            max_rows_per_page=_ROWS_PER_PAGE,
        ) as writer:
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            # Arrow writes a schema's own metadata only together with the schema in its own form.
            writer.add_key_value_metadata(self._metadata)
        return sink.getvalue()


def read_record(raw: bytes, *, max_rows: int = 200_000_000) -> pa.Table:
    """Read a record, strictly: the columns above, and not more than such a file can hold, or rows than ``max_rows``.

    Raises:
        RejectedInputError: ``record.malformed``, ``record.too-large``; ``record.other-version``, it says that it is of
            another version.
    """
    # SECURITY: a few bytes of a dictionary, or of equal rows, become gigabytes.
    try:
        metadata = pq.read_metadata(pa.BufferReader(raw))
        _check_rows(metadata, len(raw), max_rows)
        version = (metadata.metadata or {}).get(_VERSION, b"")
        if version not in (b"", b"%d" % SCHEMA_VERSION):
            raise RejectedInputError(
                "record.other-version",
                f"the record is of version {version[:20]!r}, and {SCHEMA_VERSION} is read",
                hint="a newer version of nebula reads it",
            )
        # Before the columns are asked for by name, which they may not have.
        if [metadata.schema.column(index).path for index in range(metadata.num_columns)] != SCHEMA.names:
            raise RejectedInputError("record.malformed", f"the columns are not {', '.join(SCHEMA.names)}")
        file = pq.ParquetFile(pa.BufferReader(raw), metadata=metadata, read_dictionary=_DICTIONARIES)
        if not all(pa.types.is_dictionary(file.schema_arrow.field(name).type) for name in _DICTIONARIES):
            raise RejectedInputError("record.malformed", f"{', '.join(_DICTIONARIES)} are not all texts")
        table = file.read()
        _check_texts(table, len(raw))
        return table.cast(pa.schema([(field.name, _plain(field.type)) for field in SCHEMA]))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise RejectedInputError("record.malformed", f"this is no Parquet record: {error}") from error


def _check_rows(metadata: pq.FileMetaData, size: int, max_rows: int) -> None:
    """Refuse more rows than a file of ``size`` bytes can hold, and columns that it says become more than its texts."""
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    rows, most = sum(group.num_rows for group in groups), min(max_rows, _ROWS + _ROWS_PER_BYTE * size)
    if rows > most:
        raise RejectedInputError("record.too-large", f"{rows:,} rows, more than the {most:,} of a file of this size")
    _check_bytes(sum(group.total_byte_size for group in groups), size)


def _check_texts(table: pa.Table, size: int) -> None:
    """Refuse texts that are more, each written out in its row, than those of a file of ``size`` bytes."""
    chunks = [chunk for name in _DICTIONARIES for chunk in table.column(name).chunks]
    lengths = (pc.sum(pc.binary_length(chunk.dictionary).take(chunk.indices)).as_py() or 0 for chunk in chunks)
    _check_bytes(sum(lengths), size)


def _check_bytes(found: int, size: int) -> None:
    most = _TEXT_BYTES + _TEXT_PER_BYTE * size
    if found > most:
        raise RejectedInputError("record.too-large", f"{found:,} bytes, more than the {most:,} of a file of this size")


def in_blocks(table: pa.Table) -> NDArray[np.bool_]:
    """Which rows of a record are hom-ref blocks: those that have an ``end``, and no ``alt``.

    Raises:
        RejectedInputError: ``record.malformed``; a row has both, or neither.
    """
    found: NDArray[np.bool_] = table.column("end").is_valid().to_numpy()
    if (found == table.column("alt").is_valid().to_numpy()).any():
        raise RejectedInputError("record.malformed", "a row has an alt, or is a block and has an end: one of these")
    return found


def _genotypes(written: bytes) -> pa.Array:
    """GT as text; only what occurs is in the dictionary, so that a number in it is as short as can be."""
    used = bytes(code for code in range(len(GENOTYPES)) if code in written)
    shorter = written.translate(bytes.maketrans(used, bytes(range(len(used)))))
    spelt = pa.array([GENOTYPES[code] for code in used], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(np.frombuffer(shorter, np.int8)), spelt, safe=False)


def _plain(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _by_person(packed: NDArray[np.uint8], samples: int) -> NDArray[np.uint8]:
    return _native.transpose_matrix(np.ascontiguousarray(packed), samples)


def _unpacked(packed: NDArray[np.uint8], codes: int) -> NDArray[np.uint8]:
    """Codes 0 to 3, where the kernel's dosages say -1 for 3."""
    dosage = _native.unpack(packed.reshape(1, -1), codes)[0]
    unpacked: NDArray[np.uint8] = dosage.view(np.uint8)
    unpacked &= np.uint8(3)
    return unpacked


def _ends(pos: pa.Array, blocks: NDArray[np.int64]) -> pa.Array:
    """The last position of each block, which stand behind the rows that have none."""
    rows = len(pos) - len(blocks)
    if len(blocks):
        return pa.concat_arrays([pa.nulls(rows, pa.int32()), pa.array(blocks[:, 2], pa.int32())])
    # Where all are missing, nobody looks at the values: those of another column stand for them, and take no memory.
    return pa.Array.from_buffers(pa.int32(), rows, [pa.py_buffer(bytes((rows + 7) // 8)), pos.buffers()[1]], rows)


def _shared_columns(calls: Calls, order: Order) -> dict[str, pa.Array]:
    blocks = calls.blocks
    none = pa.nulls(len(blocks))

    def whole(values: NDArray[np.integer], behind: NDArray[np.int64] | None = None) -> pa.Array:
        rows = pa.array(order.bring(values))
        tail = none.cast(rows.type) if behind is None else pa.array(behind, rows.type)
        return pa.concat_arrays([rows, tail]) if len(blocks) else rows

    def optional(values: NDArray[np.int32], behind: NDArray[np.int64]) -> pa.Array:
        rows = order.bring(values) if len(values) else np.full(calls.rows, -1, np.int32)
        both = np.concatenate([rows, behind.astype(np.int32)]) if len(blocks) else rows
        missing = both < 0
        return pa.array(both, pa.int32(), mask=missing if missing.any() else None)

    def texts(column: Texts) -> pa.Array:
        different = len(column.offsets) - 1
        spelt = pa.StringArray.from_buffers(different, pa.py_buffer(column.offsets), pa.py_buffer(column.content))
        return pa.DictionaryArray.from_arrays(whole(column.numbers), spelt, safe=False)

    def named(numbers: NDArray[np.uint16], names: list[str], behind: NDArray[np.int64] | None) -> pa.Array:
        return pa.DictionaryArray.from_arrays(whole(numbers, behind), pa.array(names, pa.string()))

    pos = whole(calls.pos, blocks[:, 1])
    return {
        "chrom": named(calls.contig, calls.contigs, blocks[:, 0]),
        "pos": pos,
        "end": _ends(pos, blocks),
        "ref": texts(calls.reference),
        "alt": texts(calls.alternate),
        "dp": optional(calls.depth, blocks[:, 3]),
        "gq": optional(calls.quality, blocks[:, 4]),
        "filter": named(calls.filter, calls.filters, None),
    }
