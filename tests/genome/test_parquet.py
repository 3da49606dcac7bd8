import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genome.test_importing import panel_of
from genome.vcf_text import refused, source, vcf
from nebula.genome.importing import import_genomes
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
