"""From one person's VCF to encrypted parts, beside ``bcftools norm``: one thread each.

    python benchmarks/import_genome.py [--scales 0.05 0.1] [--rounds 3] [--folder /tmp/nebula-bench]

We check the file, normalise it against its reference, place it on a panel, write the vector and the record, and
encrypt both. bcftools normalises and writes to nowhere. The reference and the person are made up; scale 1 is a whole
genome of four million records. Both must find the same variants, or there is no figure.
"""

import argparse
import resource
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from made_up_genome import make
from measuring import command_time, own_time, row, take_turns, tool_version, write_results
from numpy.typing import NDArray

from nebula.crypt4gh import seal_part
from nebula.genome.calls import Calls
from nebula.genome.imported import ImportedGenome
from nebula.genome.importing import import_genomes
from nebula.genome.inflate import Source
from nebula.genome.keys import hashed, variant_key
from nebula.genome.panel import Panel
from nebula.genome.record.parquet import RecordWriter
from nebula.genome.vcf import VcfReader
from nebula.protocol.sealing import SealingKey
from nebula.vault.files import open_reference

OWNER = SealingKey.generate()
BAR = 4.0
ON_PANEL = 0.9


def keys_of(fasta: Path, vcf: Path) -> NDArray[np.uint64]:
    """The keys of the file's variants, normalised, ascending."""
    with vcf.open("rb") as file, open_reference(fasta) as reference:
        reader = VcfReader(Source(file, vcf.name, "vcf"), reference=reference)
        return np.sort(np.concatenate([batch.key for batch in reader]))


def keys_of_bcftools(fasta: Path, vcf: Path) -> NDArray[np.uint64]:
    """What bcftools makes of the same file."""
    norm = ["bcftools", "norm", "-f", str(fasta), "-m-any", "-Ou", str(vcf)]
    query = ["bcftools", "query", "-f", "%CHROM\t%POS\t%REF\t%ALT\n"]
    with subprocess.Popen(norm, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as normalising:
        text = subprocess.run(query, stdin=normalising.stdout, capture_output=True, text=True, check=True).stdout
    lines = (line.split("\t") for line in text.splitlines())
    keys = (
        variant_key(chrom.removeprefix("chr"), int(pos), ref.upper(), alt.upper()) for chrom, pos, ref, alt in lines
    )
    return np.sort(np.fromiter(keys, np.uint64))


def panel_of(keys: NDArray[np.uint64]) -> Panel:
    """A panel on which most of a person's variants stand, as those of a population's common ones do."""
    spelt = np.unique(keys[~hashed(keys)])
    kept = np.random.default_rng(1).random(len(spelt)) < ON_PANEL
    return Panel("benchmark", "1", "GRCh38", spelt[kept])


def bring_in(fasta: Path, vcf: Path, panel: Panel) -> ImportedGenome:
    """All that happens to a file before it is put on storage."""
    with vcf.open("rb") as file, open_reference(fasta) as reference:
        genome = import_genomes(Source(file, vcf.name), panel, reference=reference).genome(0)
    for part in (genome.vector, genome.parquet):
        seal_part(part, OWNER.public_key)
    return genome


def bytes_of_genotypes(fasta: Path, vcf: Path) -> int:
    """How long the record is where a file has no DP and no GQ."""
    with vcf.open("rb") as file, open_reference(fasta) as reference:
        reader = VcfReader(Source(file, vcf.name, "vcf"), reference=reference)
        batch = reader.whole()
    calls = Calls.of(batch, samples=reader.header.samples, contigs=reader.contigs, filters=reader.filters)
    alone = replace(calls, depth=calls.depth[:0], quality=calls.quality[:0])
    return len(RecordWriter(alone, assembly="GRCh38").write(0))


def measure(folder: Path, scale: float, rounds: int) -> dict[str, object]:
    """One scale: its time, and whether it is for the same variants."""
    fasta, vcf = make(folder, scale)
    keys = keys_of(fasta, vcf)
    panel = panel_of(keys)
    print(f"scale {scale:g}: {len(keys)} variants, {vcf.stat().st_size / 1e6:.0f} MB")
    genome = bring_in(fasta, vcf, panel)
    norm = f"bcftools norm -f {fasta} -m-any -Ou -o /dev/null {vcf}".split()
    works = {
        "nebula": lambda: own_time(lambda: bring_in(fasta, vcf, panel)),
        "bcftools": lambda: command_time(norm, folder),
    }
    figures = take_turns(rounds, works)
    # Afterwards, for millions of strings leave a heap behind in which no process begins.
    if not np.array_equal(keys, keys_of_bcftools(fasta, vcf)):
        raise SystemExit("the variants are not those of bcftools")
    return {
        **row(f"import at scale {scale:g}", figures["nebula"].median, figures["bcftools"].median, BAR),
        "variants": len(keys),
        "figures": figures,
        "record_bytes": len(genome.parquet),
        "record_bytes_without_dp_and_gq": bytes_of_genotypes(fasta, vcf),
        "vector_bytes": len(genome.vector),
        "panel_sites": panel.sites,
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
    }


def main() -> None:
    """Print every figure, and write them down."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--scales", type=float, nargs="+", default=[0.05, 0.1])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "nebula-bench")
    chosen = arguments.parse_args()
    rows = [measure(chosen.folder, scale, chosen.rounds) for scale in chosen.scales]
    write_results("import", {"peer": tool_version("bcftools", "--version"), "rows": rows})


if __name__ == "__main__":
    main()
