"""Cohorts for the analyses: small ones made up, and the real one read plainly."""

import gzip
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from nebula.analysis.inputs import Sites


@dataclass
class RealCohort:
    dosage: np.ndarray
    sites: Sites
    samples: list[str]


@pytest.fixture(scope="session")
def real_cohort(shared_data: Path) -> RealCohort:
    """Every third variant of the 1000 Genomes exome cohort: its lines hold GT alone, three bytes each."""
    rows, fixed, samples = [], [], []
    with gzip.open(shared_data / "cohort/1kg_p3_exome23k_b38.vcf.gz", "rb") as file:
        for line in file:
            if line.startswith(b"#CHROM"):
                samples = line.decode().split()[9:]
            elif not line.startswith(b"#"):
                *head, calls = line.rstrip(b"\n").split(b"\t", 9)
                fixed.append([head[index].decode() for index in (0, 1, 3, 4)])
                if len(fixed) % 3 == 0:
                    text = np.frombuffer(calls + b"\t", dtype=np.uint8).reshape(len(samples), 4)
                    rows.append((text[:, 0] == ord("1")) + (text[:, 2] == ord("1")))
    chromosome, position, reference, alternate = map(np.array, zip(*fixed[2::3], strict=True))
    sites = Sites(chromosome, position.astype(np.int64), reference, alternate)
    return RealCohort(np.array(rows, dtype=np.int8), sites, samples)


@pytest.fixture
def plink2(tmp_path: Path) -> Callable[..., Path]:
    """Run Debian's plink2 on a cohort; returns the prefix of its output."""
    if shutil.which("plink2") is None:
        pytest.skip("plink2 is not installed")

    def run(dosage: np.ndarray, chromosome: np.ndarray, *arguments: str) -> Path:
        code = np.array([3, 2, 0, 1], dtype=np.uint8)[dosage]  # hom-ref, het, hom-alt, missing (-1)
        padded = np.zeros((len(code), -(-code.shape[1] // 4) * 4), dtype=np.uint8)
        padded[:, : code.shape[1]] = code
        four = padded.reshape(len(code), -1, 4)
        packed = four[:, :, 0] | four[:, :, 1] << 2 | four[:, :, 2] << 4 | four[:, :, 3] << 6
        (tmp_path / "in.bed").write_bytes(b"\x6c\x1b\x01" + packed.astype(np.uint8).tobytes())
        rows = enumerate(chromosome)
        (tmp_path / "in.bim").write_text("".join(f"{c}\tv{i}\t0\t{i + 1}\tC\tA\n" for i, c in rows))
        people = range(dosage.shape[1])
        (tmp_path / "in.fam").write_text("".join(f"0\ts{i}\t0\t0\t1\t-9\n" for i in people))
        command = ["plink2", "--bfile", "in", "--threads", "2", "--out", "out", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return tmp_path / "out"

    return run


@pytest.fixture
def made_up() -> np.ndarray:
    """600 variants, 203 people in three groups, 3 % missing; some rare, some constant."""
    rng = np.random.default_rng(5)
    ancestral = rng.beta(0.5, 0.5, 600)
    groups = np.clip(ancestral[:, None] + 0.15 * rng.standard_normal((600, 3)), 0, 1)
    dosage = rng.binomial(2, groups[:, np.arange(203) % 3]).astype(np.int8)
    dosage[rng.random(dosage.shape) < 0.03] = -1
    return dosage
