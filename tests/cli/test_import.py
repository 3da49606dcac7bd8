"""What the command line does with files: bad ones are refused by name, good ones are shown before they are stored."""

import gzip
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.conftest import COHORT, ONE, Run, objects
from genome.plink.file_set import bed, bim, fam
from nebula.localnet.bgzf import compress
from nebula.localnet.consumer_file import among, to_23andme
from nebula.localnet.population import make_population, to_vcf

VCF = to_vcf(ONE)
MANY = to_vcf(COHORT)
BAD = {
    "empty": b"",
    "binary": b"\x7fELF" + bytes(range(256)) * 8,
    "truncated bgzip": compress(VCF)[:-40],
    "truncated gzip": gzip.compress(VCF)[:-10],
    "altered bgzip": compress(VCF)[:200] + b"\0\0\0\0" + compress(VCF)[204:],
    "no GT": VCF.replace(b"\tGT\t", b"\tDP\t").replace(b"ID=GT", b"ID=DP"),
    "no samples": b"\n".join(line.rsplit(b"\tGT", 1)[0] for line in VCF.replace(b"\tFORMAT\tP00001", b"").split(b"\n")),
    "an allele that is not there": VCF.replace(b"\t0/1\n", b"\t0/7\n"),
    "a position that is no number": VCF.replace(b"\n1\t", b"\n1\tx", 1),
    "no columns line": VCF.replace(b"#CHROM", b"##CHROM"),
    "23andMe with a broken line": to_23andme(ONE, 0) + b"i9\t1\t5\n",
    "23andMe with a strange letter": to_23andme(ONE, 0) + b"i9\t1\t5\tQQ\n",
    "a word document": b"PK\x03\x04" + bytes(400),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
@pytest.mark.parametrize("command", ["record", "custodian"])
def test_a_bad_file_is_refused_by_name_and_nothing_is_left(
    run: Run, offline: Path, tmp_path: Path, command: str, content: bytes
) -> None:
    bad = tmp_path / "bad.vcf.gz"
    bad.write_bytes(content)

    said = run(command, "import", bad, "--yes")

    assert said.status == 2, said.err
    assert said.err.startswith("nebula: error: bad.vcf.gz")
    assert "Traceback" not in said.err
    assert objects(offline) == []
    assert run("record", "list", "--json").out == '{"records":[]}\n'


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "device", "unreadable"])
def test_what_is_no_ordinary_file_is_refused_and_never_waited_for(
    run: Run, offline: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "genome"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "unreadable":
        path.write_bytes(VCF)
        opening = Path.open

        def refuse(file: Path, *arguments: Any, **named: Any) -> Any:  # root reads everything, whatever the mode
            if file == path:
                raise PermissionError(13, "Permission denied")
            return opening(file, *arguments, **named)

        monkeypatch.setattr(Path, "open", refuse)

    said = run("record", "import", path, "--yes")

    assert (said.status, "nebula: hint:" in said.err) == (2, True)
    assert str(path) in said.err
    assert objects(offline) == []


def test_two_samples_of_one_name_are_refused(run: Run, offline: Path, tmp_path: Path) -> None:
    file = tmp_path / "twins.vcf"
    file.write_bytes(MANY.replace(b"P00002", b"P00001"))

    said = run("custodian", "import", file, "--yes")

    assert said.status == 2
    assert "twins.vcf" in said.err
    assert "P00001" in said.err


def test_a_reference_allele_that_the_genome_does_not_have_is_refused_with_its_line(
    run: Run, offline: Path, tmp_path: Path
) -> None:
    letters = bytearray(b"N" * (int(ONE.position.max()) + 1))
    on_one = [row for row in range(len(ONE.position)) if ONE.chromosome[row] == 1]
    for row in on_one:
        letters[int(ONE.position[row]) - 1 : int(ONE.position[row])] = ONE.alleles[row][0].encode()
    wrong = int(ONE.position[on_one[1]])
    letters[wrong - 1] = ord("A") if ONE.alleles[on_one[1]][0] != "A" else ord("C")
    (tmp_path / "genome.fa").write_bytes(b">1\n" + bytes(letters) + b"\n")
    (tmp_path / "me.vcf").write_bytes(VCF)

    said = run("record", "import", tmp_path / "me.vcf", "--reference", tmp_path / "genome.fa", "--yes")

    assert said.status == 2
    assert f"at {wrong}" in said.err
    assert "REF" in said.err
    assert objects(offline) == []


def test_a_file_of_several_people_is_for_a_custodian(run: Run, offline: Path, people: Path) -> None:
    said = run("record", "import", people, "--yes")

    assert said.status == 2
    assert "nebula custodian import" in said.err
    assert objects(offline) == []


def test_nothing_is_stored_before_the_owner_agrees(run: Run, offline: Path, me: Path) -> None:
    said = run("record", "import", me)

    assert said.status == 2
    assert "--yes" in said.err
    assert objects(offline) == []


def test_the_owner_sees_file_consent_and_risk_before_agreeing(run: Run, offline: Path, me: Path) -> None:
    said = run("record", "import", me)

    for told in ("VCF 4.3", "300 of 300 sites called", "health and medical research", "1 token for each study"):
        assert told in said.err
    assert said.err.count("50 is guessing") == 2, "a sentence for each class of result that is proposed"


def test_phenotypes_must_name_the_person(run: Run, offline: Path, me: Path, tmp_path: Path) -> None:
    (tmp_path / "traits.tsv").write_text("sample\theight\nsomebody\t1.7\n")

    said = run("record", "import", me, "--phenotypes", tmp_path / "traits.tsv", "--label", "anna", "--yes")

    assert said.status == 2
    assert "'anna'" in said.err
    assert objects(offline) == []


def test_without_keepers_the_record_waits_and_the_next_import_goes_on_with_it(
    run: Run, offline: Path, me: Path
) -> None:
    first = run("record", "import", me, "--yes")
    stored = objects(offline)
    again = run("record", "import", me, "--yes")

    assert (first.status, again.status) == (4, 4)
    assert "hint" in first.err
    assert "in this vault already" in again.err
    assert objects(offline) == stored
    listed = msgspec.json.decode(run("record", "list", "--json").out)
    assert [(one["label"], one["stage"]) for one in listed["records"]] == [("P00001", "stored")]


def test_a_consent_file_changes_what_is_proposed(run: Run, offline: Path, me: Path, tmp_path: Path) -> None:
    policy = tmp_path / "consent.toml"
    policy.write_text('permission = "GRU"\nprice_floor = "7.5"\nask = true\nresult_classes = ["full"]\n')

    said = run("record", "import", me, "--policy", policy)

    for told in ("any research", "7.5 tokens", "need your approval", "complete statistics"):
        assert told in said.err


@pytest.mark.parametrize(
    "text", ["permission = 'WHATEVER'", "price_floor = 'much'", "colour = 'red'", "expires = 5", "no toml at all"]
)
def test_a_wrong_consent_file_is_refused(run: Run, offline: Path, me: Path, tmp_path: Path, text: str) -> None:
    policy = tmp_path / "consent.toml"
    policy.write_text(text)

    said = run("record", "import", me, "--policy", policy, "--yes")

    assert said.status == 2
    assert objects(offline) == []


def test_without_a_panel_the_error_names_the_command_that_makes_one(run: Run, offline: Path, me: Path) -> None:
    for file in (offline / "panels").rglob("*"):
        if file.is_file():
            file.unlink()

    assert "nebula panel build" in run("record", "import", me, "--yes").err
    assert "--new-panel" in run("custodian", "import", me, "--yes").err
    assert run("record", "import", me, "--yes").status == 2


def test_a_new_panel_is_on_the_files_own_assembly_so_no_chain_goes_with_it(
    run: Run, offline: Path, people: Path, tmp_path: Path
) -> None:
    chain = tmp_path / "hg19ToHg38.over.chain"
    chain.write_text("chain 1 chr1 249250621 + 0 9 chr1 248956422 + 0 9 1\n9\n")

    said = run("custodian", "import", people, "--new-panel", "x", "--chain", chain, "--yes")

    assert said.status == 2
    assert "on its own assembly" in said.err
    assert "leave --chain out" in " ".join(said.err.split())


def test_with_several_panels_one_must_be_named(run: Run, offline: Path, me: Path, people: Path) -> None:
    assert run("panel", "build", people, "--name", "other", "--assembly", "GRCh38").status == 0

    said = run("record", "import", me)

    assert said.status == 2
    assert "test@1 (0x" in said.err
    assert "other@1 (0x" in said.err
    assert "300 of 300 sites called" in run("record", "import", me, "--panel", "other").err


def test_an_altered_panel_is_no_panel(run: Run, offline: Path, me: Path) -> None:
    (panel,) = [path for path in (offline / "panels").rglob("*") if path.is_file()]
    content = bytearray(panel.read_bytes())
    content[-20] ^= 1
    panel.write_bytes(bytes(content))

    assert run("record", "import", me, "--yes").status in (2, 5)
    assert objects(offline) == []


def test_a_file_that_covers_little_of_the_panel_says_so(run: Run, offline: Path, tmp_path: Path) -> None:
    lines = VCF.splitlines(keepends=True)
    few = tmp_path / "few.vcf"
    few.write_bytes(b"".join(lines[: len(lines) - 264]))

    said = run("record", "import", few)

    assert "36 of 300 sites called (12.0%)" in said.err
    assert "Few of the panel's sites are in this file: 36 of 300." in said.err
    assert "Few of the panel" not in run("record", "import", write_all(tmp_path)).err


def write_all(folder: Path) -> Path:
    file = folder / "all.vcf"
    file.write_bytes(VCF)
    return file


def test_which_columns_are_taken_is_told_before_anybody_agrees(run: Run, offline: Path, tmp_path: Path) -> None:
    table = tmp_path / "traits.tsv"
    table.write_text("sample\theight\tsurname\nP00001\t170\tMeier\n")
    file = write_all(tmp_path)

    said = run("record", "import", file, "--phenotypes", table)
    named = run("record", "import", file, "--phenotypes", table, "--phenotype", "surname", "--yes")
    alone = run("record", "import", file, "--phenotype", "height", "--yes")

    assert "Phenotypes: 1 column;" in said.err
    assert "height: 1 of 1 have a number" in said.err
    assert "surname: by its name" in said.err
    assert (named.status, alone.status) == (2, 2)
    assert "'surname' cannot be a phenotype" in named.err
    assert "add --phenotypes" in alone.err
    assert objects(offline) == []


def test_a_plink_file_set_becomes_a_record_of_each_person(run: Run, offline: Path, tmp_path: Path) -> None:
    (tmp_path / "c.bed").write_bytes(bed(*("".join(map(str, row)) for row in COHORT.dosage.tolist())))
    sites = zip(COHORT.chromosome.tolist(), COHORT.position.tolist(), COHORT.alleles.tolist(), strict=True)
    (tmp_path / "c.bim").write_bytes(bim(*((str(chrom), pos, *reversed(alleles)) for chrom, pos, alleles in sites)))
    (tmp_path / "c.fam").write_bytes(fam(*(f"0 {name} 0" for name in COHORT.names)))

    said = run("custodian", "import", tmp_path / "c.bed", "--yes")

    assert said.status == 4, said.err  # ledger and keepers are away
    assert "PLINK 1 binary" in said.err
    assert f"REF is A2 at {len(COHORT.position):,} sites and A1 at 0" in said.err
    listed = msgspec.json.decode(run("record", "list", "--json").out)
    assert [record["label"] for record in listed["records"]] == list(COHORT.names)


def test_a_dry_run_shows_everything_and_stores_nothing(run: Run, offline: Path, me: Path, people: Path) -> None:
    one, many = run("record", "import", me, "--dry-run"), run("custodian", "import", people, "--dry-run")

    assert (one.status, many.status) == (0, 0)
    for told in (
        "The file",
        "its header",
        "of the autosomal calls",
        "What is kept, and who gets it",
        "test, version 1",
    ):
        assert told in one.err
    assert "2 of 3 keepers together open it" in one.err
    assert "All people in it" in many.err
    assert "All people in it" not in one.err
    assert "Nothing was stored" in one.err
    assert objects(offline) == []


def test_a_dry_run_tells_programs_the_same(run: Run, offline: Path, me: Path, people: Path, tmp_path: Path) -> None:
    table = tmp_path / "traits.tsv"
    table.write_text("sample\theight\tsurname\nP00001\t170\tMeier\n")

    one = msgspec.json.decode(run("record", "import", me, "--phenotypes", table, "--dry-run", "--json").out)
    many = msgspec.json.decode(run("custodian", "import", people, "--dry-run", "--json").out)

    autosomal = ONE.dosage[ONE.chromosome <= 22, 0]
    assert one["heterozygosity"] == pytest.approx((autosomal == 1).mean())
    assert (one["people"], one["report"]["called"], one["report"]["in_blocks"]) == (1, 300, 0)
    assert (one["phenotypes"], list(one["left_out"])) == (["height"], ["surname"])
    assert one["kept"]["every variant"] == "encrypted; offered to no study"
    assert set(one["risks"]) == {"noised", "hits"}
    assert (many["people"], many["call_rate"]["least"], sum(many["sexes"].values())) == (8, 1.0, 8)
    assert objects(offline) == []


def test_a_strangers_file_and_a_wrong_sex_need_more_than_a_yes(run: Run, offline: Path, tmp_path: Path) -> None:
    family = make_population(3, variants=2000, seed=6)
    (tmp_path / "sites.vcf").write_bytes(to_vcf(family))
    run("panel", "build", tmp_path / "sites.vcf", "--name", "large", "--assembly", "GRCh38")
    for person in (0, 1):
        (tmp_path / f"{person}.vcf").write_bytes(to_vcf(among(family, [person])))
    on = ("--panel", "large", "--yes")
    run("record", "import", tmp_path / "0.vcf", "--label", "me", *on)
    stored = objects(offline)

    again = run("record", "import", tmp_path / "0.vcf", "--label", "me too", *on)
    stranger = run("record", "import", tmp_path / "1.vcf", "--label", "she", *on)
    shown = msgspec.json.decode(run("record", "import", tmp_path / "1.vcf", *on, "--dry-run", "--json").out)

    assert (again.status, stranger.status) == (3, 3)
    assert "same person as 'me'" in again.err
    assert "nobody close" in stranger.err
    assert "--confirm-identity" in stranger.err
    assert objects(offline) == stored
    assert [one["label"] for one in shown["identity"]["earlier"]] == ["me"]
    assert run("record", "import", tmp_path / "1.vcf", "--label", "she", *on, "--confirm-identity").status == 4
    assert len(objects(offline)) == 2 * len(stored)


def test_the_original_is_kept_unless_its_owner_does_not_want_it(
    run: Run, offline: Path, me: Path, tmp_path: Path
) -> None:
    run("record", "import", me, "--yes", "--label", "kept")
    run("record", "import", me, "--yes", "--label", "dropped", "--no-original")

    back = run("record", "export", "kept", "--part", "original", "--output", tmp_path / "back.vcf.gz")
    none = run("record", "export", "dropped", "--part", "original", "--output", tmp_path / "none")
    shown = msgspec.json.decode(run("record", "import", me, "--label", "new", "--dry-run", "--json").out)

    assert (back.status, none.status) == (0, 2)
    assert (tmp_path / "back.vcf.gz").read_bytes() == me.read_bytes()
    assert not (tmp_path / "none").exists()
    assert "no study can name it" in shown["kept"]["the file as it came"]
