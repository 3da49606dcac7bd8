"""From a researcher's words to a study's document."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nebula.analysis.parameters import parse_parameters
from nebula.analysis.score_object import parse_score
from nebula.analysis.score_parameters import MOST_ROWS, PolygenicScore
from nebula.buyer.draft import StudyDraft, read_draft, with_options
from nebula.buyer.drafting import write_study
from nebula.buyer.settings import BuyerSettings
from nebula.buyer.shelf import Shelf
from nebula.ledger.client import NetworkAddresses
from nebula.protocol.errors import IntegrityError, RejectedInputError
from nebula.protocol.funding import study_id
from nebula.protocol.study import PartKind, ResultClass, StudyDocument
from nebula.storage import open_for_reading, parse_location

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PANEL = "0x" + "ff" * 32
ADDRESSES = NetworkAddresses(
    chain_id=1,
    organizations="0x" + "a1" * 20,
    token="0x" + "a2" * 20,
    records="0x" + "a3" * 20,
    sessions="0x" + "a4" * 20,
    studies="0x" + "a5" * 20,
    panels="0x" + "a6" * 20,
    deployed_block=0,
)
SETTINGS = BuyerSettings(
    ledger_url="http://127.0.0.1:9",
    network=ADDRESSES,
    hub_url="http://127.0.0.1:9",
    hub_address="0x" + "cc" * 20,
    signing_key_file="signing",
    sealing_key_file="sealing",
    keepers=("0x" + "01" * 20, "0x" + "02" * 20),
    measurement="0x" + "0d" * 32,
    trust_root="0x" + "0e" * 32,
)
WORDS = {"title": "A study of height", "summary": "We look for variants that act on body height."}


def write(settings: BuyerSettings = SETTINGS, **options: Any) -> StudyDocument:
    draft = with_options(StudyDraft(), WORDS | options)
    return write_study(draft, settings, buyer="0x" + "bb" * 20, result_key=bytes(32), panel=PANEL, at=NOW)


def test_what_is_left_out_comes_from_the_network_and_the_house() -> None:
    study = write(trait="height")

    assert study.keepers == SETTINGS.keepers
    assert (study.measurement, study.trust_root) == (SETTINGS.measurement, SETTINGS.trust_root)
    assert (study.analysis, study.result_class) == ("gwas-linear@1", ResultClass.HITS)
    assert study.parts == (PartKind.GENOTYPES, PartKind.PHENOTYPES)
    assert study.deadline_at == NOW + timedelta(days=30)


def test_frequencies_are_noised_and_need_no_phenotypes_unless_the_study_says_otherwise() -> None:
    study = write(analysis="allele-frequency")

    assert (study.result_class, study.privacy_micro_rho) == (ResultClass.NOISED, 500_000)
    assert study.parts == (PartKind.GENOTYPES,)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({}, "study.trait"),
        ({"trait": "height", "title": None}, "study.title"),
        ({"trait": "height", "title": "x"}, "study.value"),
        ({"trait": "height", "price": "cheap"}, "money.amount"),
        ({"trait": "height", "min_records": 500, "max_records": 400}, "study.records"),
        ({"trait": "height", "diseases": ("flu",)}, "study.value"),
        ({"trait": "height", "pcs": 999}, "analysis.parameters"),
        ({"trait": "height", "covariates": ("height",)}, "analysis.parameters"),
        ({"analysis": "mind-reading"}, "analysis.unknown"),
        ({"trait": "height", "days": -1}, "study.value"),
    ],
)
def test_a_wrong_study_is_refused_before_anybody_sees_it(options: dict[str, Any], code: str) -> None:
    with pytest.raises(RejectedInputError) as caught:
        write(**options)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"title": "A"}, "--title"),
        ({"summary": "Too short"}, "--summary"),
        ({"diseases": ("flu",)}, "--disease"),
        ({"min_records": 0}, "--min-records"),
        ({"days": -1}, "--days"),
        ({"privacy_rho": 11}, "--privacy-rho"),
    ],
)
def test_a_wrong_value_is_told_by_its_option(options: dict[str, Any], named: str) -> None:
    with pytest.raises(RejectedInputError) as caught:
        write(trait="height", **options)

    assert f"{named}: Expected" in caught.value.message
    assert "$" not in caught.value.message


def test_options_go_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text('title = "From the file"\ntrait = "ldl"\npcs = 3\ncovariates = ["age"]\n')

    draft = with_options(read_draft(tmp_path / "study.toml"), {"trait": "height", "pcs": None})

    assert (draft.title, draft.trait, draft.pcs, draft.covariates) == ("From the file", "height", 3, ("age",))


def test_a_file_longer_than_any_study_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_bytes(b"#" * 256 * 1024)
    assert read_draft(tmp_path / "study.toml") == StudyDraft()
    (tmp_path / "study.toml").write_bytes(b"#" * (256 * 1024 + 1))
    with pytest.raises(RejectedInputError, match="is longer than 262,144 bytes"):
        read_draft(tmp_path / "study.toml")


@pytest.mark.parametrize("text", ["colour = 'red'", "pcs = 'many'", "= nothing", "days = 0"])
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / "study.toml").write_text(text)

    with pytest.raises(RejectedInputError, match=r"study\.toml"):
        read_draft(tmp_path / "study.toml")


def test_the_shelf_finds_a_study_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    shelf, study = Shelf(tmp_path / "studies"), write(trait="height")
    study_kept = shelf.keep(study)

    assert shelf.keep(study) == study_kept == study_id(study)
    assert shelf.find(study_kept[:8]) == (study_kept, study)
    assert shelf.find(study_kept[2:8]) == (study_kept, study)
    assert shelf.all() == [study_kept]
    with pytest.raises(RejectedInputError, match="no study"):
        shelf.find("0xzz")
    shelf.keep(write(trait="weight"))
    with pytest.raises(RejectedInputError, match="2 studies"):
        shelf.find("0x")


def test_an_altered_study_on_the_shelf_is_noticed(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    kept = shelf.keep(write(trait="height"))
    file = tmp_path / f"{kept}.json"
    file.write_bytes(file.read_bytes().replace(b"height", b"weight"))

    with pytest.raises(IntegrityError):
        shelf.find(kept)


@pytest.mark.parametrize(
    ("analysis", "more", "result_class", "phenotypes"),
    [
        ("gwas-logistic", {"trait": "t2d"}, ResultClass.HITS, True),
        ("allele-frequency", {"parameters": {"groups": "sex"}}, ResultClass.FULL, True),
        ("kinship", {}, ResultClass.FULL, False),
        ("pca-structure", {}, ResultClass.FULL, False),
    ],
)
def test_each_analysis_asks_for_what_it_needs(analysis: str, more: dict, result_class: str, phenotypes: bool) -> None:
    study = write(analysis=analysis, **({"trait": None} | more))
    assert study.result_class == result_class
    assert (PartKind.PHENOTYPES in study.parts) == phenotypes


def test_a_score_is_read_from_its_file_into_the_studys_terms(shared_data: Path) -> None:
    file = shared_data / "scores/PGS000001_hmPOS_GRCh38.txt.gz"
    study = write(analysis="polygenic-score", score=str(file))

    assert (study.parameters["score"], study.parameters["build"]) == ("PGS000001", "GRCh38")
    assert len(study.parameters["rows"]) == 77
    assert (study.result_class, study.parts) == (ResultClass.FULL, (PartKind.GENOTYPES,))
    assert PartKind.PHENOTYPES in write(analysis="polygenic-score", score=str(file), trait="height").parts


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("PGS000001_hmPOS_GRCh38.txt.gz", {"score_build": "GRCh37"}, "study.build"),
        ("PGS001229_hmPOS_GRCh38.txt.gz", {}, "score.complex"),
        ("PGS001229_hmPOS_GRCh38.txt.gz", {"without_complex": True}, "study.build"),
        ("PGS001229_hmPOS_GRCh38.txt.gz", {"without_complex": True, "score_build": "GRCh38"}, "study.score-long"),
        ("nothing.txt", {}, "score.file"),
        ("null\0.txt", {}, "score.file"),
        ("invalid_scorefile.txt", {}, "score.no-positions"),
    ],
)
def test_a_score_that_no_study_can_hold_is_refused(
    shared_data: Path, name: str, options: dict[str, Any], code: str
) -> None:
    with pytest.raises(RejectedInputError) as caught:
        write(analysis="polygenic-score", score=str(shared_data / "scores" / name), **options)

    assert caught.value.code == code
    assert name in caught.value.message


def test_a_score_that_is_too_long_is_put_where_everyone_can_read_it(shared_data: Path, tmp_path: Path) -> None:
    settings = msgspec.structs.replace(SETTINGS, public_url=(tmp_path / "public").as_uri())
    name = "PGS001229_hmPOS_GRCh38.txt.gz"
    options = {"without_complex": True, "score_build": "GRCh38", "score": str(shared_data / "scores" / name)}
    first, again = (write(settings, analysis="polygenic-score", **options) for _ in range(2))

    assert first.parameters == again.parameters
    assert "rows" not in first.parameters
    parameters = parse_parameters(first.analysis, first.parameters)
    assert isinstance(parameters, PolygenicScore)
    elsewhere = parameters.score_object
    assert elsewhere is not None
    url, place = parse_location(elsewhere.location)
    variants = parse_score(open_for_reading(url).get(place), elsewhere, "GRCh38")
    assert len(variants) == elsewhere.rows > MOST_ROWS


def test_loadings_are_read_from_their_table(tmp_path: Path) -> None:
    header = "chromosome\tbase_pair_location\teffect_allele\tother_allele\teffect_allele_frequency\tPC1\tPC2\n"
    table = tmp_path / "1000G.tsv"
    table.write_text(header + "1\t100\tA\tC\t0.25\t0.5\t-0.25\n")
    options = {"analysis": "pca-projection", "loadings": str(table), "grid_step": 0.5}

    study = write(**options, score_build="GRCh38")
    assert study.parameters["rows"] == ["1:100:A:C:0.250000:0.5,-0.25"]
    assert (study.parameters["reference"], study.parameters["grid_step"]) == ("1000G", 0.5)
    with pytest.raises(RejectedInputError, match="which build"):
        write(**options)
    table.write_text(header + "".join(f"1\t{at}\tA\tC\t0.25\t0.5\t-0.25\n" for at in range(1, 4002)))
    with pytest.raises(RejectedInputError, match="4,001 variants"):
        write(**options, score_build="GRCh38")


def test_terms_that_nobody_would_read_are_refused(tmp_path: Path) -> None:
    lines = "".join(f"1\t{at * 100}\t{at * 100 + 9}\tA_VERY_LONG_NAME_OF_A_REGION_{at:06d}\n" for at in range(1, 6000))
    (tmp_path / "regions.bed").write_text(lines)

    with pytest.raises(RejectedInputError) as caught:
        write(analysis="rare-variants", trait="height", regions=str(tmp_path / "regions.bed"))

    assert caught.value.code == "study.long"


def test_regions_conditions_and_traits_come_from_options(tmp_path: Path) -> None:
    (tmp_path / "regions.bed").write_text("chr1\t99\t200\tGENE\n")

    rare = write(analysis="rare-variants", trait="height", regions=str(tmp_path / "regions.bed"))
    beside = write(analysis="gwas-conditional", trait="height", condition=("1:5:A:G",), steps=2)
    many = write(analysis="phewas-variant", variant="1:5:A:G", traits=("height", "weight"))

    assert (rare.parameters["regions"], rare.result_class) == (["GENE=1:100-200"], ResultClass.HITS)
    assert (beside.parameters["condition"], beside.parameters["steps"]) == (["1:5:A:G"], 2)
    assert (many.parameters["traits"], many.result_class) == (["height", "weight"], ResultClass.FULL)
