"""The main job on 2,504 real people: what the buyer gets is what plink2 finds with the data in its hands."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from sqlalchemy import create_engine

from journeys.planting import Association, Cohort, plant, plink2_glm, read_cohort
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.parameters import LinearGwas
from nebula.analysis.people import cohort_components
from nebula.analysis.report import parse_tsv
from nebula.genome.matrix import PackedMatrix
from nebula.protocol.duo import Permission
from nebula.vault.payouts import all_records
from nebula.vault.state import Stage

PCS = 6
SEED = 3
pytestmark = [pytest.mark.xdist_group("cohort"), pytest.mark.timeout(1800)]


@dataclass(frozen=True)
class Study:
    """One study as the buyer has it, and the same from plink2."""

    told: dict[str, Any]
    ours: dict[str, Any]
    theirs: Association
    lambda_gc: float


@dataclass(frozen=True)
class Story:
    """Two studies on one network: with components as complete statistics, and without any as hits."""

    adjusted: Study
    naive: Study
    causal: list[str]


@pytest.fixture(scope="module")
def story(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    if shutil.which("plink2") is None:
        pytest.skip("plink2 is not installed")
    vcf = shared_data / "cohort/1kg_p3_exome23k_b38.vcf.gz"
    work = tmp_path_factory.mktemp("cohort")
    cohort = read_cohort(vcf)
    trait, causal = plant(cohort, _ancestry(shared_data), seed=SEED)
    values = dict(zip(cohort.people, trait.round(6), strict=True))
    lines = [f"{person}\t{value:.6f}" for person, value in values.items()]
    (work / "planted.tsv").write_text("\n".join(["sample\tplanted", *lines]) + "\n")

    def study(pcs: int, result_class: str) -> Study:
        told = _demo(
            *("--cohort", str(vcf), "--phenotypes", str(work / "planted.tsv"), "--trait", "planted"),
            *("--pcs", str(pcs), "--result-class", result_class, "--seed", str(SEED), "--dir", str(work / "network")),
        )
        people = _took_part(work / "network")
        assert len(people) == told["records_used"]
        components = _components(cohort, people, pcs)
        theirs = plink2_glm(vcf, work, people, np.array([values[person] for person in people]), components)
        result = Path(told["result"])
        summary = msgspec.json.decode(result.with_name("summary.json").read_bytes())
        return Study(told, parse_tsv(result.read_bytes()), theirs, summary["lambda_gc"])

    return Story(adjusted=study(PCS, "full"), naive=study(0, "hits"), causal=causal)


def _ancestry(shared_data: Path) -> dict[str, str]:
    rows = [line.split("\t") for line in (shared_data / "cohort/populations.tsv").read_text().splitlines()[1:]]
    return {row[0]: row[2] for row in rows}


def _demo(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "nebula.cli", "demo", *arguments, "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=1500, check=False)
    assert finished.returncode == 0, finished.stderr
    told: dict[str, Any] = msgspec.json.decode(finished.stdout.strip().splitlines()[-1])
    return told


def _took_part(network: Path) -> list[str]:
    """Who, by the vault's own tables, in the order of records: all but who says no and who has withdrawn."""
    engine = create_engine(f"sqlite:///{network}/vault/vault.sqlite")
    records = sorted(all_records(engine), key=lambda record: record.record)
    engine.dispose()
    return [
        record.label
        for record in records
        if record.stage is Stage.REGISTERED and record.policy.permission is not Permission.POA
    ]


def _components(cohort: Cohort, people: list[str], pcs: int) -> np.ndarray:
    """The components never leave the enclave: they are computed again, by the public function on the same records."""
    place = {person: column for column, person in enumerate(cohort.people)}
    chromosome, position, reference, alternate = zip(*(name.split("_") for name in cohort.ids), strict=True)
    unique = np.array([True, *(here != before for here, before in zip(cohort.ids[1:], cohort.ids[:-1], strict=True))])
    sites = Sites(
        np.array(chromosome), np.array(position, np.int64), np.array(reference, object), np.array(alternate, object)
    ).select(unique)
    dosage = cohort.dosage[unique][:, [place[person] for person in people]]
    parameters = LinearGwas(trait="planted", pcs=pcs, seed=SEED)
    return cohort_components(parameters, CohortInput(PackedMatrix.from_dosage(dosage), sites, {}))


def test_complete_statistics_are_those_of_plink2_with_the_same_components(story: Story) -> None:
    ours, theirs = story.adjusted.ours, story.adjusted.theirs.rows
    names = [str(name) for name in ours["variant_id"]]

    assert len(names) > 15_000
    assert set(names) == set(theirs)
    beta, error, log10_p = np.array([theirs[name] for name in names]).T
    assert np.abs((ours["beta"] - beta) / error).max() < 1e-3
    assert np.abs(-np.log10(ours["p_value"]) - log10_p).max() < 1e-2


def test_the_planted_variants_are_found(story: Story) -> None:
    ours = story.adjusted.ours
    found = {str(name) for name, p in zip(ours["variant_id"], ours["p_value"], strict=True) if p < 5e-8}

    assert set(story.causal) <= found == story.adjusted.theirs.hits()


def test_without_components_the_inflation_shows(story: Story) -> None:
    assert story.adjusted.lambda_gc < 1.1
    assert story.naive.lambda_gc > 2 * story.adjusted.lambda_gc
    assert story.naive.lambda_gc == pytest.approx(story.naive.theirs.lambda_gc, rel=0.01)


def test_hits_alone_are_the_hits_of_plink2(story: Story) -> None:
    assert {str(name) for name in story.naive.ours["variant_id"]} == story.naive.theirs.hits()


def test_a_second_study_on_the_same_people_enrols_nobody_again(story: Story) -> None:
    first, second = story.adjusted.told, story.naive.told

    assert first["people"] == second["people"] == first["records_enrolled"] == second["records_enrolled"] == 2504
    assert first["study"] != second["study"]
    assert second["records_used"] == first["records_used"] - second["records_withdrawn"]
    assert first["audit"]["failed"] == second["audit"]["failed"] == 0
