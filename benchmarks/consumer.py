"""From 23andMe's text to an encrypted vector, in CPU time on one thread, with bcftools beside us.

    python benchmarks/consumer.py

The file is made up: 640,000 markers on a made-up reference, one in a hundred a no-call. The peer turns the same text
into a BCF, and encrypts nothing.
"""

import io
import tempfile
from pathlib import Path

import numpy as np
from measuring import command_time, own_time, row, take_turns, tool_version, write_results

from nebula.crypt4gh import seal_part
from nebula.genome.importing import import_genomes
from nebula.genome.inflate import Source
from nebula.genome.keys import variant_keys
from nebula.genome.panel import Panel
from nebula.genome.texts import Texts
from nebula.protocol.sealing import SealingKey

MARKERS = 640_000
CHROMOSOMES = 22
LENGTH = 3_000_000
ROUNDS = 7
BAR = 8.0
BASES = np.frombuffer(b"ACGT", np.uint8)
OWNER = SealingKey.generate()
CONVERT = "bcftools convert --tsv2vcf raw.txt -f reference.fa -s A -Ob -o peer.bcf"


def main() -> None:
    """Print both figures, how much faster we are, and the size of what is stored."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        panel = make(folder)
        figures = take_turns(
            ROUNDS,
            {
                "file to encrypted vector": lambda: own_time(lambda: encrypted(folder, panel)),
                "bcftools convert --tsv2vcf": lambda: command_time(CONVERT.split(), folder),
            },
        )
        size = len(encrypted(folder, panel))
    print(f"  encrypted vector: {size:,} bytes")
    ours, peer = (figure.median for figure in figures.values())
    rows = [row("consumer file to encrypted vector", ours, peer, BAR)]
    sizes = {"markers": MARKERS, "encrypted_vector_bytes": size}
    write_results(
        "consumer", {"peer": tool_version("bcftools", "--version"), **sizes, "figures": figures, "rows": rows}
    )


def make(folder: Path) -> Panel:
    """Write a reference and one person's text, and return the panel of all its sites."""
    rng = np.random.default_rng(1)
    genome = rng.integers(0, 4, (CHROMOSOMES, LENGTH))
    with (folder / "reference.fa").open("wb") as file, (folder / "reference.fa.fai").open("w") as index:
        for number, bases in enumerate(genome, start=1):
            file.write(b">%d\n" % number)
            index.write(f"{number}\t{LENGTH}\t{file.tell()}\t{LENGTH}\t{LENGTH + 1}\n")
            file.write(BASES[bases].tobytes() + b"\n")
    where = np.sort(rng.choice(CHROMOSOMES * LENGTH, MARKERS, replace=False))
    chromosome, start = where // LENGTH + 1, where % LENGTH
    reference = genome[chromosome - 1, start]
    alternate = (reference + rng.integers(1, 4, MARKERS)) % 4
    chosen = [np.where(rng.random(MARKERS) < share, alternate, reference) for share in (0.3, 0.3)]
    letters = np.stack([BASES[one] for one in chosen], axis=1)
    letters[rng.random(MARKERS) < 0.01] = ord("-")
    rows = zip(chromosome.tolist(), (start + 1).tolist(), letters.view("S2")[:, 0].tolist(), strict=True)
    text = "".join(f"rs{number}\t{one}\t{pos}\t{pair.decode()}\n" for number, (one, pos, pair) in enumerate(rows))
    heading = "# 23andMe, on build 38\n# rsid\tchromosome\tposition\tgenotype\n"
    (folder / "raw.txt").write_text(heading + text)
    alleles = (Texts.of_letters(BASES[codes]) for codes in (reference, alternate))
    keys = variant_keys(chromosome.astype(np.uint8), (start + 1).astype(np.int32), *alleles)
    return Panel("array", "1", "GRCh38", keys)


def encrypted(folder: Path, panel: Panel) -> bytes:
    """Return the person's vector, encrypted."""
    source = Source(io.BytesIO((folder / "raw.txt").read_bytes()), "raw.txt")
    vector = import_genomes(source, panel).vector(0).to_bytes()
    return seal_part(vector, OWNER.public_key).raw


if __name__ == "__main__":
    main()
