"""An owner's report: made of their record alone and of files that they give, and sent nowhere."""

import socket
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from nebula.database import open_database
from nebula.localnet.bgzf import compress
from nebula.localnet.consumer_file import among, to_23andme
from nebula.localnet.population import make_population, to_vcf
from nebula.portal.own_report import page
from nebula.protocol.consent import ConsentPolicy
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.keys import OwnerKeys, generate_mnemonic
from nebula.storage import LocalStorage
from nebula.storage.panels import Panels
from nebula.vault import tables
from nebula.vault.consent import first_policy
from nebula.vault.import_ import Vault, import_own
from nebula.vault.reading import read_genomes, read_panel
from nebula.vault.report import Drawn, OwnReport, make_report
from nebula.vault.report_files import Given
from nebula.vault.report_words import score_words
from nebula.vault.state import Record

PEOPLE = make_population(121, variants=2_500, seed=11)
ME = 120
REFERENCE = among(PEOPLE, range(120))


def policy_of(record: str, _label: str) -> ConsentPolicy:
    return first_policy(record, price_floor_wei=1, trust_roots=("0x" + "07" * 32,), at=datetime(2026, 1, 1, tzinfo=UTC))


def place(row: int) -> tuple[str, int, str, str]:
    one, other = PEOPLE.alleles[row].tolist()
    return str(PEOPLE.chromosome[row]), int(PEOPLE.position[row]), one, other


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
def mine(folder: Path) -> tuple[Vault, Record, Panels]:
    panel = read_panel(folder / "people.vcf.gz", name="test", assembly="GRCh38")
    panels = Panels((folder / "panels").as_uri())
    panels.publish(panel)
    engine = open_database(f"sqlite:///{folder}/vault.sqlite", tables.metadata, party="vault")
    vault = Vault(engine, OwnerKeys.from_mnemonic(generate_mnemonic()), LocalStorage(folder / "objects"))
    genomes = read_genomes(folder / "me.txt", panel)
    return vault, import_own(vault, genomes, {}, policy_of=policy_of, label="<i>me</i>"), panels


@pytest.fixture(scope="module")
def made(folder: Path, mine: tuple[Vault, Record, Panels]) -> tuple[OwnReport, Drawn, str]:
    given = Given(
        cohort=folder / "people.vcf.gz",
        groups=folder / "groups.tsv",
        scores=(folder / "score.txt",),
        meanings=(folder / "meanings.tsv",),
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
    assert text.count("<svg") == 2
    for forbidden in ("<script", "<link", "<img", "<b>", "<i>me", "url(http", "src=", "@import"):
        assert forbidden not in text
    assert "default-src 'none'" in text
    assert "&lt;b&gt;row 0&lt;/b&gt;" in text
    for told in ("not medical advice", "not known: not in your record", "never taken for the usual allele"):
        assert told in text


def test_a_score_with_few_of_its_variants_is_not_told(made: tuple[OwnReport, Drawn, str]) -> None:
    (score,) = made[0].scores
    assert "Nothing is told" in score_words(msgspec.structs.replace(score, value=None, share_below=None))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"scores": ["score.txt"]}, "report.cohort"),
        ({"meanings": ["score.txt"]}, "meanings.columns"),
        ({"meanings": ["other.tsv"]}, "report.assembly"),
        ({"cohort": "people.vcf.gz", "groups": "meanings.tsv"}, "report.groups"),
        ({"cohort": "people.vcf.gz", "scores": ["meanings.tsv"]}, "score.columns"),
        ({"cohort": "nowhere.vcf"}, "import.file"),
    ],
)
def test_a_wrong_file_is_refused_by_name(
    folder: Path, mine: tuple[Vault, Record, Panels], given: dict[str, str | list[str]], code: str
) -> None:
    other = (folder / "meanings.tsv").read_text().replace("GRCh38", "GRCh37")
    (folder / "other.tsv").write_text(other)
    files = {
        key: folder / value if isinstance(value, str) else [folder / name for name in value]
        for key, value in given.items()
    }
    with pytest.raises(RejectedInputError) as caught:
        make_report(*mine, Given(**files))
    assert caught.value.code == code
