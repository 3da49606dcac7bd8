"""``nebula panel`` and ``rederive`` without a network: what is made, and what is said where something is missing."""

import json
from pathlib import Path

from cli.conftest import Run, objects

SITES = "chrom\tpos\tref\talt\tid\n1\t1000\tA\tC\trs1\nX\t5000000\tG\tT\trs2\n"


def write(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def test_a_list_of_sites_becomes_a_panel(run: Run, offline: Path, tmp_path: Path) -> None:
    said = run("panel", "build", "--sites", write(tmp_path / "s.tsv", SITES), "--name", "two", "--assembly", "GRCh38")

    assert said.status == 0, said.err
    assert "two" in said.out
    listed = json.loads(run("panel", "list", "--json").out)["panels"]
    assert [(one["name"], one["sites"], one["published"]) for one in listed] == [("test", 300, None), ("two", 2, None)]


def test_a_bad_line_of_a_list_is_named_and_nothing_is_made(run: Run, offline: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "s.tsv", SITES.replace("5000000", "-5"))
    before = objects(offline.parent)

    said = run("panel", "build", file, "--name", "two", "--assembly", "GRCh38")

    assert said.status == 2
    assert "s.tsv: line 3, pos: '-5'" in said.err.replace("\n", " ")
    assert objects(offline.parent) == before
    assert "--assembly" in run("panel", "build", write(tmp_path / "t.tsv", SITES), "--name", "two").err


def test_ref_alleles_of_a_list_are_held_against_a_reference(run: Run, offline: Path, tmp_path: Path) -> None:
    genome = write(tmp_path / "genome.fa", ">1\n" + "C" * 1200 + "\n>X\nG\n")
    file = write(tmp_path / "s.tsv", SITES)

    said = run("panel", "build", file, "--name", "two", "--assembly", "GRCh38", "--reference", genome)

    assert said.status == 2
    assert "REF is A, and the reference genome has C" in said.err.replace("\n", " ")


def test_versions_of_one_name_are_told_apart(run: Run, offline: Path, tmp_path: Path, me: Path) -> None:
    file = write(tmp_path / "s.tsv", SITES)
    assert run("panel", "build", file, "--name", "test", "--version", "2", "--assembly", "GRCh38").status == 0

    said = run("record", "import", me, "--panel", "test", "--dry-run")
    assert said.status == 2
    assert "test@1 (0x" in said.err.replace("\n", " ")
    assert run("record", "import", me, "--panel", "test@1", "--dry-run").status == 0


def test_publishing_is_for_the_operators_machine(run: Run, offline: Path) -> None:
    said = run("panel", "publish", "test")

    assert said.status == 2
    assert "--hub" in said.err


def test_a_record_is_put_on_no_panel_that_is_not_there_and_not_while_the_ledger_is_away(
    run: Run, offline: Path, me: Path
) -> None:
    assert run("record", "import", me, "--yes").status == 4
    assert "no record 'you'" in run("record", "rederive", "you", "--panel", "test").err
    assert run("record", "rederive", "P00001", "--panel", "nobodys").status == 2
    assert run("record", "rederive", "P00001", "--panel", "test").status == 4
    assert run("custodian", "rederive", "--panel", "test").status == 4
