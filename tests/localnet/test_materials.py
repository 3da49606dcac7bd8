"""What a story takes of the files that it is given."""

from pathlib import Path

from nebula.localnet.bgzf import compress
from nebula.localnet.materials import read_materials
from nebula.localnet.plot import Plot
from nebula.localnet.population import make_population, to_vcf

PEOPLE = make_population(60, variants=50, seed=2)


def test_of_a_table_with_much_in_it_records_get_the_trait_of_the_study_alone(tmp_path: Path) -> None:
    cohort, table = tmp_path / "cohort.vcf.gz", tmp_path / "clinic.tsv"
    cohort.write_bytes(compress(to_vcf(PEOPLE)))
    lines = [f"{name}\t{number}\tSAMEA{number}\t{number % 7}" for number, name in enumerate(PEOPLE.names)]
    table.write_text("\n".join(["who\theight\taccession\tcigarettes", *lines]))
    told: list[str] = []

    with_trait = Plot(folder=tmp_path, cohort=cohort, phenotypes=table, trait="height")
    materials = read_materials(with_trait, say=told.append)

    assert {one.name for kept in materials.phenotypes.values() for one in kept.phenotypes} == {"height"}
    assert any("no other column of clinic.tsv is taken" in line for line in told)
    without = Plot(folder=tmp_path, cohort=cohort, phenotypes=table, analysis="allele-frequency")
    assert read_materials(without, say=told.append).phenotypes == {}


def test_another_trait_of_the_same_people_is_another_cast(tmp_path: Path) -> None:
    casts = {
        Plot(folder=tmp_path, cohort=Path("c.vcf"), phenotypes=Path("t.tsv"), trait=trait, pcs=pcs).cast
        for trait in ("height", "weight")
        for pcs in (2, 4)
    }

    assert len(casts) == 2
