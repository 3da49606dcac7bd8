"""A made-up reference genome and a made-up person's VCF of it, as a caller of our days writes them; seeded.

The chromosomes have the lengths of GRCh38's, scaled, and repeats as tandem as real ones; the VCF has a record for
every 775 bases as a whole genome has: 85 in 100 single bases, insertions and deletions mostly in repeats and not
left-aligned, one or two in 100 multi-allelic, with the INFO and FORMAT that GATK writes.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from measuring import leave_on_disk
from numpy.typing import NDArray

from nebula.genome.chromosomes import chromosome_lengths
from nebula.localnet.bgzf import BgzfWriter

BASES_PER_RECORD = 775
LINE = 60

_BASES = np.frombuffer(b"ACGT", np.uint8)
_INFO = (
    ("AC", "A", "Integer"),
    ("AF", "A", "Float"),
    ("AN", "1", "Integer"),
    ("BaseQRankSum", "1", "Float"),
    ("DB", "0", "Flag"),
    ("DP", "1", "Integer"),
    ("ExcessHet", "1", "Float"),
    ("FS", "1", "Float"),
    ("MLEAC", "A", "Integer"),
    ("MLEAF", "A", "Float"),
    ("MQ", "1", "Float"),
    ("MQRankSum", "1", "Float"),
    ("QD", "1", "Float"),
    ("ReadPosRankSum", "1", "Float"),
    ("SOR", "1", "Float"),
)
_FORMAT = (
    ("GT", "1", "String"),
    ("AD", "R", "Integer"),
    ("DP", "1", "Integer"),
    ("GQ", "1", "Integer"),
    ("PL", "G", "Integer"),
)


def contig_lengths(scale: float) -> dict[str, int]:
    """Chromosomes 1 to 22 and X of GRCh38, scaled."""
    lengths = chromosome_lengths("GRCh38")[:23]
    names = [f"chr{name}" for name in [*range(1, 23), "X"]]
    return {name: int(length * scale) for name, length in zip(names, lengths, strict=True)}


def make(folder: Path, scale: float, *, seed: int = 1) -> tuple[Path, Path]:
    """Write the reference, with its index, and the VCF, if they are not there yet; return their paths.

    Each time, they are read from the disk anew, where the system and what is at ``folder`` know such a thing.
    """
    fasta, vcf = folder / f"reference-{scale:g}.fa", folder / f"genome-{scale:g}.vcf.gz"
    if not vcf.exists():
        _write(fasta, vcf, scale, seed)
    for file in (fasta, vcf):
        leave_on_disk(file)
    return fasta, vcf


def _write(fasta: Path, vcf: Path, scale: float, seed: int) -> None:
    vcf.parent.mkdir(parents=True, exist_ok=True)
    chooser = np.random.default_rng(seed)
    index, unfinished = [], vcf.with_suffix(".part")
    with fasta.open("wb") as sequences, unfinished.open("wb") as calls:
        writer = BgzfWriter(calls)
        writer.write(_header(contig_lengths(scale)))
        for name, length in contig_lengths(scale).items():
            sequence = _sequence(chooser, length)
            sequences.write(f">{name}\n".encode())
            index.append(f"{name}\t{length}\t{sequences.tell()}\t{LINE}\t{LINE + 1}\n")
            sequences.write(_wrapped(sequence))
            for line in _records(chooser, name, sequence):
                writer.write(line)
        writer.close()
    Path(f"{fasta}.fai").write_text("".join(index))
    unfinished.rename(vcf)


def _sequence(chooser: np.random.Generator, length: int) -> NDArray[np.uint8]:
    """Random bases, a tandem repeat in every thousand of them, Ns at both ends, some of it in lower case."""
    sequence = _BASES[chooser.integers(0, 4, length)]
    for at in range(700, length - 100, 1000):
        unit = sequence[at : at + 1 + at % 5]
        sequence[at : at + 40] = np.resize(unit, 40)
    for at in range(0, length, 5000):
        sequence[at : at + 1500] |= 0x20
    ends = min(10_000, length // 20)
    sequence[:ends] = sequence[-ends:] = ord("N")
    return sequence


def _wrapped(sequence: NDArray[np.uint8]) -> bytes:
    whole = len(sequence) // LINE
    lines = np.full((whole, LINE + 1), ord("\n"), np.uint8)
    lines[:, :LINE] = sequence[: whole * LINE].reshape(whole, LINE)
    rest = sequence[whole * LINE :].tobytes()
    return lines.tobytes() + (rest + b"\n" if rest else b"")


def _header(lengths: dict[str, int]) -> bytes:
    lines = ["##fileformat=VCFv4.2", '##FILTER=<ID=PASS,Description="All filters passed">']
    lines.append('##FILTER=<ID=VQSRTrancheSNP99.90to100.00,Description="Tranche">')
    for table, keys in (("INFO", _INFO), ("FORMAT", _FORMAT)):
        lines += [f'##{table}=<ID={key},Number={number},Type={kind},Description="{key}">' for key, number, kind in keys]
    lines += [f"##contig=<ID={name},length={length}>" for name, length in lengths.items()]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tMADEUP")
    return ("\n".join(lines) + "\n").encode()


def _records(chooser: np.random.Generator, name: str, sequence: NDArray[np.uint8]) -> Iterator[bytes]:
    length = len(sequence)
    # Three places in five will be kept.
    count = int(length / BASES_PER_RECORD / 0.6 * 0.92)
    places = np.unique(chooser.integers(length // 20 + 20, length - length // 20 - 100, count))
    # Insertions and deletions stand in the repeats, one in each at most: aligned, two might be the same.
    places = places[places % 1000 < 600]
    repeats = np.unique(places // 1000)
    repeats = repeats[chooser.random(len(repeats)) < 0.15 * len(places) / 0.85 / len(repeats)] * 1000 + 700
    places = np.concatenate([places, repeats + chooser.integers(1, 30, len(repeats))])
    order = np.argsort(places)
    places, indel = places[order], (np.arange(len(places)) >= len(places) - len(repeats))[order]
    noise = chooser.random((len(places), 8))
    depths = np.maximum(chooser.normal(34, 7, len(places)).astype(int), 4)
    text = sequence.tobytes().upper()
    for place, is_indel, some, depth in zip(
        places.tolist(), indel.tolist(), noise.tolist(), depths.tolist(), strict=True
    ):
        reference, alternates = _alleles(text, place, is_indel, some)
        yield f"{name}\t{place + 1}\t".encode() + _record(reference, alternates, some, depth)


def _alleles(text: bytes, place: int, is_indel: bool, some: list[float]) -> tuple[str, list[str]]:
    base = text[place : place + 1].decode()
    others = [letter for letter in "ACGT" if letter != base]
    if not is_indel:
        # Transitions are twice as frequent as transversions.
        likely = {"A": "G", "G": "A", "C": "T", "T": "C"}.get(base, others[0])
        chosen = likely if some[0] < 0.67 else next(letter for letter in others if letter != likely)
        more = [letter for letter in others if letter != chosen][:1]
        return base, [chosen, *(more if some[1] < 0.005 else [])]
    size = 1 + int(some[0] ** 3 * 12)
    deleted = text[place : place + 1 + size].decode()
    inserted = base + text[place + 1 : place + 1 + size].decode()
    if some[1] < 0.08:
        return deleted, [base, deleted + deleted[1:]]
    return (deleted, [base]) if some[2] < 0.5 else (base, [inserted])


def _record(reference: str, alternates: list[str], some: list[float], depth: int) -> bytes:
    calls = len(alternates)
    homozygous = some[3] < 0.38
    call = "1/2" if calls > 1 else "1/1" if homozygous else "0/1"
    counts = ",".join(["1"] * calls) if calls > 1 else "2" if homozygous else "1"
    shares = ",".join(["0.500"] * calls) if calls > 1 else "1.00" if homozygous else "0.500"
    seen = int(depth * (0.35 + 0.3 * some[4]))
    depths = [0, seen, depth - seen] if calls > 1 else [0, depth] if homozygous else [depth - seen, seen]
    quality = 99 if some[5] < 0.85 else int(some[6] * 99)
    likelihoods = [depth * 27, depth * 3, 0] if homozygous else [quality * 7, 0, seen * 31]
    if calls > 1:
        likelihoods = [depth * 40, depth * 21, depth * 19, depth * 20, 0, depth * 17]
    rs = f"rs{int(some[7] * 1e9)}" if some[6] < 0.9 else "."
    verdict = "PASS" if some[5] > 0.03 else "VQSRTrancheSNP99.90to100.00"
    rank = "" if homozygous else f"BaseQRankSum={some[4] * 4 - 2:.3f};"
    ranks = "" if homozygous else f"MQRankSum={some[5] * 2 - 1:.3f};"
    places = "" if homozygous else f"ReadPosRankSum={some[6] * 3 - 1.5:.3f};"
    known = "DB;" if rs != "." else ""
    info = (
        f"AC={counts};AF={shares};AN=2;{rank}{known}DP={depth + 1};ExcessHet=3.0103;FS={some[2] * 9:.3f};"
        f"MLEAC={counts};MLEAF={shares};MQ=60.00;{ranks}QD={some[1] * 30:.2f};{places}SOR={some[0] * 2:.3f}"
    )
    values = f"{call}:{','.join(map(str, depths))}:{depth}:{quality}:{','.join(map(str, likelihoods))}"
    fixed = f"{rs}\t{reference}\t{','.join(alternates)}\t{depth * 21.37:.2f}\t{verdict}"
    return f"{fixed}\t{info}\tGT:AD:DP:GQ:PL\t{values}\n".encode()
