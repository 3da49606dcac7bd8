"""``nebula study meta``, as a person types it."""

import json
from pathlib import Path

from cli.conftest import Run

HEADER = "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\tp_value\n"


def a_run(folder: Path, beta: float, result_class: str = "full") -> Path:
    folder.mkdir()
    (folder / "metadata.yaml").write_text(f'genome_assembly: "GRCh38"\nresult_class: "{result_class}"\n')
    (folder / "associations.tsv").write_text(HEADER + f"1\t100\tA\tG\t{beta}\t0.05\t0.5\n")
    return folder / "associations.tsv"


def test_two_tables_become_one_with_plots(run: Run, tmp_path: Path) -> None:
    files = [str(a_run(tmp_path / "one", 0.5)), str(a_run(tmp_path / "two", 0.6, "hits"))]

    said = run("study", "meta", *files, "--to", str(tmp_path / "both"))

    assert said.status == 0, said.err
    assert "1 variant on GRCh38, 1 of them beyond 5e-08" in said.out
    assert "overestimated" in said.err
    names = {path.name for path in (tmp_path / "both").iterdir()}
    assert {"meta.tsv", "qq.tsv", "metadata.yaml", "manhattan.png", "qq.svg"} <= names


def test_programs_get_numbers(run: Run, tmp_path: Path) -> None:
    files = [str(a_run(tmp_path / name, 0.01)) for name in ("one", "two")]

    said = run("study", "meta", *files, "--to", str(tmp_path / "both"), "--no-plots", "--json")

    found = json.loads(said.out)
    assert (found["variants"], found["hits"], found["build"]) == (1, 0, "GRCh38")
    assert found["rows"][files[1]]["matched"] == 1


def test_what_cannot_be_combined_says_what_to_do(run: Run, tmp_path: Path) -> None:
    one = a_run(tmp_path / "one", 0.5)

    said = run("study", "meta", str(one), str(one))

    assert said.status == 2
    assert "two tables or more" in said.err
