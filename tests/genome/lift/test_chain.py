from pathlib import Path

import numpy as np
import pyliftover
import pytest

from genome.vcf_text import refused, source
from nebula.genome.chromosomes import MT, NAMES, chromosome_code
from nebula.genome.inflate import Source
from nebula.genome.lift.chain import read_chain

CHAIN = b"""chain 9 chr1 1000 + 100 160 chr2 500 + 10 75 1
20 5 10
35

chain 8 chr1 1000 + 200 210 chr3 300 - 50 60 2
10
"""


def test_positions_move_with_their_block_and_gaps_go_nowhere() -> None:
    chain = read_chain(source(CHAIN, "chain"))
    pos = np.array([100, 101, 120, 121, 126, 160, 161])
    lifted = chain.lift(np.ones(7, np.int64), pos)
    assert lifted.chromosome.tolist() == [0, 2, 2, 0, 2, 2, 0]
    assert lifted.pos.tolist() == [0, 11, 30, 0, 41, 75, 0]
    assert lifted.block.tolist() == [-1, 0, 0, -1, 1, 1, -1]
    assert not lifted.flipped.any()


def test_a_minus_strand_runs_backwards() -> None:
    lifted = read_chain(source(CHAIN, "chain")).lift(np.array([1, 1]), np.array([201, 210]))
    assert (lifted.chromosome.tolist(), lifted.pos.tolist(), lifted.flipped.all()) == ([3, 3], [250, 241], True)


@pytest.mark.parametrize(
    "raw",
    [
        b"20 5 10\n",
        b"chain 1 2\n",
        CHAIN.replace(b"20 5 10", b"20 -5 10"),
        CHAIN.replace(b"20", b"x"),
        CHAIN + CHAIN,
        CHAIN.replace(b"35", b"9" * 30),
        CHAIN.replace(b"500 + 10", b"500 + -10"),
        CHAIN.replace(b"300 -", b"59 -"),
        CHAIN.replace(b"\n35", b""),
        CHAIN.replace(b"35", b"30"),
        CHAIN.replace(b"10 75", b"10 80"),
        CHAIN.replace(b"100 160", b"100 161"),
        CHAIN.replace(b"chr1 1000", b"chr1 150"),
        CHAIN.replace(b"chr2 500", b"chr2 70"),
        CHAIN.replace(b"35\n", b"35\n1\n"),
        CHAIN.replace(b"35", b"3_5"),
        CHAIN.replace(b"chr1 1000", b"chr1 1_000"),
        CHAIN.replace(b"chr2 500 + 10", b"chr2 500 +- 10"),
        CHAIN.replace(b"75 1\n", b"75 1 1\n"),
    ],
)
def test_a_malformed_chain_is_refused_with_its_line(raw: bytes) -> None:
    error = refused(lambda: read_chain(source(raw, "chain")))
    assert error is not None
    assert error.code == "chain.malformed"


@pytest.mark.parametrize("lines", range(1, 8))
def test_a_chain_file_that_is_cut_off_is_refused(lines: int) -> None:
    """All but the two that are whole chains: what is cut off would be told as lost."""
    whole = len(CHAIN.splitlines()) - lines in {0, 3, 4}
    raw = b"\n".join(CHAIN.splitlines()[: -lines or None])
    error = refused(lambda: read_chain(source(raw, "chain")))
    assert (error is None) == (whole and bool(raw))


def test_known_positions_land_where_ucsc_says(shared_data: Path) -> None:
    with (shared_data / "reference/hg19ToHg38.over.chain.gz").open("rb") as file:
        chain = read_chain(Source(file, kind="chain"))
    # rs4970383 and rs1801133 in dbSNP on both assemblies.
    lifted = chain.lift(np.array([1, 1]), np.array([838_555, 11_856_378]))
    assert lifted.pos.tolist() == [903_175, 11_796_321]


@pytest.mark.parametrize("name", ["hg19ToHg38", "hg18ToHg38"])
def test_positions_land_where_pyliftover_puts_them(shared_data: Path, name: str) -> None:
    path = shared_data / f"reference/{name}.over.chain.gz"
    with path.open("rb") as file:
        chain = read_chain(Source(file, kind="chain"))
    peer = pyliftover.LiftOver(str(path))
    draw = np.random.default_rng(3)
    for code, blocks in chain.blocks.items():
        # Anywhere, and at the borders of blocks, where an error by one would show.
        ends = blocks[draw.integers(0, len(blocks), 100)][:, :2].ravel()
        pos = np.concatenate([draw.integers(1, blocks[-1, 1], 300), ends, ends + 1])
        lifted = chain.lift(np.full(len(pos), code), pos)
        contig = "chrM" if code == MT else f"chr{NAMES[code]}"
        for place, *ours in zip(pos.tolist(), *(part.tolist() for part in lifted[:3]), strict=True):
            found = peer.convert_coordinate(contig, place - 1) or []
            theirs = [[chromosome_code(to), at + 1, strand == "-"] for to, at, strand, _ in found]
            assert [ours] == [one for one in theirs if one[0]] or ours == [0, 0, False]
            assert ours[0] or not any(code for code, *_ in theirs)
