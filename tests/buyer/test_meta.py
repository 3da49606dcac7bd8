"""Several runs as one, from files to files."""

import gzip
from pathlib import Path

import pytest

from nebula.analysis.report import parse_tsv
from nebula.buyer.meta import combine_runs
from nebula.protocol.errors import RejectedInputError

HEADER = "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error"
HEADER += "\teffect_allele_frequency\tn\n"


def a_run(folder: Path, *, build: str | None = "GRCh38", beta: str = "0.5", result_class: str = "full") -> Path:
    folder.mkdir(parents=True)
    file = folder / "associations.tsv"
    file.write_text(HEADER + f"1\t100\tA\tG\t{beta}\t0.05\t0.3\t1000\n2\t7\tC\tT\t0.01\t0.1\t0.2\t1000\n")
    if build is not None:
        (folder / "metadata.yaml").write_text(f'genome_assembly: "{build}"\nresult_class: "{result_class}"\n')
    return file


def test_two_runs_become_one_table_with_its_metadata(tmp_path: Path) -> None:
    files = [a_run(tmp_path / "a"), a_run(tmp_path / "b", beta="0.7", result_class="hits")]
    combined = combine_runs(files)
    written = combined.write(tmp_path / "out")

    table = parse_tsv(written["meta.tsv"].read_bytes())
    assert table["beta"][0] == pytest.approx(0.6)
    assert table["direction"].tolist() == ["++", "++"]
    assert table["i_squared"][0] > 0.8
    assert combined.hits_only == (files[1],)
    assert 'genome_assembly: "GRCh38"' in written["metadata.yaml"].read_text()


def test_a_gzip_of_the_catalog_has_its_build_beside_it(tmp_path: Path) -> None:
    mine = a_run(tmp_path / "a")
    theirs = tmp_path / "GCST1.tsv.gz"
    theirs.write_bytes(gzip.compress(mine.read_bytes()))
    (tmp_path / "GCST1.tsv.gz-meta.yaml").write_text("file_type: GWAS-SSF v1.0\ngenome_assembly: hg38\n")
    assert combine_runs([mine, theirs]).build == "GRCh38"


@pytest.mark.parametrize(
    ("builds", "said", "code"),
    [
        (("GRCh38", "GRCh37"), None, "meta.build"),
        (("GRCh38", None), None, "meta.build"),
        (("GRCh38", "GRCh38"), "GRCh37", "meta.build"),
        (("GRCh38", None), "GRCh37", "meta.build"),
    ],
)
def test_tables_on_different_builds_are_never_combined(
    tmp_path: Path, builds: tuple[str | None, ...], said: str | None, code: str
) -> None:
    files = [a_run(tmp_path / str(index), build=build) for index, build in enumerate(builds)]
    with pytest.raises(RejectedInputError) as caught:
        combine_runs(files, build=said)
    assert caught.value.code == code


def test_a_build_may_be_said_where_nothing_stands_beside_a_table(tmp_path: Path) -> None:
    files = [a_run(tmp_path / "a"), a_run(tmp_path / "b", build=None)]
    assert combine_runs(files, build="GRCh38").build == "GRCh38"


def test_one_table_and_what_is_none_are_refused_by_name(tmp_path: Path) -> None:
    mine = a_run(tmp_path / "a")
    broken = a_run(tmp_path / "b")
    broken.write_text("nothing\n")
    for files, code in (([mine], "meta.files"), ([mine, mine], "meta.files"), ([mine, broken], "ssf.columns")):
        with pytest.raises(RejectedInputError) as caught:
            combine_runs(files)
        assert caught.value.code == code
