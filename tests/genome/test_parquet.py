import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genome.test_importing import panel_of
from genome.vcf_text import refused, source, vcf
from nebula.genome.importing import import_genomes
from nebula.genome.record.parquet import SCHEMA, read_record
from nebula.protocol.errors import RejectedInputError


@pytest.mark.parametrize("names", [["other"], SCHEMA.names[1:], [*SCHEMA.names, "more"], ["CHROM", *SCHEMA.names[1:]]])
def test_a_table_of_other_columns_is_no_record(names: list[str]) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({name: [1] for name in names}), sink)
    error = refused(lambda: read_record(bytes(sink.getvalue())))
    assert error is not None
    assert error.code == "record.malformed"


def test_a_column_inside_another_or_of_no_text_is_none_of_a_record() -> None:
    inside = pa.StructArray.from_arrays([pa.array(["1"])], ["chrom"])
    rest = {name: pa.array(["1"]) for name in SCHEMA.names[1:]}
    for first in ({"within": inside}, {"chrom": pa.array([b"1"], pa.binary(1))}, {"chrom": pa.array([1])}):
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table(first | rest), sink)
        with pytest.raises(RejectedInputError, match=r"the columns are not|not all texts"):
            read_record(bytes(sink.getvalue()))


def test_a_column_whose_name_is_no_text_is_refused() -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"chrom": [1]}), sink)
    error = refused(lambda: read_record(bytes(sink.getvalue()).replace(b"chrom", b"chr\x8dm")))
    assert error is not None
    assert error.code == "record.malformed"


def test_a_record_says_its_version_and_its_assembly() -> None:
    raw = vcf("1\t10\t.\tA\tC\t.\t.\t.\tGT\t0/1")
    genome = import_genomes(source(raw, "genome"), panel_of(("1", 10, "A", "C"))).genome(0)
    said = pq.read_metadata(pa.BufferReader(genome.parquet)).metadata
    assert {name: value for name, value in said.items() if name.startswith(b"nebula.")} == {
        b"nebula.record": b"2",
        b"nebula.assembly": b"GRCh38",
    }


def test_a_record_of_another_version_is_refused_and_one_that_says_none_is_read() -> None:
    empty = SCHEMA.empty_table()
    sink = pa.BufferOutputStream()
    pq.write_table(empty, sink)
    assert read_record(bytes(sink.getvalue())).num_rows == 0
    sink = pa.BufferOutputStream()
    pq.write_table(empty.replace_schema_metadata({"nebula.record": "3"}), sink)
    error = refused(lambda: read_record(bytes(sink.getvalue())))
    assert error is not None
    assert error.code == "record.other-version"


def repeated(rows: int, allele: str) -> bytes:
    """A record of one row again and again."""
    one = {"chrom": "1", "ref": allele, "alt": allele, "gt": "0/1", "filter": "PASS"}
    plain = {"pos": np.full(rows, 5, np.int32), "phase": np.zeros(rows, np.bool_)}
    columns = [
        pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([one[name]]))
        if name in one
        else pa.array(plain[name])
        if name in plain
        else pa.nulls(rows, pa.int32())
        for name in SCHEMA.names
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, names=SCHEMA.names), sink, compression="zstd", store_schema=False)
    return bytes(sink.getvalue())


@pytest.mark.parametrize(("rows", "longest"), [(2_000_000, 1), (50_000, 20_000)])
def test_a_small_file_becomes_no_large_record(rows: int, longest: int) -> None:
    raw = repeated(rows, "A" * longest)
    assert len(raw) < 100_000
    error = refused(lambda: read_record(raw))
    assert error is not None
    assert error.code == "record.too-large"


def test_a_record_whose_rows_are_much_alike_is_read() -> None:
    assert read_record(repeated(500_000, "A" * 20)).num_rows == 500_000
