"""From one-person records to one cohort: ours from encrypted records, beside `bcftools merge` of one-person files.

    python benchmarks/assembly.py [--people 500 2000] [--variants 20000] [--panel-bytes 250000000]

A made-up piece of a chromosome. bcftools gets one bgzipped, indexed VCF a person, with the variants that they
carry, and merges them to BCF (absent is hom-ref: -0). We open, check and parse one encrypted vector a person and
transpose. One thread each, processor time. Both results are compared genotype by genotype. The merge runs once: it
takes minutes.
"""

import argparse
import resource
import tempfile
from pathlib import Path

import made_up
import numpy as np
import pysam
import sealed
from measuring import command_time, figure, own_time, row, take_turns, tool_version, write_results

from nebula.genome.assembly import assemble
from nebula.genome.matrix import PackedMatrix

BARS = {500: 150.0, 2000: 400.0}
HEADER = (
    "##fileformat=VCFv4.3\n##contig=<ID=1,length=248956422>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t"
)


def write_people(folder: Path, matrix: PackedMatrix) -> list[str]:
    """Write each person's own file: the variants that they carry."""
    people = PackedMatrix(np.ascontiguousarray(matrix.packed), matrix.samples).dosage().T
    names = []
    for person, dosage in enumerate(people):
        lines = [
            f"1\t{10 * (site + 1)}\t.\tA\tC\t.\tPASS\t.\tGT\t{'0/1' if dosage[site] == 1 else '1/1'}\n"
            for site in np.flatnonzero(dosage).tolist()
        ]
        name = folder / f"{person}.vcf.gz"
        with pysam.BGZFile(str(name), "w") as file:
            file.write((HEADER + f"s{person}\n" + "".join(lines)).encode())
        pysam.tabix_index(str(name), preset="vcf", force=True)
        names.append(str(name))
    return names


def merged_dosage(path: Path, sites: int, people: int) -> np.ndarray:
    """Read the peer's result: shape (sites, people); sites that nobody carries stay zero."""
    dosage = np.zeros((sites, people), np.int8)
    with pysam.VariantFile(str(path)) as file:
        for record in file:
            calls = str(record).rstrip("\n").split("\t")[9:]
            dosage[record.pos // 10 - 1] = [call[0:3:2].count("1") for call in calls]
    return dosage


def measure(people: int, variants: int) -> dict[str, object]:
    """Time both on one cohort and compare what they made."""
    print(f"{people:,} people x {variants:,} variants")
    matrix, panel = made_up.genotypes(people, variants), sealed.panel_of(variants)
    records = sealed.seal_cohort(panel, matrix)

    def ours() -> PackedMatrix:
        return assemble(panel, sealed.open_vectors(panel, records), people=len(records))

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "files").write_text("\n".join(write_people(folder, matrix)) + "\n")
        merge = ["bcftools", "merge", "-0", "-l", "files", "-Ob", "-o", "merged.bcf"]
        peer = command_time(merge, folder)
        equal = bool((merged_dosage(folder / "merged.bcf", variants, people) == ours().dosage()).all())
    found = figure([own_time(ours) for _ in range(7)])
    print(f"  nebula {found}\n  bcftools merge {peer:.2f} s\n  the same genotypes: {equal}")
    return row(f"assembly, N = {people}", found.median, peer, BARS.get(people, 150.0)) | {
        "people": people,
        "variants": variants,
        "identical": equal,
        "rounds": found,
    }


def throughput(size: int) -> dict[str, object]:
    """How fast vectors become a matrix, in bytes of vectors, beside copying the same bytes."""
    people, sites = 2048, 4 * (size // 2048)
    vectors = np.random.default_rng(1).integers(0, 256, (people, sites // 4), dtype=np.uint8)
    panel = sealed.panel_of(sites)
    found = take_turns(
        5,
        {
            "assemble": lambda: own_time(lambda: assemble(panel, list(vectors), people=people)),
            "copy": lambda: own_time(vectors.copy),
        },
    )
    rates = {name: round(vectors.nbytes / one.median / 1e9, 2) for name, one in found.items()}
    print(f"  {rates} GB/s")
    return {"gigabytes_per_second": rates, "bytes": vectors.nbytes, "rounds": found}


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, nargs="*", default=[500, 2000])
    parser.add_argument("--variants", type=int, default=20_000)
    parser.add_argument("--panel-bytes", type=int, default=250_000_000)
    chosen = parser.parse_args()
    # bcftools holds all files open at once.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    rows = [measure(people, chosen.variants) for people in chosen.people]
    peer = tool_version("bcftools", "--version")
    write_results("assembly", {"peer": peer, "rows": rows, "panel_part": throughput(chosen.panel_bytes)})


if __name__ == "__main__":
    main()
