import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genome.vcf_text import refused
from nebula.genome.record.parquet import SCHEMA, read_record


@pytest.mark.parametrize("names", [["other"], SCHEMA.names[1:], [*SCHEMA.names, "more"], ["CHROM", *SCHEMA.names[1:]]])
def test_a_table_of_other_columns_is_no_record(names: list[str]) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({name: [1] for name in names}), sink)
    error = refused(lambda: read_record(bytes(sink.getvalue())))
    assert error is not None
    assert error.code == "record.malformed"


def test_a_column_whose_name_is_no_text_is_refused() -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"chrom": [1]}), sink)
    error = refused(lambda: read_record(bytes(sink.getvalue()).replace(b"chrom", b"chr\x8dm")))
    assert error is not None
    assert error.code == "record.malformed"
