"""The table of ``docs/reference/genotypes.md``, row by row."""

import numpy as np
import pytest

from genome.test_importing import panel_of
from genome.vcf_text import source, vcf
from nebula.genome.imported import ImportedGenome
from nebula.genome.importing import import_genomes, import_record
from nebula.genome.matrix import PackedMatrix
from nebula.genome.panel import Panel
from nebula.genome.record import parse_vector
from nebula.genome.record.parquet import read_record

PANEL = panel_of(("1", 10, "A", "C"), ("1", 10, "A", "G"), ("1", 15, "AT", "A"), ("MT", 10, "A", "C"))
MIN_DP = '##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description="d">'
OUTSIDE, INSIDE = 3_000_000, 10_001
SEX_PANEL = panel_of(("X", OUTSIDE, "A", "C"), ("X", INSIDE, "A", "C"), ("Y", 3_000_000, "A", "C"))


def imported(*records: str, panel: Panel = PANEL, version: str = "4.2") -> ImportedGenome:
    raw = vcf(*records, version=version, meta=[MIN_DP])
    genome = import_genomes(source(raw, "genome"), panel).genome(0)
    # What the table says holds of a vector that is derived from the record, too.
    assert import_record(genome.parquet, panel, sample="A").vector(0).to_bytes() == genome.vector
    return genome


def vector(genome: ImportedGenome, panel: Panel = PANEL) -> list[int]:
    """Codes on the panel, -1 for missing."""
    packed = np.frombuffer(parse_vector(genome.vector, panel).codes, np.uint8)
    return PackedMatrix(packed.reshape(1, -1), panel.sites).dosage()[0].tolist()


def record(genome: ImportedGenome, *columns: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in columns) for row in read_record(genome.parquet).to_pylist()]


@pytest.mark.parametrize(
    ("alternates", "call", "in_record", "in_vector"),
    [
        ("C", "0/0", ["0/0"], [0, -1]),
        ("C", "0/1", ["0/1"], [1, -1]),
        ("C", "1/1", ["1/1"], [2, -1]),
        ("C,G", "1/2", ["0/1", "0/1"], [1, 1]),
        ("C", "0|1", ["0|1"], [1, -1]),
        ("C", "1|0", ["1|0"], [1, -1]),
        ("C", "1", ["1"], [1, -1]),
        ("C", "0", ["0"], [0, -1]),
        ("C", "./.", ["./."], [-1, -1]),
        ("C", "./1", ["./."], [-1, -1]),
        ("C", "0/0/1", ["./."], [-1, -1]),
        ("*,C", "1/2", ["0/1"], [1, -1]),
        ("<DEL>,C", "1/2", ["0/1"], [1, -1]),
        ("C,<NON_REF>", "0/1", ["0/1"], [1, -1]),
    ],
)
def test_a_call_in_record_and_vector(alternates: str, call: str, in_record: list[str], in_vector: list[int]) -> None:
    genome = imported(f"1 10 . A {alternates} . . . GT {call}")
    assert [gt for (gt,) in record(genome, "gt")] == in_record
    assert vector(genome)[:2] == in_vector


def test_a_record_without_gt_is_missing() -> None:
    genome = imported("1 10 . A C . . . DP 9", "1 15 . AT A . . . GT 0/1")
    assert vector(genome) == [-1, -1, 1, -1]
    assert record(genome, "gt", "dp")[0] == ("./.", 9)


def test_what_did_not_pass_its_filter_is_in_the_record_and_missing_in_the_vector() -> None:
    genome = imported("1 10 . A C . q10 . GT 0/1", "1 12 . A C . q10 . GT 1/1", "1 15 . AT A . RefCall . GT 0/0")
    assert vector(genome) == [-1, -1, 0, -1]
    assert record(genome, "gt", "filter")[:2] == [("0/1", "q10"), ("1/1", "q10")]
    assert genome.report.private_variants == 0
    assert any(note.startswith("2 variants did not pass") for note in genome.report.notes)


@pytest.mark.parametrize("name", [".", "PASS", "RefCall", "q10", "LowQual;q10"])
def test_rows_and_stretches_without_variants_pass_by_the_same_filters(name: str) -> None:
    of_row = vector(imported(f"1 10 . A C . {name} . GT 0/1"))[0]
    of_stretch = vector(imported(f"1 5 . A <NON_REF> . {name} END=20 GT 0/0"))[0]
    assert (of_row, of_stretch) in {(1, 0), (-1, -1)}


def test_a_call_whose_own_filter_did_not_pass_is_missing() -> None:
    genome = imported("1 10 . A C . . . GT:FT 0/1:q10", "1 15 . AT A . . . GT:FT 0/1:PASS")
    assert vector(genome) == [-1, -1, 1, -1]
    assert any(note.startswith("1 call whose FT") for note in genome.report.notes)


def test_a_low_quality_counts_as_it_is() -> None:
    assert vector(imported("1 10 . A C . . . GT:GQ:DP 0/1:1:1"))[0] == 1


def test_heteroplasmy_counts_as_one() -> None:
    assert vector(imported("MT 10 . A C . . . GT 0/1"))[3] == 1
    assert vector(imported("chrM 10 . A C . . . GT 1"))[3] == 1


@pytest.mark.parametrize(("call", "counted"), [("1/1", 1), ("1", 1), ("0/0", 0), ("0", 0), ("./.", -1)])
def test_everybody_has_one_copy_of_the_mitochondria_however_it_is_written(call: str, counted: int) -> None:
    genome = imported(f"MT 10 . A C . . . GT {call}")
    assert vector(genome)[3] == counted
    assert record(genome, "gt") == [(call,)]


def of_sex(call: str, *calls: str) -> list[int]:
    """Somebody whose 60 other calls on X are those given, and their call at each site."""
    others = [f"X {OUTSIDE + 100 + place} . A G . . . GT {calls[place % len(calls)]}" for place in range(60)]
    records = (
        f"X {INSIDE} . A C . . . GT {call}",
        f"X {OUTSIDE} . A C . . . GT {call}",
        *others,
        f"Y 3000000 . A C . . . GT {call}",
    )
    return vector(imported(*records, panel=SEX_PANEL), SEX_PANEL)


@pytest.mark.parametrize("calls", [("0", "1"), ("0/0", "1/1")])
def test_a_man_has_one_copy_outside_the_pseudo_autosomal_regions(calls: tuple[str, ...]) -> None:
    assert of_sex("1/1", *calls) == [2, 1, 1]  # inside, outside, Y
    assert of_sex("0/1", *calls) == [1, -1, -1]
    assert of_sex("1", *calls) == [1, 1, 1]


def test_a_woman_has_two_copies_of_x() -> None:
    assert of_sex("1/1", "0/1", "0/0")[:2] == [2, 2]


@pytest.mark.parametrize(
    ("record_line", "version"),
    [
        ("1 8 . A <NON_REF> . . END=16 GT:DP:GQ:MIN_DP 0/0:30:50:7", "4.2"),
        ("1 8 . A <*> . . END=16 GT:GQ:MIN_DP 0/0:50:7", "4.3"),
        ("1 8 . A . . PASS END=16;BLOCKAVG_min30p3a GT:GQ:DP 0/0:50:7", "4.1"),
        ("1 8 . A <*> . . . GT:GQ:DP:LEN 0/0:50:7:9", "4.5"),
    ],
)
def test_a_block_covers_the_sites_inside_it_with_its_lowest_depth_and_quality(record_line: str, version: str) -> None:
    genome = imported(record_line, version=version)
    assert vector(genome) == [0, 0, 0, -1]
    assert record(genome, "pos", "end", "gt", "dp", "gq", "alt") == [(8, 16, "0/0", 7, 50, None)]


@pytest.mark.parametrize(
    "record_line",
    [
        "1 8 . A <NON_REF> . . END=15 GT 0/0",
        "1 8 . A <NON_REF> . . END=9 GT 0/0",
    ],
)
def test_a_site_that_sticks_out_of_a_block_is_missing(record_line: str) -> None:
    assert vector(imported(record_line))[2:] == [-1, -1]


@pytest.mark.parametrize("call", ["./.:9:9", "0/0:0:9", "0/0:9:0", ".:9:9"])
def test_a_block_that_knows_nothing_covers_nothing(call: str) -> None:
    genome = imported(f"1 8 . A <NON_REF> . . END=20 GT:GQ:DP {call}")
    assert vector(genome) == [-1, -1, -1, -1]
    assert vector(imported("1 8 . A <NON_REF> . LowGQX END=20 GT:GQ:DP 0/0:9:9")) == [-1, -1, -1, -1]


def test_a_hom_ref_call_over_any_other_allele_covers_its_bases() -> None:
    assert vector(imported("1 10 . A C,<NON_REF> . . . GT 0/0"))[:2] == [0, 0]
    assert vector(imported("1 10 . A C . . . GT 0/0"))[:2] == [0, -1]


def test_absent_is_missing() -> None:
    assert vector(imported("2 5 . A C . . . GT 0/1")) == [-1, -1, -1, -1]
