"""A standard record, read back: on any panel it gives what its file gives there."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.test_importing import panel_of
from genome.vcf_text import refused, source, vcf
from nebula.genome.building import build_panel
from nebula.genome.importing import import_genomes, import_record
from nebula.genome.inflate import Source
from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel
from nebula.genome.record.parquet import read_record
from nebula.genome.record.reading import read_calls
from nebula.localnet.population import make_population, to_vcf

OLD = panel_of(("1", 10, "A", "C"), ("2", 7, "G", "T"))
LONG = "ACGTACGTACGTACGT"
_NEW = [("1", 10, "A", "G"), ("1", 15, "AT", "A"), ("1", 40, "A", LONG), ("X", 3_000_000, "A", "C")]
NEW = Panel(
    "n", "1", "GRCh38", np.array([variant_key(*site) for site in _NEW], np.uint64), {variant_key(*_NEW[2]): ("A", LONG)}
)
CALLS = ("0/0", "0/1", "1|1", "1|0", "./.", "0", "1", ".")
SITES = (
    "1 {} . A C",
    "1 {} . A G",
    "2 {} . G T",
    "X {} . A C",
    "un {} . A C",
    "1 {} . A ACGTACGTACGTACGT",
    "1 {} . AT A",
)


def on(panel: Panel, raw: bytes, person: int = 0) -> bytes:
    return import_genomes(source(raw, "genome"), panel).vector(person).to_bytes()


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(SITES), st.sampled_from((7, 10, 15, 40, 3_000_000)), st.sampled_from(CALLS), st.booleans()
        ),
        min_size=1,
        max_size=12,
        unique_by=lambda row: row[:2],
    ),
    block=st.booleans(),
)
def test_a_record_gives_on_any_panel_what_its_file_gives(rows: list[tuple[str, int, str, bool]], block: bool) -> None:
    ordered = sorted(rows, key=lambda row: (row[0].split()[0], row[1], row[0]))
    lines = [f"{site.format(pos)} . {'PASS' if passed else 'q10'} . GT {call}" for site, pos, call, passed in ordered]
    if block:
        lines.append("Y 8 . A <NON_REF> . . END=15 GT:GQ 0/0:50")
        lines.insert(0, "1 1 . A <NON_REF> . . END=20 GT:GQ 0/0:50")
    filters = ['##FILTER=<ID=q10,Description="q">']
    raw = vcf(*lines, samples="A", meta=filters)
    parquet = import_genomes(source(raw, "genome"), OLD).genome(0).parquet

    for panel in (OLD, NEW):
        assert import_record(parquet, panel, sample="A").vector(0).to_bytes() == on(panel, raw)


def test_each_person_of_a_cohort_has_on_a_new_panel_what_the_cohorts_file_says() -> None:
    raw = to_vcf(make_population(12, variants=300, seed=4))
    whole = build_panel(Source(BytesIO(raw)), name="whole", version="1", assembly="GRCh38")
    half = Panel("half", "1", "GRCh38", whole.keys[::2], {})
    cohort = import_genomes(Source(BytesIO(raw)), half)

    for person, sample in enumerate(cohort.samples):
        parquet = cohort.genome(person).parquet
        assert import_record(parquet, whole, sample=sample).vector(0).to_bytes() == on(whole, raw, person)


def test_real_files_give_on_a_new_panel_what_they_say(shared_data: Path) -> None:
    raw = (shared_data / "cohort/1kg_26s_chrX_b37.vcf.gz").read_bytes()
    whole = build_panel(Source(BytesIO(raw), kind="vcf"), name="x", version="1")
    rows = np.arange(0, whole.sites, 3)
    long = {key: alleles for key, alleles in whole.long_alleles.items() if key in set(whole.keys[rows].tolist())}
    third = Panel("third", "1", whole.assembly, whole.keys[rows], long)
    cohort, again = (import_genomes(Source(BytesIO(raw)), panel) for panel in (third, whole))

    for person in (0, 7, 25):
        derived = import_record(cohort.genome(person).parquet, whole, sample="x")
        assert derived.sexes[0] == again.sexes[person]
        assert derived.vector(0).to_bytes() == again.vector(person).to_bytes()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("gt", "2/2"),
        ("gt", None),
        ("filter", None),
        ("chrom", None),
        ("pos", None),
        ("pos", -3),
        ("ref", ""),
        ("ref", None),
        ("alt", "Ä"),
        ("end", 12),
        ("alt", None),
    ],
)
def test_a_record_that_nobody_wrote_so_is_refused(column: str, value: object) -> None:
    parquet = import_genomes(source(vcf("1 10 . A C . . . GT 0/1", samples="A"), "genome"), OLD).genome(0).parquet
    table = read_record(parquet)
    place = table.schema.get_field_index(column)
    other = table.set_column(place, table.schema.field(place), pa.array([value], table.schema.field(place).type))
    sink = BytesIO()
    pq.write_table(other, sink)

    error = refused(lambda: read_calls(sink.getvalue(), sample="A"))

    assert error is not None
    assert error.code == "record.malformed"


@pytest.mark.parametrize("column", ["chrom", "gt", "filter", "ref"])
def test_a_record_that_is_not_text_is_refused(column: str) -> None:
    parquet = import_genomes(source(vcf("1 10 . A C . . . GT 0/1", samples="A"), "genome"), OLD).genome(0).parquet
    table = read_record(parquet)
    place = table.schema.get_field_index(column)
    other = table.set_column(place, table.schema.field(place), pa.array([b"\xff"], pa.binary()).view(pa.string()))
    pq.write_table(other, sink := BytesIO())
    error = refused(lambda: read_calls(sink.getvalue(), sample="A"))
    assert error is not None
    assert error.code == "record.malformed"


def test_a_record_of_more_filters_than_a_number_tells_is_refused() -> None:
    parquet = import_genomes(source(vcf("1 10 . A C . . . GT 0/1", samples="A"), "genome"), OLD).genome(0).parquet
    table = pa.concat_tables([read_record(parquet)] * 65_537)
    place = table.schema.get_field_index("filter")
    filters = pa.array([f"q{number}" for number in range(len(table))])
    pq.write_table(table.set_column(place, table.schema.field(place), filters), sink := BytesIO())
    error = refused(lambda: read_calls(sink.getvalue(), sample="A"))
    assert error is not None
    assert (error.code, "65,536 different" in error.message) == ("record.malformed", True)
