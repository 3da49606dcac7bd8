"""An owner's report on the command line, with the network away."""

from pathlib import Path

import msgspec

from cli.conftest import ONE, Run


def test_an_owner_reads_their_record_without_any_network(run: Run, offline: Path, me: Path, tmp_path: Path) -> None:
    run("record", "import", me, "--label", "anna", "--yes")
    chromosome, pos, (one, other) = ONE.chromosome[0], ONE.position[0], ONE.alleles[0]
    table = tmp_path / "meanings.tsv"
    table.write_text(
        "#build=GRCh38\nchrom\tpos\tref\talt\tallele\tmeaning\n"
        f"{chromosome}\t{pos}\t{one}\t{other}\t{other}\tblue [bold]eyes\n1\t1\tA\tG\tG\tnowhere\n"
    )
    stars = tmp_path / "stars.tsv"
    columns = (
        "Haplotype Name,Gene,rsID,ReferenceSequence,Variant Start,Variant Stop,Reference Allele,Variant Allele,Type"
    )
    rows = ("[bold]G*1,[bold]G,,REFERENCE,.,,,,", "[bold]G*2,[bold]G,rs1,NC_000001.11,7,7,A,G,substitution")
    stars.write_text("\n".join((columns, *rows)).replace(",", "\t"))
    page = tmp_path / "report.html"

    said = run("record", "report", "anna", "--meanings", table, "--html", page)
    alleles = run("record", "report", "anna", "--star-alleles", stars)
    again = run("record", "report", "anna", "--html", page)
    facts = msgspec.json.decode(run("record", "report", "anna", "--meanings", table, "--json").out)

    assert said.status == 0, said.err
    for told in ("300 of 300 sites", "blue [bold]eyes", "not known: your record does not say", str(page)):
        assert told in said.out
    assert "not medical advice" in said.err
    assert "[bold]G" in alleles.out
    assert "not known: your record does not say" in alleles.out
    assert "CYP2D6" in alleles.err
    assert "CYP2D6" not in said.err
    assert page.stat().st_mode & 0o777 == 0o600
    assert (again.status, "is there already" in again.err) == (2, True)
    assert [one["copies"] for one in facts["findings"]] == [int(ONE.dosage[0, 0]), None]
    assert facts["quality"]["called"] == 300


def test_what_a_report_cannot_be_made_of_is_said(run: Run, offline: Path, me: Path, people: Path) -> None:
    run("record", "import", me, "--label", "anna", "--yes")

    few = run("record", "report", "anna", "--cohort", people)
    score = run("record", "report", "anna", "--score", me)

    assert (few.status, "too few to place anybody" in few.err) == (2, True)
    assert (score.status, "--cohort" in score.err) == (2, True)
