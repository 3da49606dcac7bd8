"""Who a new file is about: real genotypes of made-up families, through a real vault."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from nebula.genome.allele_balance import AlleleBalance
from nebula.genome.imported import ImportedCohort, ImportReport
from nebula.genome.panel import Panel
from nebula.localnet.consumer_file import among
from nebula.localnet.population import Population, make_population, to_vcf
from nebula.protocol.errors import IntegrityError
from nebula.vault.identity import ENOUGH_SITES, Degree, Likeness, compare, compare_among, degree_of, doubts
from nebula.vault.import_ import Vault, import_own
from nebula.vault.reading import read_genomes, read_panel
from vault.test_import import policy_of, vault

__all__ = ["vault"]

PEOPLE = make_population(30, variants=3000, seed=8)


def child_of(people: Population, mother: int, father: int) -> Population:
    random = np.random.default_rng(1)
    parents = people.dosage[:, [mother, father]]
    inherited = random.binomial(1, parents / 2).sum(axis=1).astype(np.int8)
    return replace(among(people, [mother]), dosage=inherited[:, None], names=("child",))


def genomes_of(people: Population, panel: Panel, folder: Path) -> ImportedCohort:
    file = folder / f"{people.names[0]}.vcf"
    file.write_bytes(to_vcf(people))
    return read_genomes(file, panel)


@pytest.fixture
def panel(tmp_path: Path) -> Panel:
    file = tmp_path / "sites.vcf"
    file.write_bytes(to_vcf(PEOPLE))
    return read_panel(file, name="test", assembly="GRCh38")


@pytest.mark.parametrize(
    ("who", "degree"),
    [
        (among(PEOPLE, [0]), Degree.SAME),
        (child_of(PEOPLE, 0, 1), Degree.FIRST),
        (among(PEOPLE, [2]), Degree.STRANGER),
    ],
)
def test_a_new_file_is_compared_with_the_records_of_its_owner(
    vault: Vault, panel: Panel, tmp_path: Path, who: Population, degree: Degree
) -> None:
    import_own(vault, genomes_of(among(PEOPLE, [0]), panel, tmp_path), {}, policy_of=policy_of, label="me")

    (found,) = compare(vault, panel, genomes_of(who, panel, tmp_path).vector(0))

    assert (found.label, found.degree) == ("me", degree)


def test_records_on_other_panels_and_few_sites_cannot_be_compared(vault: Vault, panel: Panel, tmp_path: Path) -> None:
    me = among(PEOPLE, [0])
    few = read_panel(tmp_path / "sites.vcf", name="few", assembly="GRCh38")
    few = Panel("few", "1", "GRCh38", few.keys[: ENOUGH_SITES - 1])
    import_own(vault, genomes_of(me, few, tmp_path), {}, policy_of=policy_of, label="few")

    assert [one.degree for one in compare(vault, panel, genomes_of(me, panel, tmp_path).vector(0))] == [Degree.UNKNOWN]
    assert [one.degree for one in compare(vault, few, genomes_of(me, few, tmp_path).vector(0))] == [Degree.UNKNOWN]


def test_a_lost_object_leaves_it_open_and_an_altered_one_is_told(vault: Vault, panel: Panel, tmp_path: Path) -> None:
    me = genomes_of(among(PEOPLE, [0]), panel, tmp_path)
    import_own(vault, me, {}, policy_of=policy_of, label="me")
    objects = [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]
    for path in objects:
        path.write_bytes(path.read_bytes()[:-1] + b"\0\0")
    with pytest.raises(IntegrityError):
        compare(vault, panel, me.vector(0))
    for path in objects:
        path.unlink()

    assert [one.degree for one in compare(vault, panel, me.vector(0))] == [Degree.UNKNOWN]


@pytest.fixture
def female(panel: Panel, tmp_path: Path) -> ImportReport:
    report = genomes_of(among(PEOPLE, [0]), panel, tmp_path).genome(0).report
    return msgspec.structs.replace(report, sex="female")


def likeness(degree: Degree) -> Likeness:
    return Likeness("0x" + "11" * 20, "me", 3000, 0.1, degree)


@pytest.mark.parametrize(
    ("degrees", "sex", "balance", "told"),
    [
        ([], None, None, []),
        ([Degree.FIRST], "female", AlleleBalance(2000, 20), []),
        ([Degree.UNKNOWN], None, None, []),
        ([Degree.STRANGER, Degree.FIRST], None, None, []),
        ([Degree.SAME], None, None, ["same person as 'me'"]),
        ([Degree.STRANGER, Degree.THIRD], None, None, ["nobody close"]),
        ([], "male", None, ["you say male, and the X says female"]),
        ([], None, AlleleBalance(2000, 300), ["300 have nearly all reads of one allele"]),
    ],
)
def test_what_must_be_confirmed(
    female: ImportReport, degrees: list[Degree], sex: str | None, balance: AlleleBalance | None, told: list[str]
) -> None:

    said = doubts([likeness(degree) for degree in degrees], female, stated_sex=sex, balance=balance)

    assert len(said) == len(told)
    assert all(part in sentence for part, sentence in zip(told, said, strict=True))


def test_a_cohort_tells_who_is_in_it_twice_and_whose_heterozygosity_stands_out(panel: Panel, tmp_path: Path) -> None:
    dosage = PEOPLE.dosage.copy()
    dosage[:, 7] = dosage[:, 3]
    dosage[::2, 9] = 1
    found = compare_among(genomes_of(replace(PEOPLE, dosage=dosage), panel, tmp_path))

    assert found is not None
    assert found.same == ((PEOPLE.names[3], PEOPLE.names[7]),)
    assert found.outliers == (PEOPLE.names[9],)


@pytest.mark.parametrize(
    ("kinship", "degree"), [(0.5, Degree.SAME), (0.25, Degree.FIRST), (0.125, Degree.SECOND), (0.0625, Degree.THIRD)]
)
def test_expected_kinships_are_of_their_degree(kinship: float, degree: Degree) -> None:
    assert degree_of(kinship) is degree
    assert degree_of(0.0) is Degree.STRANGER
