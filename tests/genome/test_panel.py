import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genome.vcf_text import refused, source, vcf
from nebula.genome.building import build_panel
from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel, Site
from nebula.protocol.errors import RejectedInputError

RECORDS = ("1 10 . A C . . . GT 0/0", "1 20 . A ACCCCCCCCCCCC,G . . . GT 0/0", "X 5 . G T . . . GT 0/0")


def small_panel(name: str = "small") -> Panel:
    return build_panel(source(vcf(*RECORDS)), name=name, version="1", assembly="GRCh38")


def test_a_panel_lists_its_sites_in_order() -> None:
    panel = small_panel()
    sites = {panel.site(row) for row in range(panel.sites)}
    assert sites == {
        Site("1", 10, "A", "C"),
        Site("1", 20, "A", "G"),
        Site("1", 20, "A", "ACCCCCCCCCCCC"),
        Site("X", 5, "G", "T"),
    }
    references, alternates = panel.alleles()
    assert [(site.reference, site.alternate) for site in map(panel.site, range(4))] == list(
        zip(references, alternates, strict=True)
    )


def test_the_same_sites_under_the_same_name_are_the_same_panel() -> None:
    assert small_panel().panel_id == small_panel().panel_id
    assert small_panel().panel_id != small_panel("other").panel_id


def test_a_panel_survives_its_serialisation() -> None:
    panel = small_panel()
    again = Panel.from_bytes(panel.to_bytes())
    assert again.panel_id == panel.panel_id
    assert again.long_alleles == panel.long_alleles


@given(st.data())
def test_a_changed_panel_is_another_or_none(data: st.DataObject) -> None:
    panel = small_panel()
    raw = bytearray(panel.to_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    changed: list[Panel] = []
    error = refused(lambda: changed.append(Panel.from_bytes(bytes(raw))))
    assert error is not None or changed[0].panel_id != panel.panel_id


@given(st.binary(max_size=200))
def test_any_bytes_are_a_panel_or_refused(raw: bytes) -> None:
    refused(lambda: Panel.from_bytes(b"NEBULAPANEL\x01" + raw))


def test_locating_finds_rows_and_says_where_there_is_none() -> None:
    panel = small_panel()
    keys = np.concatenate([panel.keys[::-1], np.array([0, 5, 2**64 - 1], np.uint64)])
    assert panel.locate(keys).tolist() == [3, 2, 1, 0, -1, -1, -1]


def test_the_first_base_at_a_place_is_told_unless_alleles_are_hashed() -> None:
    long = ("1", 30, "A", "C" * 12)
    sites = [("1", 10, "G", "A"), ("1", 10, "G", "T"), ("1", 20, "TAC", "T"), long]
    keys = np.array(sorted(variant_key(*site) for site in sites), np.uint64)
    panel = Panel("p", "1", "GRCh38", keys, {variant_key(*long): long[2:]})
    asked = [("1", 10, "A", "C"), ("1", 20, "C", "A"), ("1", 30, "A", "C"), ("1", 11, "A", "C"), ("2", 10, "A", "C")]
    there = panel.bases_at(np.array([variant_key(*site) for site in asked], np.uint64))
    assert there.tolist() == [ord("G"), ord("T"), 0, 0, 0]


@pytest.mark.parametrize("keys", [[], [0], [5, 5], [1 << 60, 1 << 59], [31 << 59]])
def test_keys_that_do_not_ascend_on_chromosomes_are_no_panel(keys: list[int]) -> None:
    with pytest.raises(RejectedInputError):
        Panel("p", "1", "GRCh38", np.array(keys, np.uint64))


def test_a_panel_says_its_assembly() -> None:
    error = refused(lambda: build_panel(source(vcf(*RECORDS)), name="p", version="1"))
    assert error is not None
    assert error.code == "vcf.wrong-assembly"
    meta = ["##contig=<ID=1,length=248956422>"]
    assert build_panel(source(vcf(*RECORDS, meta=meta)), name="p", version="1").assembly == "GRCh38"
