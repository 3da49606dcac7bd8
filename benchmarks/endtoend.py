"""From encrypted records to a GWAS table, beside plink2 on the same cohort already merged and in plain text.

    python benchmarks/endtoend.py [--cohort COHORT.vcf.gz] [--people 10000] [--variants 50000] [--rounds 3]

Ours: for every person, open the encrypted genotypes and phenotypes with their data keys, check length and digest,
parse both strictly; choose the cohort, assemble the matrix, run the catalogue's linear GWAS with ten covariates.
Not in it: fetching, the manifests, and putting data keys together from shares. plink2 reads its own .pgen and the
phenotypes' text, start included. One thread each.
"""

import argparse
import tempfile
from pathlib import Path

import made_up
import numpy as np
import sealed
from measuring import command_time, own_time, row, take_turns, tool_version, write_results

from nebula.analysis import catalogue
from nebula.analysis.inputs import CohortInput, Sites
from nebula.analysis.parameters import LinearGwas, analysed_columns
from nebula.analysis.result import AnalysisResult
from nebula.enclave.cohort import choose_cohort
from nebula.enclave.columns import PhenotypeColumns
from nebula.genome.assembly import Assembly, assemble
from nebula.genome.building import build_panel
from nebula.genome.importing import import_genomes
from nebula.genome.inflate import Source
from nebula.genome.matrix import PackedMatrix
from nebula.genome.panel import Panel

COVARIATES = tuple(f"c{index}" for index in range(10))
PARAMETERS = LinearGwas(trait="trait", covariates=COVARIATES, pcs=0, minimum_maf=0.0, maximum_missing=1.0)
GLM = (
    "plink2 --pfile in --glm hide-covar omit-ref log10 cols=nobs,beta,se,p --pheno pheno.tsv --pheno-name trait "
    f"--covar pheno.tsv --covar-name {','.join(COVARIATES)} --threads 1 --out out"
)


def gwas(panel: Panel, records: list[sealed.SealedRecord]) -> AnalysisResult:
    """Do what an enclave does once it has the records and their keys."""
    assembly, phenotypes = Assembly(panel, len(records)), PhenotypeColumns(analysed_columns(PARAMETERS))
    for record, codes in zip(records, sealed.open_vectors(panel, records), strict=True):
        assembly.add(codes)
        phenotypes.add(sealed.open_phenotypes(record))
    members, columns = choose_cohort(phenotypes, (), analysed_columns(PARAMETERS))
    cohort = CohortInput(assembly.finish(members), Sites.of_panel(panel), columns)
    return catalogue.run("gwas-linear@1", PARAMETERS, cohort)


def measure(name: str, panel: Panel, matrix: PackedMatrix, rounds: int) -> dict[str, object]:
    """Time both on one cohort."""
    print(f"{name}: {matrix.samples:,} people x {matrix.variants:,} variants")
    rng = np.random.default_rng(3)
    columns = {"trait": rng.standard_normal(matrix.samples)}
    columns |= {covariate: rng.standard_normal(matrix.samples) for covariate in COVARIATES}
    records = sealed.seal_cohort(panel, matrix, columns)
    with tempfile.TemporaryDirectory() as name_:
        folder = Path(name_)
        made_up.write_plink(folder, matrix, columns)
        found = take_turns(
            rounds,
            {
                "nebula, from encrypted records": lambda: own_time(lambda: gwas(panel, records)),
                "  of it: open, parse, assemble genotypes": lambda: own_time(
                    lambda: assemble(panel, sealed.open_vectors(panel, records), people=len(records))
                ),
                "  of it: open and parse phenotypes": lambda: own_time(
                    lambda: [sealed.open_phenotypes(record) for record in records]
                ),
                "plink2 --glm, from its own files": lambda: command_time(GLM.split(), folder),
            },
        )
    ours, peer = found["nebula, from encrypted records"].median, found["plink2 --glm, from its own files"].median
    print(f"  {ours / peer:.2f} of plink2's time; the bar is 1.0")
    return row(f"encrypted records to GWAS table, {name}", ours, peer, 1.0) | {
        "people": matrix.samples,
        "variants": matrix.variants,
        "share_of_the_peers_time": round(ours / peer, 3),
        "rounds": found,
    }


def real(path: Path) -> tuple[Panel, PackedMatrix]:
    """Read a cohort's file on a panel of its own sites."""
    with path.open("rb") as file:
        panel = build_panel(Source(file, path.name, "vcf"), name="benchmark", version="1")
    with path.open("rb") as file:
        cohort = import_genomes(Source(file, path.name), panel)
    return panel, assemble(panel, [cohort.vector(person).codes for person in range(len(cohort))])


def main() -> None:
    """Measure a made-up cohort and, where there is one, a real one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohort", type=Path)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--variants", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    rows = []
    if chosen.cohort:
        rows.append(measure("real cohort", *real(chosen.cohort), chosen.rounds))
    if chosen.people:
        matrix = made_up.genotypes(chosen.people, chosen.variants)
        rows.append(measure("made-up cohort", sealed.panel_of(chosen.variants), matrix, chosen.rounds))
    write_results("endtoend", {"peer": tool_version("plink2", "--version"), "rows": rows})


if __name__ == "__main__":
    main()
