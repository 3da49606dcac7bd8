"""An owner's report: made of their record alone and of files that they give, and sent nowhere."""

import gzip
import socket
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import msgspec
import numpy as np
import pytest

from nebula.database import open_database
from nebula.genome.panel import Panel
from nebula.genome.star_alleles import StarFinding
from nebula.localnet.bgzf import compress
from nebula.localnet.consumer_file import among, to_23andme
from nebula.localnet.population import make_population, to_vcf
from nebula.portal.own_report import page
from nebula.protocol.consent import ConsentPolicy
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.keys import OwnerKeys, generate_mnemonic
from nebula.storage import LocalStorage
from nebula.storage.panels import PanelShelf
from nebula.vault import tables
from nebula.vault.consent import first_policy
from nebula.vault.import_ import Vault, import_own
from nebula.vault.reading import read_genomes, read_panel
from nebula.vault.rederive import from_standard_record, store
from nebula.vault.report import Drawn, OwnReport, Score, make_report
from nebula.vault.report_files import Given
from nebula.vault.report_words import ancestry_words, score_words, star_words
from nebula.vault.state import Record

PEOPLE = make_population(121, variants=2_500, seed=11)
ME = 120
REFERENCE = among(PEOPLE, range(120))


def policy_of(record: str, _label: str) -> ConsentPolicy:
    return first_policy(record, price_floor_wei=1, trust_roots=("0x" + "07" * 32,), at=datetime(2026, 1, 1, tzinfo=UTC))


def place(row: int) -> tuple[str, int, str, str]:
    one, other = PEOPLE.alleles[row].tolist()
    return str(PEOPLE.chromosome[row]), int(PEOPLE.position[row]), one, other


def star_table(rows: Iterable[int]) -> str:
    """Of a gene on chromosome 1 whose alleles have one variant each, but the first, which has none."""
    columns = (
        "Haplotype Name,Gene,rsID,ReferenceSequence,Variant Start,Variant Stop,Reference Allele,Variant Allele,Type"
    )
    none = "\t<i>G</i>\t\tREFERENCE\t.\t\t\t\t"
    lines = [columns.replace(",", "\t"), f"<i>G</i>*1{none}", f"<i>G</i>*1.001{none}"]
    for row in rows:
        chromosome, pos, one, other = place(row)
        assert chromosome == "1"
        cells = (f"<i>G</i>*{row + 2}", "<i>G</i>", "rs1", "NC_000001.11", pos, pos, one, other, "substitution")
        lines.append("\t".join(map(str, cells)))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    (folder / "people.vcf.gz").write_bytes(compress(to_vcf(REFERENCE)))
    (folder / "me.txt").write_bytes(to_23andme(PEOPLE, ME))
    labels = zip(REFERENCE.names, REFERENCE.ancestry.tolist(), strict=True)
    (folder / "groups.tsv").write_text("sample\tgroup\n" + "".join(f"{name}\tG{one}\n" for name, one in labels))
    rows = ["#build=GRCh38", "chrom\tpos\tref\talt\tallele\tmeaning"]
    rows += ["\t".join(map(str, (*place(row), place(row)[3], f"<b>row {row}</b>"))) for row in range(5)]
    rows.append("1\t7\tA\tG\tG\tnot on the chip")
    (folder / "meanings.tsv").write_text("\n".join(rows) + "\n")
    (folder / "stars.tsv").write_text(star_table(range(2)))
    score = [
        "#pgs_id=PGS000000",
        "#genome_build=GRCh38",
        "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight",
    ]
    for row in range(0, 2_000, 10):
        chromosome, pos, one, other = place(row)
        score.append(f"{chromosome}\t{pos}\t{other}\t{one}\t0.{row % 7 + 1}")
    (folder / "score.txt").write_text("\n".join(score) + "\n")
    return folder


@pytest.fixture(scope="module")
def mine(folder: Path) -> tuple[Vault, Record, PanelShelf]:
    panel = read_panel(folder / "people.vcf.gz", name="test", assembly="GRCh38")
    panels = PanelShelf((folder / "panels").as_uri())
    panels.put(panel)
    engine = open_database(f"sqlite:///{folder}/vault.sqlite", tables.metadata, party="vault")
    vault = Vault(engine, OwnerKeys.from_mnemonic(generate_mnemonic()), LocalStorage(folder / "objects"))
    genomes = read_genomes(folder / "me.txt", panel)
    return vault, import_own(vault, genomes, {}, policy_of=policy_of, label="<i>me</i>"), panels


@pytest.fixture(scope="module")
def made(folder: Path, mine: tuple[Vault, Record, PanelShelf]) -> tuple[OwnReport, Drawn, str]:
    given = Given(
        cohort=folder / "people.vcf.gz",
        groups=folder / "groups.tsv",
        scores=(folder / "score.txt",),
        meanings=(folder / "meanings.tsv",),
        star_alleles=(folder / "stars.tsv",),
    )
    with pytest.MonkeyPatch.context() as patched:

        def refuse(*_arguments: object, **_named: object) -> None:
            raise AssertionError("the report opened a socket")

        patched.setattr(socket.socket, "__init__", refuse)
        patched.setattr(socket, "create_connection", refuse)
        patched.setattr(socket, "getaddrinfo", refuse)
        report, drawn = make_report(*mine, given)
        return report, drawn, page(report, drawn)


def test_a_report_says_what_the_record_has_and_opens_no_socket(made: tuple[OwnReport, Drawn, str]) -> None:
    report, _, _ = made
    dosage = PEOPLE.dosage[:, ME]
    # A/T and C/G are left out of raw data only where the strand is not known, and 23andMe's is.
    assert (report.quality.called, report.quality.panel_sites) == (2_500, 2_500)
    assert report.quality.heterozygous == int((dosage == 1).sum())
    assert report.quality.sex == "unclear"
    assert [one.copies for one in report.findings] == [*dosage[:5].tolist(), None]
    assert msgspec.json.decode(msgspec.json.encode(report), type=OwnReport) == report


def test_star_alleles_are_told_by_the_pairs_that_fit(made: tuple[OwnReport, Drawn, str]) -> None:
    report, _, html = made
    (found,) = report.star_alleles
    one, other = PEOPLE.dosage[:2, ME].tolist()
    pairs = {(0, 0): "*1/*1", (1, 0): "*1/*2", (0, 1): "*1/*3", (1, 1): "*2/*3", (2, 0): "*2/*2", (0, 2): "*3/*3"}
    assert found.looked_for == ("*1", "*2", "*3")
    assert list(found.diplotypes) == [pairs[one, other]] * ((one, other) in pairs)
    assert "<i>G" not in html
    assert "&lt;i&gt;G&lt;/i&gt;" in html
    assert star_words(found) in html


def test_no_table_is_wider_than_a_small_screen(made: tuple[OwnReport, Drawn, str]) -> None:
    _, _, html = made
    assert html.count("<table>") == html.count("<div class=wide><table>") >= 3
    assert ".wide { overflow-x: auto; }" in html


def test_star_words_tell_what_is_not_known_and_what_is_not_sure() -> None:
    def words(diplotypes: Sequence[str], looked_for: Sequence[str] = ("*1", "*2"), left: Sequence[str] = ()) -> str:
        pairs, names, others = map(tuple, (diplotypes, looked_for, left))
        return star_words(StarFinding(gene="G", diplotypes=pairs, looked_for=names, not_looked_for=others))

    assert words([], [], ["*9"]) == "not known: your record does not say"
    assert "you may have one that was not" in words([])
    assert words(["*1/*2"]) == "*1/*2"
    assert words(["*1/*2"], left=["*8", "*9"]) == "*1/*2, unless you have one of the 2 that could not be looked for"
    assert words(["*1/*2"], left=["*9"]) == "*1/*2, unless you have the one that could not be looked for"
    assert words(["*1/*4", "*2/*3"]) == "*1/*4 or *2/*3"
    assert words([f"*1/*{number}" for number in range(6)]).endswith(" or *1/*3 or 2 more")


def test_ancestry_is_that_of_the_people_who_are_nearest(made: tuple[OwnReport, Drawn, str]) -> None:
    ancestry = made[0].ancestry
    assert ancestry is not None
    assert next(iter(ancestry.groups)) == f"G{PEOPLE.ancestry[ME]}"
    assert sum(ancestry.groups.values()) == ancestry.nearest == 20


def test_a_score_is_told_by_its_standing(made: tuple[OwnReport, Drawn, str]) -> None:
    (score,) = made[0].scores
    rows = np.arange(0, 2_000, 10)
    alleles = [set(place(row)[2:]) for row in rows.tolist()]
    kept = np.array([pair not in ({"A", "T"}, {"C", "G"}) for pair in alleles])  # the strand of these is not known
    sums = (np.array([(row % 7 + 1) / 10 for row in rows]) * kept) @ PEOPLE.dosage[rows].astype(float)
    assert (score.variants, score.asked) == (int(kept.sum()), 200)
    assert score.value == pytest.approx(sums[ME], abs=1e-4)
    assert score.share_below == pytest.approx((sums[:120] < sums[ME] - 1e-6).mean(), abs=0.03)


def test_the_page_stands_alone_and_what_files_say_is_text_in_it(made: tuple[OwnReport, Drawn, str]) -> None:
    text = made[2]
    assert made[0].ancestry is not None
    assert text.count("<svg") == 2
    assert "<td>trait</td>" in text
    assert ancestry_words(made[0].ancestry) in unescape(text)
    for forbidden in ("<script", "<link", "<img", "<b>", "<i>me", "url(http", "src=", "@import"):
        assert forbidden not in text
    assert "default-src 'none'" in text
    assert "&lt;b&gt;row 0&lt;/b&gt;" in text
    for told in ("not medical advice", "not known: your record does not say", "never taken for the usual allele"):
        assert told in text


def part_of_score(folder: Path, *, there: int, asked: int = 100) -> Path:
    """A scoring file of so many rows, of which so many are in the record and in the reference."""
    rows = [row for row in range(2_500) if set(place(row)[2:]) not in ({"A", "T"}, {"C", "G"})][:there]
    lines = ["#genome_build=GRCh38", "chr_name\tchr_position\teffect_allele\tother_allele\teffect_weight"]
    lines += ["\t".join(map(str, (*place(row)[:2], *reversed(place(row)[2:]), 0.1))) for row in rows]
    lines += [f"22\t{row + 1}\tA\tG\t0.1" for row in range(asked - there)]
    file = folder / f"score-{there}-{asked}.txt"
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_score_is_told_by_half_of_its_variants_and_whole_by_three_quarters(
    folder: Path, mine: tuple[Vault, Record, PanelShelf]
) -> None:
    files = tuple(part_of_score(folder, there=there) for there in (49, 50, 74, 75))
    report, _ = make_report(*mine, Given(cohort=folder / "people.vcf.gz", scores=files))

    assert [(one.variants, one.asked) for one in report.scores] == [(49, 100), (50, 100), (74, 100), (75, 100)]
    told = [(one.value is not None, one.share_below is not None, one.whole) for one in report.scores]
    assert told == [(False, False, False), (True, True, False), (True, True, False), (True, True, True)]
    words = [score_words(one) for one in report.scores]
    assert ["Nothing is told" in one for one in words] == [True, False, False, False]
    assert ["a part of the score" in one for one in words] == [False, True, True, False]


def test_rows_that_are_left_out_are_asked_for_too(folder: Path, mine: tuple[Vault, Record, PanelShelf]) -> None:
    file = part_of_score(folder, there=49, asked=49)
    file.write_text(file.read_text() + "1\t\tA\tG\t0.1\n" * 51)
    report, _ = make_report(*mine, Given(cohort=folder / "people.vcf.gz", scores=(file,)))
    assert [(one.variants, one.asked, one.value) for one in report.scores] == [(49, 100, None)]


@pytest.mark.parametrize(("people", "told"), [(49, False), (50, True)])
def test_a_share_among_fewer_than_fifty_of_a_group_is_not_told(
    folder: Path, mine: tuple[Vault, Record, PanelShelf], made: tuple[OwnReport, Drawn, str], people: int, told: bool
) -> None:
    assert made[1].neighbourhood is not None
    near = made[1].neighbourhood.nearest.tolist()
    rows = [*near, *(row for row in range(120) if row not in near)]
    table = folder / f"groups-{people}.tsv"
    table.write_text("sample\tpop\n" + "".join(f"{REFERENCE.names[row]}\tnear\n" for row in rows[:people]))
    given = Given(cohort=folder / "people.vcf.gz", groups=table, scores=(folder / "score.txt",))

    (score,) = make_report(*mine, given)[0].scores

    assert score.group == "near"
    assert (score.share_below_in_group is not None) is told
    assert ("of its group near" in score_words(score)) is told


def test_people_without_a_label_are_no_group(folder: Path, mine: tuple[Vault, Record, PanelShelf]) -> None:
    given = Given(cohort=folder / "people.vcf.gz", scores=(folder / "score.txt",))
    report, _ = make_report(*mine, given)
    assert report.ancestry is not None
    assert "none has a label" in ancestry_words(report.ancestry)
    assert report.scores[0].share_below_in_group is None


def test_groups_are_read_from_a_compressed_table_too(
    folder: Path, mine: tuple[Vault, Record, PanelShelf], made: tuple[OwnReport, Drawn, str]
) -> None:
    table = folder / "groups.tsv.gz"
    table.write_bytes(gzip.compress((folder / "groups.tsv").read_bytes()))
    report, _ = make_report(*mine, Given(cohort=folder / "people.vcf.gz", groups=table))
    assert report.ancestry == made[0].ancestry


@pytest.mark.parametrize(
    ("table", "code", "said"),
    [
        (b"sample\tsex\nP00001\tx\n", "report.groups", "line 1: no column is called"),
        (b"sample\tgroup\nsomebody\tG1\n", "report.groups", "names nobody of people.vcf.gz"),
        (b"sample\tgroup\nP00001\tG1\nP00001\tG2\n", "report.groups", "line 3: 'P00001' stands in a line above"),
        (b"sample\tgroup\nP00001\n", "report.groups", "line 2: it has too few columns"),
        (b"sample\tgroup\nP00001\tG\xe9\n", "report.text", "line 2: it is not text in UTF-8"),
        (b"", "report.empty", "the file is empty"),
    ],
)
def test_a_table_of_groups_is_read_strictly(
    folder: Path, mine: tuple[Vault, Record, PanelShelf], table: bytes, code: str, said: str
) -> None:
    file = folder / "wrong-groups.tsv"
    file.write_bytes(table)
    with pytest.raises(RejectedInputError) as caught:
        make_report(*mine, Given(cohort=folder / "people.vcf.gz", groups=file))
    assert caught.value.code == code
    assert said in caught.value.message


@pytest.mark.parametrize(("left_out", "told"), [(0, None), (1, "and 1 was left out"), (25, "and 25 were left out")])
def test_variants_whose_strand_nothing_tells_are_counted_apart(left_out: int, told: str | None) -> None:
    score = Score(
        name="s",
        file="s.txt",
        variants=150,
        asked=175,
        ambiguous=left_out,
        value=1.0,
        share_below=0.5,
        group="",
        share_below_in_group=None,
        whole=True,
    )
    words = score_words(score)
    assert (told or "reference; all were scored") in words
    assert ("A/T, C/G" in words) is (told is not None)


def test_a_score_that_does_not_say_its_assembly_is_refused_with_the_option_that_does(
    folder: Path, mine: tuple[Vault, Record, PanelShelf]
) -> None:
    file = folder / "says-nothing.txt"
    lines = (folder / "score.txt").read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("#")))
    given = {"cohort": folder / "people.vcf.gz", "scores": (file,)}
    with pytest.raises(RejectedInputError, match="it is on an assembly that it does not say") as caught:
        make_report(*mine, Given(**given))
    assert caught.value.hint == "if it is on GRCh38, add --score-build GRCh38"
    with pytest.raises(RejectedInputError, match="it is on GRCh37, the record on GRCh38") as caught:
        make_report(*mine, Given(**given, score_build="GRCh37"))
    assert caught.value.hint == "take the file for GRCh38"
    assert make_report(*mine, Given(**given, score_build="GRCh38"))[0].scores


def test_a_report_is_about_the_newest_of_the_records_panels_or_the_one_asked_for(
    folder: Path, mine: tuple[Vault, Record, PanelShelf]
) -> None:
    vault, record, panels = mine
    older = panels.choose("test")
    newer = Panel("test", "2", "GRCh38", older.keys[::2])
    panels.put(newer)
    derived = from_standard_record(vault, record, newer)
    assert derived is not None
    (record,) = store(vault, [derived])

    chosen = [make_report(vault, record, panels, Given(panel=wanted))[0] for wanted in (None, "test@2", "test@1")]

    assert [one.quality.panel for one in chosen] == ["test@2", "test@2", "test@1"]
    assert [one.quality.called for one in chosen] == [1_250, 1_250, 2_500]
    other = Panel("other", "1", "GRCh38", older.keys[::3])
    panels.put(other)
    with pytest.raises(RejectedInputError, match="is not on panel other@1") as caught:
        make_report(vault, record, panels, Given(panel="other"))
    assert caught.value.code == "report.panel"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"scores": ["score.txt"]}, "report.cohort"),
        ({"groups": "groups.tsv"}, "report.groups"),
        ({"meanings": ["score.txt"]}, "meanings.columns"),
        ({"meanings": ["other.tsv"]}, "report.assembly"),
        ({"star_alleles": ["score.txt"]}, "star-alleles.columns"),
        ({"star_alleles": ["other-stars.tsv"]}, "star-alleles.sequence"),
        ({"star_alleles": ["stars.tsv", "stars-again.tsv"]}, "star-alleles.twice"),
        ({"cohort": "people.vcf.gz", "groups": "meanings.tsv"}, "report.groups"),
        ({"cohort": "people.vcf.gz", "scores": ["meanings.tsv"]}, "score.columns"),
        ({"cohort": "nowhere.vcf"}, "import.file"),
    ],
)
def test_a_wrong_file_is_refused_by_name(
    folder: Path, mine: tuple[Vault, Record, PanelShelf], given: dict[str, str | list[str]], code: str
) -> None:
    other = (folder / "meanings.tsv").read_text().replace("GRCh38", "GRCh37")
    (folder / "other.tsv").write_text(other)
    (folder / "stars-again.tsv").write_text(star_table(range(1)))
    (folder / "other-stars.tsv").write_text(star_table(range(2)).replace("NC_000001.11", "NC_000001.10"))
    files = {
        key: folder / value if isinstance(value, str) else [folder / name for name in value]
        for key, value in given.items()
    }
    with pytest.raises(RejectedInputError) as caught:
        make_report(*mine, Given(**files))
    assert caught.value.code == code
