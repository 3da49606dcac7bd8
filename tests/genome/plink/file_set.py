"""Small PLINK file sets for tests."""

import io
from collections.abc import Sequence

import numpy as np

from nebula.genome.inflate import Source
from nebula.genome.keys import variant_key
from nebula.genome.panel import Panel
from nebula.genome.plink.files import PlinkFiles

Site = tuple[str, int, str, str]

#: PLINK's codes by how a genotype is written here: copies of A1, or a dot.
CODES = {"2": 0, ".": 1, "1": 2, "0": 3}
PANEL_SITES: tuple[Site, ...] = tuple(("1", 100 + row, "AC"[row % 2], "GT"[row % 2]) for row in range(60))


def panel_of(*sites: Site, assembly: str = "GRCh38") -> Panel:
    """A panel of sites that are spelt out in their keys."""
    return Panel("p", "1", assembly, np.sort(np.array([variant_key(*site) for site in sites], np.uint64)))


PANEL = panel_of(*PANEL_SITES)


def source(raw: bytes, name: str) -> Source:
    return Source(io.BytesIO(raw), name, "plink")


def bed(*genotypes: str) -> bytes:
    """Genotypes of each site, a letter for each person."""
    fours = [row[start : start + 4] for row in genotypes for start in range(0, len(row), 4)]
    packed = [sum(CODES[one] << (2 * index) for index, one in enumerate(four)) for four in fours]
    return b"\x6c\x1b\x01" + bytes(packed)


def bim(*sites: tuple[str, int, str, str]) -> bytes:
    """Lines from chromosome, position, A1, A2."""
    return "".join(f"{chrom}\trs{pos}\t0\t{pos}\t{first}\t{second}\n" for chrom, pos, first, second in sites).encode()


def fam(*people: str) -> bytes:
    """Lines from family, id and sex."""
    return "".join(f"{family}\t{own}\t0\t0\t{sex}\t-9\n" for family, own, sex in map(str.split, people)).encode()


def files(genotypes: bytes, sites: bytes, people: bytes) -> PlinkFiles:
    return PlinkFiles(source(genotypes, "c.bed"), source(sites, "c.bim"), source(people, "c.fam"))


def on_panel(*more: Site, genotypes: Sequence[str] = (), people: Sequence[str] = ("f a 0", "f b 0")) -> PlinkFiles:
    """A set that proves its assembly by the panel's sites, everybody without ALT there, and has some sites more."""
    known = ["0" * len(people)] * len(PANEL_SITES)
    sites = [(chrom, pos, alternate, reference) for chrom, pos, reference, alternate in PANEL_SITES]
    return files(bed(*known, *genotypes), bim(*sites, *more), fam(*people))
