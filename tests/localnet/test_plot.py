"""What would stop a story is said before any process is started."""

from pathlib import Path
from typing import Any

import pytest

from nebula.localnet.bgzf import compress
from nebula.localnet.bookmark import Bookmark, open_bookmark, place_bookmark
from nebula.localnet.materials import check_files
from nebula.localnet.plot import Plot
from nebula.localnet.population import make_population, to_phenotypes, to_vcf
from nebula.protocol.errors import RejectedInputError
from nebula.protocol.study import ResultClass

PEOPLE = 60


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("files")
    population = make_population(PEOPLE, variants=200)
    (folder / "cohort.vcf.gz").write_bytes(compress(to_vcf(population)))
    lines = to_phenotypes(population, trait="height").decode().splitlines()
    table = [f"{lines[0]}\tsame\tcity", *(f"{line}\t1\tBasel" for line in lines[1:])]
    (folder / "people.tsv").write_text("\n".join(table) + "\n")
    return folder / "cohort.vcf.gz", folder / "people.tsv"


def check_plot(plot: Plot) -> None:
    plot.check()
    if plot.cohort is not None:
        check_files(plot, plot.cohort)


def refused(tmp_path: Path, **plot: Any) -> RejectedInputError:
    with pytest.raises(RejectedInputError) as caught:
        check_plot(Plot(folder=tmp_path / "network", **plot))
    assert not (tmp_path / "network").exists()
    return caught.value


@pytest.mark.parametrize(
    ("plot", "code"),
    [
        ({"people": 0}, "demo.people"),
        ({"people": 10**9}, "demo.people"),
        ({"seed": -1}, "demo.seed"),
        ({"trait": "height"}, "demo.trait"),
        ({"phenotypes": Path("people.tsv")}, "demo.cohort"),
        ({"pcs": 40}, "analysis.parameters"),
        ({"result_class": ResultClass.FULL}, "demo.full"),
        ({"cohort": Path("missing.vcf.gz")}, "demo.phenotypes"),
        ({"cohort": Path("missing.vcf.gz"), "phenotypes": Path("missing.tsv")}, "import.file"),
    ],
)
def test_numbers_and_names_that_cannot_be_are_refused(tmp_path: Path, plot: dict[str, Any], code: str) -> None:
    assert refused(tmp_path, **plot).code == code


@pytest.mark.parametrize("trait", ["weight", "same", "city"])
def test_a_trait_must_be_there_be_a_number_and_vary(tmp_path: Path, files: tuple[Path, Path], trait: str) -> None:
    error = refused(tmp_path, cohort=files[0], phenotypes=files[1], trait=trait)

    assert error.code in {"demo.trait", "phenotypes.columns"}
    assert repr(trait) in error.message
    assert error.hint


def test_a_cohort_must_be_a_vcf(tmp_path: Path, files: tuple[Path, Path]) -> None:
    assert refused(tmp_path, cohort=files[1], phenotypes=files[1], trait="height").code.startswith("vcf.")


def test_a_good_plot_passes(tmp_path: Path, files: tuple[Path, Path]) -> None:
    check_plot(Plot(folder=tmp_path, cohort=files[0], phenotypes=files[1], trait="height"))
    check_plot(Plot(folder=tmp_path))


def test_a_folder_keeps_to_the_people_it_began_with(tmp_path: Path) -> None:
    ours = Plot(folder=tmp_path).cast
    place_bookmark(tmp_path, Bookmark(cast=ours))

    assert open_bookmark(tmp_path, ours) == Bookmark(cast=ours)
    with pytest.raises(RejectedInputError, match="300 made-up people") as caught:
        open_bookmark(tmp_path, Plot(folder=tmp_path, people=100).cast)
    assert caught.value.code == "demo.other-story"
