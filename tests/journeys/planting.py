"""Plant a trait in real people's genotypes, and ask plink2 what it finds. Nothing of Nebula reads the file here."""

import gzip
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

EFFECT_VARIANCE = 0.03
"""Share of the trait's variance behind each planted variant, roughly."""
SHIFT = {"AFR": 0.9, "AMR": 0.3, "EAS": -0.6, "EUR": 0.0, "SAS": -0.2}
"""What ancestry adds to the trait, in standard deviations of its noise."""


@dataclass(frozen=True, eq=False)
class Cohort:
    """A VCF read plainly: ids of sites as CHROM_POS_REF_ALT, alternate counts of shape (sites, people)."""

    ids: list[str]
    people: list[str]
    dosage: NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Association:
    """plink2's numbers, by variant id: beta, its standard error, -log10 p."""

    rows: dict[str, tuple[float, float, float]]

    @property
    def lambda_gc(self) -> float:
        """Median chi-square over its expectation."""
        z = np.array([beta / error for beta, error, _ in self.rows.values()])
        return float(np.median(z**2) / 0.4549364)

    def hits(self) -> set[str]:
        """Ids beyond 5e-8."""
        return {name for name, (_, _, log10_p) in self.rows.items() if log10_p > -np.log10(5e-8)}


def read_cohort(vcf: Path) -> Cohort:
    """Read a VCF whose lines hold GT alone, three bytes each."""
    ids, rows, people = [], [], []
    with gzip.open(vcf, "rb") as file:
        for line in file:
            if line.startswith(b"#CHROM"):
                people = line.decode().split()[9:]
            elif not line.startswith(b"#"):
                chromosome, pos, _, ref, alt, *_, calls = line.rstrip(b"\n").split(b"\t", 9)
                ids.append(b"_".join((chromosome, pos, ref, alt)).decode())
                text = np.frombuffer(calls + b"\t", dtype=np.uint8).reshape(len(people), 4)
                rows.append((text[:, 0] == ord("1")).astype(np.int8) + (text[:, 2] == ord("1")))
    return Cohort(ids, people, np.array(rows, dtype=np.int8))


def plant(cohort: Cohort, ancestry: dict[str, str], *, seed: int) -> tuple[NDArray[np.float64], list[str]]:
    """Return a trait, and the ids of the three variants that act on it: common, on chromosomes of their own."""
    random = np.random.default_rng(seed)
    frequency = cohort.dosage.mean(axis=1) / 2
    common = random.permutation(np.flatnonzero((frequency > 0.3) & (frequency < 0.7)))
    chromosome = np.array([name.partition("_")[0] for name in cohort.ids])[common]
    _, first = np.unique(chromosome, return_index=True)
    causal = common[np.sort(first)[:3]]
    effects = cohort.dosage[causal] - 2 * frequency[causal, None]
    effects = np.sqrt(EFFECT_VARIANCE) * effects / effects.std(axis=1, keepdims=True)
    shift = np.array([SHIFT[ancestry[person]] for person in cohort.people])
    trait = effects.sum(axis=0) + shift + random.standard_normal(len(cohort.people))
    return trait, [cohort.ids[row] for row in causal]


def plink2_glm(
    vcf: Path, folder: Path, people: list[str], trait: NDArray[np.float64], covariates: NDArray[np.float64]
) -> Association:
    """Run ``plink2 --glm`` on some of a VCF's people. ``covariates``: shape (people, any number)."""
    names = [f"c{index}" for index in range(covariates.shape[1])]
    table = ["\t".join(["#IID", "planted", *names])]
    for person, value, row in zip(people, trait, covariates, strict=True):
        table.append("\t".join([person, *(repr(float(cell)) for cell in (value, *row))]))
    (folder / "table.tsv").write_text("\n".join(table) + "\n")
    model = ["--covar", "table.tsv", "--covar-name", ",".join(names), "--covar-variance-standardize"]
    command = [
        *("plink2", "--vcf", str(vcf), "--set-all-var-ids", "@_#_$r_$a", "--keep", "table.tsv", "--threads", "2"),
        *("--pheno", "table.tsv", "--pheno-name", "planted", "--maf", "0.01", "--out", "theirs"),
        *("--glm", "hide-covar", "omit-ref", "log10", *([] if names else ["allow-no-covars"])),
        *(model if names else []),
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    header, *lines = [line.split("\t") for line in (folder / "theirs.planted.glm.linear").read_text().splitlines()]
    columns = [header.index(name) for name in ("ID", "BETA", "SE", "LOG10_P")]
    found = ([line[column] for column in columns] for line in lines)
    return Association({name: (float(b), float(s), float(p)) for name, b, s, p in found if b != "NA"})
